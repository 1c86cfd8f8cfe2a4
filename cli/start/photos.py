"""What a folder of photos holds: classes, how many photos to learn from and to test on, masks."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...core.begun import digest
from ...core.class_folders import find_splits
from ...core.counted import pluralize
from ...core.errors import InputError, read_each
from ...core.image_files import image_files, list_names, visible_folders
from ...core.images import open_rgb
from ...core.masks.partners import IMAGES, MASKS
from ...core.records import METADATA
from ...trainer.measure.measure_recipe import Data
from ...trainer.measure.sources import Example, check_dataset, elpv, read_examples, resolve_parts

SHARE = Data.model_fields["test_share"].default
Step = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Photos:
    """`data`: how recipes name them. `pairs`: the folder of images/ and masks/, where masks are
    there. `counts`: photos to learn from, by class. `tested`: those to test on, of all classes;
    `split`: they come from the same folder. `notes`: what was read otherwise than one may think."""

    data: dict[str, Any]
    pairs: Path | None
    counts: dict[str, int]
    tested: int
    split: bool
    digest: str
    notes: tuple[str, ...] = ()

    @property
    def classes(self) -> list[str]:
        """By name."""
        return sorted(self.counts)

    @property
    def least(self) -> int:
        """Photos of the smallest class."""
        return min(self.counts.values())


def solar_cells() -> Photos:
    """The photos of the demo, from the package elpv-dataset."""
    cells = elpv()
    counts = Counter(example.class_name for example in cells.real)
    return Photos({"kind": "elpv"}, None, dict(counts), len(cells.test), True, "elpv")


def look_at(folder: Path, test: Path | None, step: Step) -> Photos:
    """The photos of class folders, each opened once.

    Raises InputError for folders that no measurement could read, naming what to do.
    """
    _check_folder(folder)
    pairs = folder if has_masks(folder) else None
    place = folder / IMAGES if pairs else folder
    test = _test_images(test)
    parts = resolve_parts(place, test)
    real = read_examples(parts.real)
    tested = [] if parts.test is None else read_examples(parts.test)
    _check_classes(real, place)
    if tested:
        check_dataset(real, tested, "")
    _open_all([example.path for example in (*real, *tested)], step)
    counts = Counter(example.class_name for example in real)
    held_out = {name: 0 if tested else max(1, round(SHARE * n)) for name, n in counts.items()}
    return Photos(
        {"path": str(place)} | ({} if test is None else {"test": str(test)}),
        pairs,
        {name: count - held_out[name] for name, count in counts.items()},
        len(tested) or sum(held_out.values()),
        not tested,
        digest(_identity(example) for example in (*real, *tested)),
        tuple(_notes(parts.real, real)),
    )


def _check_folder(folder: Path) -> None:
    layout = f"`manyshot start` takes a folder of class folders: {folder}/<class name>/<images>."
    if folder.is_file():
        raise InputError(f"{folder} is a file. {layout.replace(str(folder) + '/', 'photos/')}")
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}. {layout}")
    if (folder / METADATA).exists():
        return
    inner = visible_folders(folder)
    loose = image_files(folder, deep=False)
    if not inner and loose:
        raise InputError(
            f"{pluralize(len(loose), 'image lies', 'images lie')} in {folder} itself, such "
            f"as {loose[0].name}, outside any class folder. {layout}"
        )
    if not inner:
        raise InputError(f"{folder} has no class folders. {layout}")
    if len(inner) == 1 and len(visible_folders(inner[0])) > 1:
        raise InputError(
            f"{folder} contains one folder, {inner[0].name}, with folders in it. If these "
            f"are the classes, pass {inner[0]}."
        )


def has_masks(folder: Path) -> bool:
    """Whether it is images/<class>/ with masks/<class>/ beside."""
    images, masks = folder / IMAGES, folder / MASKS
    beside = images.is_dir() and masks.is_dir() and not (folder / METADATA).exists()
    return beside and bool(visible_folders(images)) and not find_splits(images)


def _test_images(test: Path | None) -> Path | None:
    return test / IMAGES if test is not None and test.is_dir() and has_masks(test) else test


def _check_classes(real: Sequence[Example], folder: Path) -> None:
    counts = Counter(example.class_name for example in real)
    if len(counts) < 2:
        raise InputError(
            f"{folder} has one class, {next(iter(counts))!r}, but a measurement needs at "
            "least two. Put the photos of another class into a folder beside it."
        )


def _open_all(paths: Sequence[Path], step: Step) -> None:
    """Read every image once, before hours are spent on them."""

    def opened(numbered: tuple[int, Path]) -> None:
        number, path = numbered
        open_rgb(path)
        step("reading photos", number, len(paths))

    read_each(opened, enumerate(paths, 1))


def _identity(example: Example) -> str:
    return f"{example.class_name}/{example.name} {example.path.stat().st_size}"


def _notes(folder: Path, real: Sequence[Example]) -> list[str]:
    if (folder / METADATA).exists():
        return []
    notes = []
    deep = sorted({e.class_name for e in real if e.name.count("/") > 1})
    if deep:
        notes.append(
            f"Photos of {', '.join(deep)} are in subfolders of the class folder and count as "
            "one class."
        )
    loose = image_files(folder, deep=False)
    if loose:
        names = list_names(loose, folder)
        notes.append(
            f"Images beside the class folders belong to no class and are left out: {names}."
        )
    return notes
