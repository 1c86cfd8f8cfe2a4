"""The photos that a measurement's draws hold, laid out as class folders."""

from itertools import product
from pathlib import Path

import numpy as np

from ...core.files import write_whole
from ...core.paths import inside, safe_name
from .draws import draw_shots
from .material import make_table, read_data
from .recipe import MeasureRecipe
from .sources import Example


def lay_out_shots(recipe: MeasureRecipe, folder: Path, each_draw: bool = False) -> int:
    """Copy the real images of all draws to `folder`/<class name>/, and return how many they are.

    Synthetic images made from these are fair: each is added to the draws that hold its photo. With
    `each_draw` every draw has a folder of its own, `folder`/<shots>-<draw>/<class name>/, for
    subjects to be learned from: their images are added to draws that hold all photos of it.
    Raises InputError when a class has too few images.
    """
    data = read_data(recipe.data)
    table = make_table(data, [])
    numbers = list(product(recipe.shots, range(recipe.draws)))
    shots = {draw_folder(*number): draw_shots(table, *number).shots for number in numbers}
    places = shots if each_draw else {"": np.unique(np.concatenate(list(shots.values())))}
    for name, rows in places.items():
        for row in rows:
            _copy(data.real[row], folder / name)
    return sum(map(len, places.values()))


def draw_folder(shots: int, draw: int) -> str:
    """The name of a draw's folder."""
    return f"{shots}-{draw}"


def _copy(example: Example, folder: Path) -> None:
    name = example.name.replace("/", "_").removesuffix(example.path.suffix) + example.path.suffix
    place = inside(folder, safe_name(example.class_name, "class name"), safe_name(name, "image"))
    write_whole(place, example.path.read_bytes())
