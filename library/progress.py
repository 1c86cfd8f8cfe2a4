"""What a function shows of its progress: what its command shows, on stderr, or nothing."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from ..cli.console import PlainConsole
from ..cli.progress import Step, progress
from ..driver.run import Screen
from ..driver.run_progress import RunProgress
from ..driver.screen import ConsoleScreen
from ..driver.worker import Worker


class QuietScreen:
    """A run.Screen that shows warnings alone."""

    def warn(self, text: str) -> None:
        ConsoleScreen(PlainConsole(stderr=True)).warn(text)

    def step(self, text: str) -> None: ...
    def reading(self, read: int, total: int) -> None: ...
    def planning(self, read: int, total: int) -> None: ...

    def watch(self, progress: RunProgress, workers: list[Worker]) -> AbstractContextManager[None]:
        return nullcontext()


def open_screen(quiet: bool) -> Screen:
    """The screen of a run."""
    return QuietScreen() if quiet else ConsoleScreen(PlainConsole(stderr=True))


@contextmanager
def show_steps(quiet: bool) -> Iterator[Step]:
    """What to call with each step of a measurement, for as long as the block lasts."""
    if quiet:
        yield lambda what, done, of: None
        return
    with progress(PlainConsole(stderr=True)) as step:
        yield step
