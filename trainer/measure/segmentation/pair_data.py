"""Where pairs of image and mask come from: Oxford-IIIT Pet, pair folders, dataset folders."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ....core.class_folders import refuse_splits
from ....core.classes import normalise_class
from ....core.errors import InputError
from ....core.masks.conventions import PALETTE
from ....core.masks.label_mask import BACKGROUND, IGNORE, LabelMask, MaskCode
from ....core.masks.labelled_png import read_class_names, read_labels
from ....core.masks.partners import ALL, IMAGES, MASKS, mask_pairs
from ....core.masks.raw import read_raw
from ....core.masks.read import PETS, trimap_code
from ....core.masks.set_code import code_beside, set_code
from ....core.palettes import COLOURS, PET
from ....core.paths import inside
from ....core.pets import FOLDER, read_split
from ....core.records import METADATA, LearnedPhotos, Record, read_training_photos
from ..food101 import download
from ..groups import FindCopies, find_kept_copies
from ..measure_recipe import Data
from ..sources import (
    Dataset,
    Example,
    check_dataset,
    of_classes,
    pets,
    read_kept_records,
    record_example,
    resolve_parts,
    split_examples,
)


@dataclass(frozen=True)
class Pair(Example):
    """An image with the file of its mask. Its class is what draws go by, not what masks show.

    `root`: the folder that it was found in, whose masks are of one kind. `code`: what its mask's
    values mean, where that is not what those of the real ones do.
    """

    mask: Path = Path()
    root: Path = Path()
    code: MaskCode | None = None


def pet_pairs(root: Path) -> Dataset:
    """Oxford-IIIT Pet with its trimaps; draws go by breed.

    A trimap that is outline or background all over is not drawn from: it teaches no outline, and
    no image could be made from it.
    """
    dataset = pets(root)
    trimaps = root / FOLDER / "annotations" / "trimaps"
    real, test = (
        tuple(_pair(example, trimaps / f"{example.name}.png", root) for example in examples)
        for examples in (dataset.real, dataset.test)
    )
    shown = tuple(pair for pair in real if (read_raw(pair.mask) == PET).any())
    without = f" {len(real) - len(shown)} trimaps of trainval show no pet and are left out."
    description = dataset.description + (without if len(shown) < len(real) else "")
    return replace(dataset, real=shown, test=test, description=description)


def folder_pairs(
    folder: Path,
    test: Path | None = None,
    share: float = 0.25,
    seed: int = 0,
    search: FindCopies = find_kept_copies,
) -> Dataset:
    """Pair folders: with a `test` folder beside, or parts inside (train/images or images/train and
    the same of masks), or split by seed."""
    parts = resolve_parts(folder, test)
    if parts.test is None:
        return split_examples(read_pairs(parts.real), share, seed, least=1, search=search)
    return check_dataset(read_pairs(parts.real), read_pairs(parts.test), parts.description, least=1)


def read_pairs(folder: Path) -> list[Pair]:
    """The pairs of a manyshot dataset folder (those kept), or of <folder>/images and /masks.

    The mask of images/<name>.jpg is masks/<name>.png; folders below images/ are classes that draws
    go by. Raises InputError when there is nothing, and for an image without a mask.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.")
    if (folder / METADATA).exists():
        photos = read_training_photos(folder)
        return [_record_pair(folder, record, photos) for record in read_kept_records(folder)]
    images, masks = _places(folder)
    if not images.is_dir() or not masks.is_dir():
        raise InputError(
            f"{folder} has no pairs: it needs {IMAGES}/<name>.jpg and {MASKS}/<name>.png, or "
            f"a dataset folder's {METADATA}."
        )
    refuse_splits(images)
    pairs = mask_pairs(images, masks)
    if not pairs:
        raise InputError(f"The folder {images} has no images.")
    return [_of_folder(folder, path, path.relative_to(images), mask) for path, mask in pairs]


def _places(folder: Path) -> tuple[Path, Path]:
    """Where images and masks are: below a folder, or, of a part such as images/train, beside it."""
    if folder.parent.name == IMAGES and not (folder / IMAGES).is_dir():
        return folder, folder.parent.parent / MASKS / folder.name
    return folder / IMAGES, folder / MASKS


def _of_folder(folder: Path, path: Path, name: Path, mask: Path) -> Pair:
    class_name = normalise_class(name.parts[0]) if len(name.parts) > 1 else ALL
    return _pair(Example(path, name.as_posix(), class_name), mask, folder)


