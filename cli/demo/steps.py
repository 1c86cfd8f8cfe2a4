"""The steps of the demo, each told in a sentence and resumed where it was left."""

from collections.abc import Callable
from pathlib import Path

import typer
from rich.console import Console

from ...core.counted import pluralize
from ...core.errors import ManyshotError
from ...core.tiny_files import TINY_MODEL
from ...driver.embedded import EmbeddedServer, ServerSettings
from ...driver.look import is_complete
from ...driver.run import Summary
from ...driver.run import run as run_recipe
from ...driver.screen import ConsoleScreen
from ...driver.subjects import server_files
from ...driver.take_over import Wishes
from ...trainer.base.architecture import load_tokenizer
from ...trainer.measure.measure import measure
from ...trainer.measure.photos import lay_out_shots
from ...trainer.measure.results import Results
from ...trainer.subjects.machine import Machine
from ...trainer.subjects.run import train_recipe
from ...trainer.subjects.train import Trained
from ..progress import Step, progress
from .recipes import Demo

Say = Callable[[str], None]
INTERRUPTED = 130


def lay_out_photos(demo: Demo, say: Say) -> None:
    """The photos that each draw learns from."""
    count = lay_out_shots(demo.measurement(), demo.photos, each_draw=True)
    say(
        f"1 of 4, photos: {demo.size.shots} per class in each of {demo.size.draws} draws, "
        f"{count} in total, in {demo.photos}"
    )


def train_subjects(demo: Demo, tokenizer: Path, console: Console, say: Say) -> None:
    """A word for each class, for each draw anew: it may learn from nothing else."""
    say(
        f"2 of 4, subjects: learn a word for every class with {demo.method}, separately "
        "for each draw"
    )
    words = load_tokenizer(tokenizer)
    for draw in demo.draws:
        recipe = demo.subjects(draw)
        with progress(console) as update:
            trained = train_recipe(
                recipe,
                TINY_MODEL,
                words,
                Machine(_device()),
                stepped=_steps(update, recipe.settings.steps),
            )
        _say_trained(trained, recipe.output, say)


def draw_pictures(demo: Demo, console: Console, say: Say) -> None:
    """Pictures of all draws by one server; none is started when all are there."""
    size = demo.size
    say(f"3 of 4, images: {size.images} per class and draw, drawn by ComfyUI, in {demo.pictures}")
    if all(is_complete(demo.drawing(draw)) for draw in demo.draws):
        say("All images are there.")
        return
    files = {
        name: path for draw in demo.draws for name, path in server_files(demo.drawing(draw)).items()
    }
    screen = ConsoleScreen(console)
    with EmbeddedServer(ServerSettings(extra_models=files), screen.step) as server:
        for draw in demo.draws:
            summary = run_recipe(demo.drawing(draw, server.url), screen, wishes=Wishes(prune=True))
            _check_ended(summary)
            say(f"{summary.tally.done} pictures: {summary.contact_sheet or summary.folder}")


def measure_gain(demo: Demo, console: Console, say: Say) -> Results:
    """Real photos alone against real photos and pictures, everything else equal."""
    size = demo.size
    say(
        f"4 of 4, gain: {size.draws} draws x {size.seeds} trainings with and without the "
        "images, tested on photos never used for training"
    )
    with progress(console) as update:
        return measure(demo.measurement(), update)


def answer(demo: Demo, results: Results) -> str:
    """The sentence of the gain: that of the first arm against real photos alone."""
    arm = demo.measurement().arms[0].name
    row = next(row for row in results.gains if (row.arm, row.against) == (arm, "real only"))
    return f"{pluralize(row.shots, 'photo')} per class: {row.sentence}"


def _steps(update: Step, of: int) -> Callable[[str, int], None]:
    return lambda name, step: update(f"training {name}", step, of)


def _say_trained(trained: list[Trained], folder: Path, say: Say) -> None:
    if not trained:
        say(f"Already trained: {folder}")
    for subject_file in trained:
        if subject_file.fitted.interrupted:
            say(f"Saved {subject_file.path}. Run the demo again to continue.")
            raise typer.Exit(INTERRUPTED)
        words = ", ".join(subject.word for subject in subject_file.facts.subjects)
        say(f"{subject_file.path}, in {subject_file.fitted.seconds:.0f} s; in prompts: {words}")


def _check_ended(summary: Summary) -> None:
    """Raises what ends the demo when pictures are missing."""
    if summary.interrupted:
        raise typer.Exit(INTERRUPTED)
    reason = summary.stopped or next((reason for _, reason, _ in summary.failures), None)
    if reason or summary.exit_code:
        raise ManyshotError(
            f"Some images of {summary.folder} are missing: {reason} Run the demo again to continue."
        )


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
