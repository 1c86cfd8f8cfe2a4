"""What `start` prints of its plan and of its recipes."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from .forecast import forecast, limits
from .options import Way
from .recipes import Places, RecipeFile, lay_out_command
from .setup import Setup, describe_photos

if TYPE_CHECKING:
    from ..console import PlainConsole


def show_plan(setup: Setup, console: "PlainConsole") -> None:
    """Photos, steps, and what the answer will not tell."""
    console.print(describe_photos(setup))
    for note in setup.photos.notes:
        console.print(note, style="yellow")
    console.print(f"How images are made: {setup.way.value}. {setup.why}")
    if setup.way is Way.SUBJECTS and setup.options.noun is None:
        console.print(
            "Each class name is its own noun; use --noun, such as --noun food, to say "
            "what they all are."
        )
    console.print(_table(setup))
    console.print(f"Everything goes to {setup.output}. What the answer cannot tell:")
    for limit in limits(setup):
        console.print(f"- {limit}")


def _table(setup: Setup) -> Table:
    table = Table("step", "what", "minutes", "disk")
    steps = forecast(setup)
    for step in steps:
        table.add_row(step.step, step.what, _minutes(step.minutes), _disk(step.megabytes))
    minutes = [step.minutes for step in steps if step.minutes is not None]
    disk = [step.megabytes for step in steps if step.megabytes is not None]
    unknown = ", and the rest" if len(minutes) < len(steps) else ""
    table.add_row("all", "on two idle cores" + unknown, _minutes(sum(minutes)), _disk(sum(disk)))
    return table


def _minutes(minutes: float | None) -> str:
    return "not known" if minutes is None else f"{max(1, round(minutes))}"


def _disk(megabytes: float | None) -> str:
    return "not known" if megabytes is None else f"{max(1, round(megabytes)):,} MB"


def say_changed(files: Sequence[RecipeFile], say: Callable[[str], None]) -> None:
    """That recipes are used as the user has edited them."""
    for file in files:
        say(f"Using {file.path} as you edited it. Delete it to get the original back.")


def say_recipes(setup: Setup, files: Sequence[RecipeFile], say: Callable[[str], None]) -> None:
    """How to run each step by itself."""
    say("To change something, edit a recipe and run this command again, or each step by itself:")
    if setup.way is Way.SUBJECTS:
        say(f"  {lay_out_command(setup)}")
    for file in files:
        say(f"  {file.command}")
    say(f"Images: {Places(setup.output).pictures}")