def _record_pair(folder: Path, record: Record, learned: LearnedPhotos) -> Pair:
    if record.mask_file_name is None:
        raise InputError(
            f"{folder / METADATA} has no mask for {record.file_name}: 'mask_file_name' is missing. "
            "Save the images with their masks."
        )
    example = record_example(folder, record, learned)
    return _pair(example, inside(folder, record.mask_file_name), folder)


def _pair(example: Example, mask: Path, folder: Path) -> Pair:
    if not mask.is_file():
        raise InputError(f"The image {example.path} has no mask: there is no file {mask}.")
    return Pair(**vars(example), mask=mask, root=folder)


def pair_data(data: Data, search: FindCopies = find_kept_copies) -> Dataset:
    """The pairs that a recipe names."""
    assert data.path is not None  # the recipe has checked it
    if data.kind == "pets":
        if data.download:
            download("pets", data.path)
        dataset = pet_pairs(data.path)
    else:
        dataset = folder_pairs(data.path, data.test, data.test_share, data.split_seed, search)
    if data.by_class:
        return dataset
    return replace(dataset, classes=(ALL,), real=_alike(dataset.real), test=_alike(dataset.test))


def synthetic_pairs(data: Data, folder: Path, dataset: Dataset) -> list[Example]:
    """The synthetic pairs that a recipe names, of the classes of the real ones."""
    pairs = read_pairs(folder)
    return of_classes(pairs if data.by_class else _alike(pairs), dataset.classes)


def _alike(examples: Sequence[Example]) -> tuple[Example, ...]:
    """The same with one class, so that draws take their shots from all of them alike."""
    return tuple(replace(example, class_name=ALL, folder=example.own_class) for example in examples)


def resolve_code(data: Data, real: Sequence[Pair]) -> MaskCode:
    """What the real masks mean: by a palette file, as trimaps, by the names in them, or by the
    values of all of them. Raises InputError where none of it says so."""
    assert data.path is not None
    if data.kind == "pets" and data.palette is None and not (data.path / PALETTE).is_file():
        return PETS
    masks = [pair.mask for pair in real]
    return set_code(masks, data.path, data.palette) or read_named_code(masks)


def with_codes(data: Data, synthetic: Sequence[Pair], code: MaskCode) -> list[Pair]:
    """The synthetic pairs, each with what its mask means by the classes of `code`, the real masks'.

    Each folder is decided on by itself. Raises InputError as `code_beside` does.
    """
    codes = {
        root: code_beside(
            [pair.mask for pair in synthetic if pair.root == root],
            root,
            code,
            "the real masks",
            stated=_is_stated(data),
        )
        for root in dict.fromkeys(pair.root for pair in synthetic)
    }
    return [replace(pair, code=codes[pair.root]) for pair in synthetic]


def _is_stated(data: Data) -> bool:
    """Whether what values mean was said, and not found by looking at the real masks."""
    assert data.path is not None
    return data.kind == "pets" or data.palette is not None or (data.path / PALETTE).is_file()


def read_named_code(masks: Iterable[Path]) -> MaskCode:
    """The code of masks that name their classes: all of these, background first."""
    names = dict.fromkeys(name for mask in masks for name in read_class_names(mask) or ())
    return code_of_names(tuple(sorted(names, key=lambda name: name != BACKGROUND)))


def code_of_names(classes: tuple[str, ...]) -> MaskCode:
    """The code of masks that say `classes` by their names, or by colours that mean one class
    everywhere: those of core.palettes. Other colours go by turns, and differ from mask to mask."""
    colours = {COLOURS[name]: place for place, name in enumerate(classes) if name in COLOURS}
    return MaskCode(classes, {}, {**colours, COLOURS["border"]: IGNORE})


def label_masks(data: Data, dataset: Dataset) -> Callable[[Pair], LabelMask]:
    """What reads the masks of a dataset's real pairs with the names of their classes.

    Of pets the one class is the species. Raises InputError, naming the file, for a mask that
    cannot be read.
    """
    assert data.path is not None
    if data.kind == "pets":
        species = {entry.name: entry.species for entry in read_split(data.path)}
        return lambda pair: _by_code(pair, trimap_code(species[pair.name]))
    every = [pair for pair in (*dataset.real, *dataset.test) if isinstance(pair, Pair)]
    code = resolve_code(data, every)
    return lambda pair: _by_code(pair, code)


def _by_code(pair: Pair, code: MaskCode) -> LabelMask:
    return LabelMask(read_labels(pair.mask, code), code.classes)
