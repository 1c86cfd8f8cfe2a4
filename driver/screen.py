"""What a person sees while a run goes on: bars on a terminal, plain lines in a log file."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from ..core.counted import pluralize
from .lines import LINE_EVERY, Lines, is_redrawn
from .tally import Tally
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
    def watch(self, tally: Tally, workers: list[Worker]) -> Iterator[None]:
        """Show the tally as long as the block lasts."""
        if is_redrawn(self._console):
            view = _View(tally, workers)
            with Live(view, console=self._console, refresh_per_second=4):
                yield
        else:
            with self._print_lines(tally, workers):
                yield

    @contextmanager
    def _print_lines(self, tally: Tally, workers: list[Worker]) -> Iterator[None]:
        over = threading.Event()

        def write() -> None:
            if missing := tally.planned - tally.done:
                self.step(f"Drawing {pluralize(missing, 'image')}")
            while not over.wait(LINE_EVERY):
                self.step(_line(tally, workers))

        thread = threading.Thread(target=write, name="screen", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


class _View:
    """Drawn anew by rich a few times a second."""

    def __init__(self, tally: Tally, workers: list[Worker]) -> None:
        self._tally, self._workers = tally, workers
        self._bar = Progress(
            TextColumn("images"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[eta]}"),
        )
        self._task = self._bar.add_task("images", total=tally.planned, eta="")

    def __rich__(self) -> Group:
        tally = self._tally
        self._bar.update(self._task, completed=tally.done, eta=_pace(tally))
        parts = [self._bar, _server_table(tally, self._workers)]
        if tally.last_trouble:
            parts.append(Text(f"{_troubles(tally)}  last: {tally.last_trouble[:200]}", "yellow"))
        return Group(*parts)


def _server_table(tally: Tally, workers: list[Worker]) -> Table:
    table = Table("server", "state", "images", "images/s", box=None, padding=(0, 2))
    now = time.monotonic()
    for worker in workers:
        counts = tally.servers.get(worker.name)
        state = Text("works", "green") if worker.health.up else Text(worker.health.reason, "red")
        rate = f"{counts.rate(now):.2f}" if counts else ""
        table.add_row(worker.name, state, str(counts.images if counts else 0), rate)
    return table


def _pace(tally: Tally) -> str:
    remaining = tally.seconds_left()
    eta = f", {timedelta(seconds=round(remaining))} left" if remaining is not None else ""
    return f"{tally.rate():.2f}/s{eta}"


def _troubles(tally: Tally) -> str:
    parts = [f"{count} x {kind} tried again" for kind, count in tally.tries.items()]
    parts += [f"{count} x {kind} failed" for kind, count in tally.failed.items()]
    return ", ".join(parts)


def _line(tally: Tally, workers: list[Worker]) -> str:
    away = [f"{w.name} away: {w.health.reason}" for w in workers if not w.health.up]
    parts = [
        f"{tally.done:,} of {pluralize(tally.planned, 'image')}, {_pace(tally)}",
        _troubles(tally),
        *away,
    ]
    return "; ".join(text for text in parts if text)
