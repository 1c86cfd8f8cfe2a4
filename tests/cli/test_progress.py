"""How far a command is: lines in files and pipes, a bar on a terminal."""

import io

import pytest
from manyshot.cli.progress import loading, progress
from manyshot.driver import screen
from manyshot.driver.run_progress import RunProgress
from manyshot.driver.screen import LINE_EVERY, ConsoleScreen, is_redrawn
from rich.console import Console


class Clock:
    """Seconds as a test sets them, for lines alone."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(screen, "time", self)

    def monotonic(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("file", "environ", "redrawn"),
    [
        (io.StringIO(), {}, False),
        (io.StringIO(), {"FORCE_COLOR": "1"}, False),
        (io.StringIO(), {"TTY_COMPATIBLE": "1"}, False),
        (Terminal(), {"TERM": "xterm"}, True),
        (Terminal(), {"TERM": "dumb"}, False),
    ],
)
def test_only_a_terminal_is_drawn_over(
    file: io.StringIO, environ: dict[str, str], redrawn: bool
) -> None:
    assert is_redrawn(Console(file=file, _environ=environ)) is redrawn


def test_a_line_now_and_then_and_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, file = Clock(monkeypatch), io.StringIO()
    with progress(Console(file=file, width=80)) as step:
        for done in range(1, 2501):
            clock.now += LINE_EVERY / 1024
            step("fitting [/b]", done, 2500)
    told = [f"fitting [/b]: {done} of 2,500" for done in ("1", "1,025", "2,049", "2,500")]
    assert file.getvalue().splitlines() == told


def test_the_last_line_is_said_when_it_is_cut_off() -> None:
    def cut_off() -> None:
        with progress(Console(file=file, width=80)) as step:
            step("fitting", 3, 10)
            raise KeyboardInterrupt

    file = io.StringIO()
    with pytest.raises(KeyboardInterrupt):
        cut_off()
    assert file.getvalue() == "fitting: 3 of 10\n"


def test_nothing_is_said_of_nothing() -> None:
    file = io.StringIO()
    with progress(Console(file=file)):
        pass
    assert file.getvalue() == ""


def test_a_bar_shows_names_as_they_are() -> None:
    file = Terminal()
    console = Console(file=file, width=80, color_system=None, _environ={"TERM": "xterm"})
    with progress(console) as step:
        step("fitting [red]cat[/red] [/b]", 3, 10)
    assert "fitting [red]cat[/red] [/b]" in file.getvalue()
    assert "3/10" in file.getvalue()


def test_photos_and_jobs_are_counted_in_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, file = Clock(monkeypatch), io.StringIO()
    screen = ConsoleScreen(Console(file=file, width=80))
    for read in range(1, 6):
        clock.now += LINE_EVERY / 2
        screen.reading(read, 5)
    screen.planning(3, 3)
    told = [f"Checked {read} of 5 photos and masks" for read in (2, 4, 5)]
    assert file.getvalue().splitlines() == [*told, "Planned 3 of 3 jobs"]


@pytest.mark.parametrize(("done", "lines"), [(1, ["Drawing 2 images"]), (3, [])])
def test_a_run_says_at_once_what_it_draws(done: int, lines: list[str]) -> None:
    file = io.StringIO()
    with ConsoleScreen(Console(file=file, width=80)).watch(RunProgress(3, done), []):
        pass
    assert file.getvalue().splitlines() == lines


def test_warnings_are_shown_where_progress_is_not() -> None:
    file = io.StringIO()
    screen = ConsoleScreen(Console(file=file, quiet=True), Console(file=file, width=80))
    screen.step("Starting")
    screen.warn("Nothing takes the prompt.")
    assert file.getvalue() == "Nothing takes the prompt.\n"


def test_loading_is_said_before_it_is_done() -> None:
    file = io.StringIO()
    with loading("PyTorch", Console(file=file)):
        assert file.getvalue() == "Loading PyTorch ...\n"
