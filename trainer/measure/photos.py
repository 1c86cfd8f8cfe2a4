"""The photos that a measurement's draws hold, laid out as class folders, with masks where they
have some."""

import logging
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from ...core.cache import cache_folder
from ...core.classes import check_apart
from ...core.draw_folders import draw_folder
from ...core.errors import InputError
from ...core.files import write_atomic
from ...core.images import image_size
from ...core.masks.label_mask import LabelMask, check_fits
from ...core.masks.labelled_png import encode_png
from ...core.masks.partners import IMAGES, MASKS
from ...core.paths import inside, safe_name
from .draws import all_draws
from .material import make_table, read_data
from .measure_recipe import MeasureRecipe
from .segmentation.pair_data import Pair, label_masks
from .sources import Dataset, Example
from .split_copies import check_doubles

log = logging.getLogger(__name__)


def lay_out_shots(recipe: MeasureRecipe, folder: Path, each_draw: bool = False) -> int:
    """Copy the real images of all draws to `folder`/<class name>/, and return how many files.

    Pairs of segmentation go to `folder`/images/<class name>/ and `folder`/masks/<class name>/,
    their masks as files that name their classes; of pets "cat" or "dog" beside background. Classes
    keep their folders also where draws take all of them alike. A pair whose mask shows no object is
    left out: nothing can be made from it.

    Synthetic images made from these are fair: each is added to the draws that hold its photo. With
    `each_draw` every draw has a folder of its own, `folder`/<shots>-<draw>/, for subjects to be
    learned from: their images are added to draws that hold all photos of it. Raises InputError when
    a class has too few images, when test images are copies of what draws hold, and for masks that
    cannot be read.
    """
    data = read_data(recipe.data, recipe.task)
    check_doubles(recipe.data, data, recipe.allow_overlap, recipe.cache or cache_folder())
    table = make_table(data, [])
    draws = all_draws(table, recipe.shots, recipe.draws)
    shots = {draw_folder(draw.count, draw.seed): draw.shots for draw in draws}
    places = shots if each_draw else {"": np.unique(np.concatenate(list(shots.values())))}
    write = _photo if recipe.task == "classification" else _pair_writer(recipe, data)
    check_apart({example.own_class for example in data.real})
    count = sum(
        write(data.real[row], name, folder / place)
        for place, rows in places.items()
        for row, name in file_names(data.real, rows)
    )
    if not count:
        raise InputError(
            "No drawn photo has a mask that shows an object, so there is nothing to copy. Check "
            "what the palette ignores."
        )
    return count


def file_names(examples: Sequence[Example], rows: Iterable[int]) -> list[tuple[int, str]]:
    """Each row with a name for its file, without suffix, that no other of its class has.

    1/a.jpg becomes 1_a, and 1_a-2 where there is 1_a.jpg as well, in the order of the rows.
    """
    used: set[tuple[str, str]] = set()
    named = []
    for row in rows:
        example = examples[row]
        stem = name = example.name.replace("/", "_").removesuffix(example.path.suffix)
        number = 1
        while (example.own_class, _on_any_disk(name)) in used:
            number += 1
            name = f"{stem}-{number}"
        used.add((example.own_class, _on_any_disk(name)))
        named.append((row, name))
    return named


def _on_any_disk(name: str) -> str:
    """Equal for names that some disk takes for one."""
    return unicodedata.normalize("NFC", name).casefold()


def _photo(example: Example, name: str, folder: Path) -> int:
    """Copy an image as it is; 1."""
    file = safe_name(name + example.path.suffix, "image")
    place = inside(folder, safe_name(example.own_class, "class name"), file)
    write_atomic(place, example.path.read_bytes())
    return 1


def _pair_writer(recipe: MeasureRecipe, data: Dataset) -> Callable[[Example, str, Path], int]:
    mask_of: Callable[[Pair], LabelMask] = label_masks(recipe.data, data)

    def write(example: Example, name: str, folder: Path) -> int:
        assert isinstance(example, Pair)
        mask = mask_of(example)
        width, height = image_size(example.path)
        check_fits(mask, (height, width), example.name)
        if not mask.objects():
            log.warning("%s is left out: its mask shows no object", example.name)
            return 0
        own_class, file = safe_name(example.own_class, "class name"), safe_name(name, "image")
        write_atomic(inside(folder / MASKS, own_class, f"{file}.png"), encode_png(mask))
        return _photo(example, name, folder / IMAGES)

    return write
