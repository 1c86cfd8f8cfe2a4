"""What a person sees while a run goes on: bars on a terminal, plain lines in a log file."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from ..core.counted import pluralize
from .run_progress import RunProgress

if TYPE_CHECKING:  # it imports Pillow, and help must be quick
    from .worker import Worker


class ConsoleScreen:
    """A run.Screen on a rich console, and on another one for warnings where that is quiet."""

    def __init__(self, console: Console, warnings: Console | None = None) -> None:
        self._console, self._warnings = console, warnings or console
        self._lines = Lines(self.step)

    def step(self, text: str) -> None:
        """One thing that begins now."""
        self._console.print(text, style="dim", markup=False, highlight=False)

    def warn(self, text: str) -> None:
        """What the images' owner must know; shown where progress is not wanted, too."""
        self._warnings.print(text, style="yellow", markup=False, highlight=False, soft_wrap=True)

    def reading(self, read: int, total: int) -> None:
        """`read` of `total` photos and masks are checked; a line now and then and the last."""
        self._count(f"Checked {read:,} of {total:,} photos and masks", read == total)

    def planning(self, read: int, total: int) -> None:
        """`read` of `total` jobs are in the ledger; a line now and then and the last."""
        self._count(f"Planned {read:,} of {pluralize(total, 'job')}", read == total)

    def _count(self, text: str, last: bool) -> None:
        self._lines.tell(text)
        if last:
            self._lines.end()

    @contextmanager
    def watch(self, progress: RunProgress, workers: "list[Worker]") -> Iterator[None]:
        """Show the progress as long as the block lasts."""
        if is_redrawn(self._console):
            view = _View(progress, workers)
            with Live(view, console=self._console, refresh_per_second=4):
                yield
        else:
            with self._print_lines(progress, workers):
                yield

    @contextmanager
    def _print_lines(self, progress: RunProgress, workers: "list[Worker]") -> Iterator[None]:
        over = threading.Event()

        def write() -> None:
            if missing := progress.planned - progress.done:
                self.step(f"Drawing {pluralize(missing, 'image')}")
            while not over.wait(LINE_EVERY):
                self.step(_line(progress, workers))

        thread = threading.Thread(target=write, name="screen", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


class _View:
    """Drawn anew by rich a few times a second."""

    def __init__(self, progress: RunProgress, workers: "list[Worker]") -> None:
        self._progress, self._workers = progress, workers
        self._bar = Progress(
            TextColumn("images"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[eta]}"),
        )
        self._task = self._bar.add_task("images", total=progress.planned, eta="")

    def __rich__(self) -> Group:
        progress = self._progress
        self._bar.update(self._task, completed=progress.done, eta=_pace(progress))
        parts = [self._bar, _server_table(progress, self._workers)]
        if progress.last_trouble:
            parts.append(
                Text(f"{_troubles(progress)}  last: {progress.last_trouble[:200]}", "yellow")
            )
        return Group(*parts)


def _server_table(progress: RunProgress, workers: "list[Worker]") -> Table:
    table = Table("server", "state", "images", "images/s", box=None, padding=(0, 2))
    now = time.monotonic()
    for worker in workers:
        counts = progress.servers.get(worker.name)
        state = Text("works", "green") if worker.health.up else Text(worker.health.reason, "red")
        rate = f"{counts.rate(now):.2f}" if counts else ""
        table.add_row(worker.name, state, str(counts.images if counts else 0), rate)
    return table


def _pace(progress: RunProgress) -> str:
    remaining = progress.seconds_left()
    eta = f", {timedelta(seconds=round(remaining))} left" if remaining is not None else ""
    return f"{progress.rate():.2f}/s{eta}"


def _troubles(progress: RunProgress) -> str:
    parts = [f"{count} x {kind} tried again" for kind, count in progress.tries.items()]
    parts += [f"{count} x {kind} failed" for kind, count in progress.failed.items()]
    return ", ".join(parts)


def _line(progress: RunProgress, workers: "list[Worker]") -> str:
    away = [f"{w.name} away: {w.health.reason}" for w in workers if not w.health.up]
    parts = [
        f"{progress.done:,} of {pluralize(progress.planned, 'image')}, {_pace(progress)}",
        _troubles(progress),
        *away,
    ]
    return "; ".join(text for text in parts if text)


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
