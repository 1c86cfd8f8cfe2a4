"""How far a command is: a bar on a terminal, a line now and then elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ..driver.screen import Lines, is_redrawn

Step = Callable[[str, int, int], None]  # what is being done, how many are done, of how many


@contextmanager
def progress(console: Console) -> Iterator[Step]:
    """What to tell of each step, for as long as the block lasts."""
    if is_redrawn(console):
        with _bar(console) as step:
            yield step
        return
    lines = Lines(
        lambda text: console.print(text, style="dim", highlight=False, markup=False), at_once=True
    )
    try:
        yield lambda what, done, of: lines.tell(f"{what}: {done:,} of {of:,}")
    finally:
        lines.end()


@contextmanager
def loading(what: str, console: Console) -> Iterator[None]:
    """Say that `what` is loaded, which takes up to a minute where the disk is slow, for as long as
    the block that imports it lasts: a spinner on a terminal, a line elsewhere."""
    if is_redrawn(console):
        with console.status(f"Loading {what} ..."):
            yield
        return
    console.print(f"Loading {what} ...", style="dim")
    yield


@contextmanager
def _bar(console: Console) -> Iterator[Step]:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("reading", total=None)
        yield lambda what, done, of: bar.update(task, description=what, completed=done, total=of)
