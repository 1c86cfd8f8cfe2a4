"""A recipe for all draws of a measurement: a dataset folder for each, drawn by the same servers."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ..core.draw_folders import draw_folders
from ..core.errors import InputError
from ..core.files import hash_file
from .recipe import Recipe
from .run import Screen, Summary, run
from .subjects import server_files
from .take_over import NO_WISHES, Wishes
from .targets.target import Installation, Local, load_target

ADVICE = "`manyshot subject train` makes them of a recipe with 'each_draw: true'."


def draw_recipes(recipe: Recipe) -> list[Recipe]:
    """A recipe for each draw's folder of subjects, or the recipe alone without `each_draw`.

    Raises InputError for a folder without draws.
    """
    if not recipe.each_draw:
        return [recipe]
    assert isinstance(recipe.subjects, Path)
    return [
        recipe.model_copy(
            update={"each_draw": False, "subjects": folder, "output": recipe.output / folder.name}
        )
        for folder in draw_folders(recipe.subjects, ADVICE)
    ]


def run_draws(
    recipe: Recipe, screen: Screen, program: Installation | None = None, wishes: Wishes = NO_WISHES
) -> Iterator[Summary]:
    """Run a recipe; with `each_draw` draw by draw, up to the first that is interrupted or stopped.

    `program`: the user's own installation, for a server on this machine. What runs here for the
    recipe's servers is started once and has the subjects of all draws. Raises as `run` does, and
    InputError when files of two draws would have one name on a server.
    """
    draws = draw_recipes(recipe)
    with ExitStack() as stack:
        running = _keep_running(stack, draws, program, screen) if recipe.each_draw else {}
        for draw in draws:
            summary = run(draw, screen, program, wishes, running)
            yield summary
            if summary.interrupted or summary.stopped:
                return


def _keep_running(
    stack: ExitStack, draws: Sequence[Recipe], program: Installation | None, screen: Screen
) -> dict[str, Any]:
    """Kind of server -> what this machine runs for it."""
    files = subject_files(draws)
    local = Local(program, screen.step)
    kinds = {address.kind for address in draws[0].servers}
    servers = {
        kind.name: stack.enter_context(load_target(kind).keep(draws[0], files, local))
        for kind in kinds
    }
    return {name: server for name, server in servers.items() if server is not None}


def subject_files(draws: Sequence[Recipe]) -> dict[str, Path]:
    """Name below a server's models folder -> the file, of all draws.

    Raises InputError when two different files have one name.
    """
    files: dict[str, Path] = {}
    for name, path in (item for draw in draws for item in server_files(draw).items()):
        first = files.setdefault(name, path)
        if first != path and hash_file(first) != hash_file(path):
            raise InputError(
                f"{first} and {path} are different files, but a server would know both as "
                f"{name}. Train them with a recipe with 'each_draw: true', which names them "
                "by their draws."
            )
    return files
