"""`manyshot.plan` and `manyshot.run`: what the commands `plan` and `run` do."""

from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import InputError, ManyshotError
from ..driver.recipe import Recipe
from .dataset import Dataset
from .planned_jobs import PlannedJob, PlannedJobs
from .recipe_source import RecipeSource, read_source

if TYPE_CHECKING:
    from ..driver.run import Summary

Servers = str | Sequence[str] | None
"""An address as recipes have it ("embedded", "http://host:port", "webui+http://host:port"), or
several, in place of the recipe's; None: the recipe's own."""


def plan(recipe: RecipeSource, *, server: Servers = None) -> PlannedJobs:
    """What `recipe` would make; checked against `server`, where one is given.

    Raises InputError for what does not fit, ServerError when no server answers.
    """
    from ..driver.preview import preview_lines

    settled = read_source(Recipe, recipe, servers=_as_list(server))
    notes, jobs = preview_lines(settled, bool(server), None)
    rows = (PlannedJob(job.id, job.class_name, *inputs) for job, inputs in jobs)
    return PlannedJobs(tuple(rows), tuple(notes))


def run(
    recipe: RecipeSource,
    *,
    server: Servers = None,
    output: str | PathLike[str] | None = None,
    comfyui: str | PathLike[str] | None = None,
    python: str | PathLike[str] | None = None,
    secrets: Sequence[str] = (),
    prune: bool = False,
    redraw: bool = False,
    replace: bool = False,
    quiet: bool = False,
) -> Dataset:
    """Make the dataset folder of `recipe`, or go on with it; the folder holds all of it then.

    The options are those of `manyshot run`; `quiet`: nothing is shown. Raises InputError before
    anything is drawn, ServerError when no server answers, ManyshotError when images are missing at
    the end. What is there is kept, also after KeyboardInterrupt: the same call goes on.
    """
    from ..driver.address import allow_secrets
    from ..driver.run import run as run_recipe
    from ..driver.take_over import Wishes
    from ..driver.targets.target import find_installation
    from .progress import open_screen

    allow_secrets(secrets)
    settled = read_source(Recipe, recipe, servers=_as_list(server), output=output)
    if settled.each_draw:
        raise InputError(
            "This recipe has 'each_draw: true' and makes several dataset folders, one per draw. "
            "Run it with `manyshot run`, or run a recipe without it for one draw's subjects."
        )
    summary = run_recipe(
        settled,
        open_screen(quiet),
        find_installation(*(None if path is None else Path(path) for path in (comfyui, python))),
        Wishes(prune, redraw, replace),
    )
    _check_whole(summary)
    return Dataset(summary.folder)


def _as_list(server: Servers) -> list[str] | None:
    return [server] if isinstance(server, str) else list(server) if server else None


def _check_whole(summary: "Summary") -> None:
    if summary.interrupted:
        raise KeyboardInterrupt
    if summary.exit_code:
        raise ManyshotError(" ".join(_shortfall(summary)))


def _shortfall(summary: "Summary") -> Iterator[str]:
    """What a run that did not make everything says."""
    yield f"{summary.done:,} of {summary.planned:,} images are in {summary.folder}."
    if summary.stopped:
        yield summary.stopped
    for kind, reason, count in summary.failures:
        yield f"{count:,} failed ({kind}), such as: {reason.removesuffix('.')}."
    yield "Run it again to resume; finished images are kept."
