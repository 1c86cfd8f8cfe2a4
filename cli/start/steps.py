"""The steps of `start`, each by the recipe's file, and resumed where it was left."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console

from ...core.counted import pluralize
from ...core.errors import InputError, ManyshotError
from ...core.recipe_file import read_recipe_file
from ...core.tiny_files import TINY_MODEL
from ...driver.each_draw import draw_recipes, run_draws
from ...driver.preview import is_complete
from ...driver.recipe import Recipe, read_recipe
from ...driver.run import Summary
from ...driver.screen import ConsoleScreen
from ...driver.targets.target import find_installation
from ...trainer.measure.measure_recipe import MeasureRecipe
from ...trainer.measure.measure_results import Results
from ...trainer.measure.photos import lay_out_shots
from ...trainer.measure.run_measurement import measure
from ...trainer.stable_diffusion.architecture import load_tokenizer
from ...trainer.subjects.machine import Machine
from ...trainer.subjects.subject_recipe import SubjectRecipe
from ...trainer.subjects.train_recipe import train_recipe
from ...trainer.subjects.train_subject import TrainedFile
from ..progress import Step, progress
from ..tokenizer import tokenizer_folder

Say = Callable[[str], None]
INTERRUPTED = 130


@dataclass(frozen=True)
class Work:
    """The recipes of a start as their files say them now, and who is told of them.

    `pairs`: the recipe whose draws are laid out with their masks. `comfyui`: of the embedded
    server.
    """

    subjects: SubjectRecipe | None
    pictures: Recipe
    measurement: MeasureRecipe
    pairs: MeasureRecipe | None
    comfyui: Path | None
    console: Console
    say: Say


def read_work(paths: Sequence[Path], comfyui: Path | None, console: Console, say: Say) -> Work:
    """The work that files of recipes ask for. Raises InputError for a file that cannot be read."""
    files = {path.stem.split("-", 1)[1]: path for path in paths}
    subjects, pairs = files.get("subjects"), files.get("measure-masks")
    return Work(
        subjects and read_recipe_file(SubjectRecipe, subjects),
        read_recipe(files["pictures"]),
        read_recipe_file(MeasureRecipe, files["measure"]),
        pairs and read_recipe_file(MeasureRecipe, pairs),
        comfyui,
        console,
        say,
    )


def do_all(work: Work) -> Results:
    """All steps. Raises typer.Exit(130) when one is interrupted, ManyshotError when one fails."""
    steps = [
        *([("photos", _lay_out_draws), ("subjects", _train)] if work.subjects else []),
        *([("photos and masks", _lay_out_pairs)] if _is_laid_out(work) else []),
        ("pictures", _draw),
    ]
    of = len(steps) + 1
    for number, (name, step) in enumerate(steps, 1):
        work.say(f"{number} of {of}: {name}")
        work.say(f"  {step(work)}")
    work.say(f"{of} of {of}: trainings with and without the images")
    with progress(work.console) as update:
        return measure(work.measurement, update)


def _is_laid_out(work: Work) -> bool:
    """Whether images are made from pairs that draws hold, and not from a folder of the user's."""
    made_from = work.pictures.pairs
    return bool(work.pairs and made_from and made_from.folder != work.pairs.data.path)


def _lay_out_draws(work: Work) -> str:
    assert work.subjects is not None
    assert work.subjects.classes is not None
    folder = work.subjects.classes.folder
    count = lay_out_shots(work.measurement, folder, each_draw=True)
    return f"{pluralize(count, 'copy', 'copies')} for the draws, in {folder}"


def _lay_out_pairs(work: Work) -> str:
    assert work.pairs is not None
    assert work.pictures.pairs is not None
    folder = work.pictures.pairs.folder
    count = lay_out_shots(work.pairs, folder)
    return f"{pluralize(count, 'pair')} that draws hold, in {folder}"


def _train(work: Work) -> str:
    """A word for each class, for each draw anew: it may learn from nothing else."""
    recipe = work.subjects
    assert recipe is not None
    with progress(work.console) as update:
        trained = train_recipe(
            recipe,
            recipe.base or TINY_MODEL,
            load_tokenizer(tokenizer_folder(None)),
            Machine(_device()),
            on_step=_steps(update, recipe.settings.steps),
        )
    for subject_file in trained:
        _tell_trained(subject_file, work.say)
    return f"in {recipe.output}" + ("" if trained else ", all already trained")


def _draw(work: Work) -> str:
    """Pictures of all draws by one server; none is started when all are there."""
    recipe = work.pictures
    if all(map(_is_drawn, draw_recipes(recipe))):
        return f"all there, in {recipe.output}"
    summaries, program = [], find_installation(work.comfyui, None)
    for summary in run_draws(recipe, ConsoleScreen(work.console), program):
        _check_ended(summary)
        summaries.append(summary)
    images = pluralize(sum(summary.done for summary in summaries), "image")
    return f"{images} in {recipe.output}, at a glance in {summaries[0].contact_sheet}"


def _is_drawn(recipe: Recipe) -> bool:
    """Whether all is there, as far as that can be said without a server."""
    try:
        return is_complete(recipe)
    except InputError:  # a workflow that a server must read, or no images yet
        return False


def _steps(update: Step, of: int) -> Callable[[str, int], None]:
    return lambda name, step: update(f"training {name}", step, of)


def _tell_trained(trained: TrainedFile, say: Say) -> None:
    if trained.fitted.interrupted:
        say(f"Saved {trained.path}. Run the same command again to resume.")
        raise typer.Exit(INTERRUPTED)
    words = ", ".join(subject.word for subject in trained.facts.subjects)
    say(f"{trained.path}, in {trained.fitted.seconds:.0f} s; in prompts: {words}")


def _check_ended(summary: Summary) -> None:
    """Raises what ends the command when pictures are missing."""
    if summary.interrupted:
        raise typer.Exit(INTERRUPTED)
    reason = summary.stopped or next((reason for _, reason, _ in summary.failures), None)
    if reason or summary.exit_code:
        raise ManyshotError(
            f"Some images of {summary.folder} are missing: {reason} Run the same command "
            "again to resume."
        )


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
