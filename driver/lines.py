"""Progress where there is no terminal: a line now and then, and the last."""

import math
import time
from collections.abc import Callable

from rich.console import Console

LINE_EVERY = 10.0  # seconds between lines


def is_redrawn(console: Console) -> bool:
    """Whether what is printed there can be drawn over: not in files and pipes, even where colours
    are wanted there (FORCE_COLOR, as build servers have it)."""
    return console.is_interactive and console.file.isatty()


class Lines:
    """Passes on to `say` what it is told, at most every LINE_EVERY seconds; the first of it after
    as long, or `at_once`."""

    def __init__(self, say: Callable[[str], None], at_once: bool = False) -> None:
        self._say = say
        self._said_at = -math.inf if at_once else time.monotonic()
        self._pending: str | None = None

    def tell(self, text: str) -> None:
        """How far things are now."""
        self._pending = text
        if time.monotonic() - self._said_at >= LINE_EVERY:
            self.end()

    def end(self) -> None:
        """Say what was told last, unless it was said already."""
        if self._pending is not None:
            self._say(self._pending)
            self._said_at, self._pending = time.monotonic(), None
