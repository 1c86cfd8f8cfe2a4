"""A run that shows nothing, so that nothing but the run is measured."""

from contextlib import nullcontext
from typing import Any


class Quiet:
    """A run.Screen that shows nothing."""

    def step(self, text: str) -> None: ...
    def warn(self, text: str) -> None: ...

    def reading(self, read: int, total: int) -> None: ...
    def planning(self, read: int, total: int) -> None: ...

    def watch(self, progress: Any, workers: Any) -> nullcontext[None]:
        return nullcontext()
