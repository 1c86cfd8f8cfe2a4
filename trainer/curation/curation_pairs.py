"""Real pairs to learn from, and generated ones to be read, as the segmenter takes them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ...core.data.labelled_image import read_pair
from ...core.data.reader import read_folder
from ...core.data.record import LabelledImage
from ...core.errors import InputError
from ...core.masks.compose import join_classes, recode
from ...core.masks.label_mask import BACKGROUND, IGNORE, MaskCode
from ...core.masks.labelled_png import read_labels
from ...core.masks.raw import read_raw
from ...core.masks.set_code import code_beside
from ...core.palettes import PET
from ...core.paths import inside
from ...core.records import METADATA, Record, describe_deleted, drop_deleted, read_records
from ..measure.segmentation.pair_cache import stretch
from ..measure.segmentation.pair_data import Pair, code_of_names

OBJECT = "object"  # of all classes but the background, where they count as one


@dataclass(frozen=True)
class RealPairs:
    """`images` (n, side, side, 3), bytes, and `masks` (n, side, side), places in `classes`.

    `code`: what masks in files mean. `alike`: all its classes but the background count as one.
    """

    class_names: tuple[str, ...]
    images: np.ndarray
    masks: np.ndarray
    code: MaskCode
    alike: bool = False

    @property
    def classes(self) -> tuple[str, ...]:
        """What the segmenter tells apart."""
        return (BACKGROUND, OBJECT) if self.alike else self.code.classes

    @property
    def background(self) -> int | None:
        """The class that is no object, where there is one."""
        return self.classes.index(BACKGROUND) if BACKGROUND in self.classes else None

    def count_pixels(self, masks: np.ndarray) -> np.ndarray:
        """Masks by `code` as the segmenter takes them: places in `classes`."""
        if not self.alike:
            return masks
        table = np.ones(IGNORE + 1, np.uint8)
        table[[self.code.classes.index(BACKGROUND), IGNORE]] = 0, IGNORE
        return table[masks]


def read_real(
    folder: Path, side: int, alike: bool = False, code_of_real: MaskCode | None = None
) -> RealPairs:
    """Real pairs of any layout of core.data. Raises InputError for what cannot be read.

    `code_of_real`: classes that they may show; else those that they do. `alike`: see `RealPairs`.
    """
    files = [file for file in read_folder(folder) if _shows_something(file)]
    without = next((file for file in files if file.mask is None), None)
    if without is not None:
        raise InputError(
            f"The image {without.image} has no mask, but the segmenter needs masks to learn from."
        )
    scenes = [read_pair(file) for file in files]
    classes = join_classes([scene.mask for scene in scenes])
    code = code_of_real or _code(files, classes)
    _check_names(folder, classes, code)
    if alike and BACKGROUND not in code.classes:
        raise InputError(
            f"The pairs of {folder} have no background class to separate objects from."
        )
    masks = [recode(scene.mask, code.classes).labels for scene in scenes]
    pairs = [
        stretch(np.asarray(scene.image), mask, side, file.image)
        for scene, mask, file in zip(scenes, masks, files, strict=True)
    ]
    images, indices = (np.stack(arrays) for arrays in zip(*pairs, strict=True))
    real = RealPairs(tuple(file.class_name for file in files), images, indices, code, alike)
    return replace(real, masks=real.count_pixels(indices))


def _shows_something(file: LabelledImage) -> bool:
    """Not so for some trimaps of Oxford-IIIT Pet, which are outline all over at a small size."""
    if file.species is None or not isinstance(file.mask, Path):
        return True
    return bool((read_raw(file.mask) == PET).any())


def _code(files: Sequence[LabelledImage], classes: tuple[str, ...]) -> MaskCode:
    """A palette file's code, or one of the names that masks have."""
    code = files[0].code
    if code is not None and set(code.classes) == set(classes):
        return code
    return code_of_names(classes)


def _check_names(folder: Path, classes: Sequence[str], code: MaskCode) -> None:
    for name in classes:
        if name not in code.classes:
            raise InputError(
                f"The pairs of {folder} show {name!r}, which the real pairs do not have: "
                f"{', '.join(code.classes)}."
            )


def read_generated(folder: Path) -> tuple[list[Record], int]:
    """All records of a dataset folder but those of deleted images, and how many these are.

    Raises InputError without any, or without a mask.
    """
    if not (folder / METADATA).is_file():
        raise InputError(f"{folder} is not a dataset folder: it has no {METADATA}.")
    records, deleted = drop_deleted(folder, read_records(folder))
    candidates = [record for record in records if record.kept]
    if not candidates:
        gone = f" {describe_deleted(deleted, folder)}" if deleted else ""
        raise InputError(f"{folder / METADATA} has no kept images.{gone}")
    for record in candidates:
        if record.mask_file_name is None:
            raise InputError(
                f"{folder / METADATA} has no mask for {record.file_name}: 'mask_file_name' is "
                "missing. Save the images with their masks."
            )
    return records, deleted


def check_pairs(
    folder: Path, records: Sequence[Record], code: MaskCode, stated: bool = False
) -> list[Pair]:
    """The files of records with what their masks mean, looked at before anything is trained.

    `code`: of the real pairs; `stated`: by a palette file. Raises InputError as `pair_of` does, and
    for masks whose classes are not those of `code`.
    """
    pairs = [build_pair(folder, record) for record in records]
    masks = [pair.mask for pair in pairs]
    generated_code = code_beside(masks, folder, code, "the real pairs", stated)
    for mask in masks:
        read_labels(mask, generated_code)
    return [replace(pair, code=generated_code) for pair in pairs]


def build_pair(folder: Path, record: Record) -> Pair:
    """The files of a record. Raises InputError when one is missing, or lies outside the folder."""
    image, mask = inside(folder, record.file_name), inside(folder, str(record.mask_file_name))
    for path in (image, mask):
        if not path.is_file():
            raise InputError(f"{folder / METADATA} lists {path}, but there is no such file.")
    return Pair(image, record.file_name, record.class_name, mask=mask, root=folder)
