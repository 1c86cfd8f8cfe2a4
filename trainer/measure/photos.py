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


def lay_out_shots(recipe: MeasureRecipe, folder: Path) -> int:
    """Copy the real images of all draws to `folder`/<class name>/, and return how many they are.

    Synthetic images made from these are fair: each is added to the draws that hold its photo.
    Raises InputError when a class has too few images.
    """
    data = read_data(recipe.data)
    table = make_table(data, [])
    numbers = product(recipe.shots, range(recipe.draws))
    rows = np.unique(np.concatenate([draw_shots(table, *number).shots for number in numbers]))
    for row in rows:
        _copy(data.real[row], folder)
    return len(rows)


def _copy(example: Example, folder: Path) -> None:
    name = example.name.replace("/", "_").removesuffix(example.path.suffix) + example.path.suffix
    place = inside(folder, safe_name(example.class_name, "class name"), safe_name(name, "image"))
    write_whole(place, example.path.read_bytes())
