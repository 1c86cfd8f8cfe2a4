"""The synthetic images of a measurement: of one dataset folder, or of several."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ...core.errors import InputError
from ...core.image_files import visible_folders
from ...core.records import METADATA
from .measure_recipe import MeasureRecipe
from .segmentation.pair_data import synthetic_pairs
from .sources import Dataset, Example, of_classes, read_examples


def read_synthetic(recipe: MeasureRecipe, data: Dataset) -> list[Example]:
    """The synthetic images that a recipe names; of several folders, each named with its folder."""
    return [
        replace(example, name="/".join(filter(None, [name, example.name])), of=name)
        for name, folders in recipe.synthetic_sets.items()
        for example in _of_set(recipe, folders, data)
    ]


def _of_set(recipe: MeasureRecipe, named: Sequence[Path], data: Dataset) -> list[Example]:
    folders = [inner for folder in named for inner in dataset_folders(folder)]
    if len(folders) == 1:
        return _read(recipe, folders[0], data)
    return [
        replace(example, name=f"{folder.name}/{example.name}")
        for folder in folders
        for example in _read(recipe, folder, data)
    ]


def dataset_folders(folder: Path) -> Sequence[Path]:
    """The dataset folders in `folder`, or `folder` itself where there are none.

    Raises InputError when some of what is in it are dataset folders and some are not.
    """
    if not folder.is_dir() or (folder / METADATA).exists():
        return [folder]
    entries = visible_folders(folder)
    whole = [entry for entry in entries if (entry / METADATA).exists()]
    if whole and len(whole) < len(entries):
        other = next(entry for entry in entries if entry not in whole)
        raise InputError(
            f"{folder} holds dataset folders, but {other.name} is not one: it has no "
            f"{METADATA}. Finish its run, or move it away."
        )
    return whole or [folder]


def _read(recipe: MeasureRecipe, folder: Path, data: Dataset) -> list[Example]:
    if recipe.task == "segmentation":
        return synthetic_pairs(recipe.data, folder, data)
    return of_classes(read_examples(folder), data.classes)
