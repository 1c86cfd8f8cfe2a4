"""Where images come from: Oxford-IIIT Pet, elpv-dataset, class folders, dataset folders."""

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from ...core.class_folders import find_class_folders, find_splits
from ...core.classes import check_apart
from ...core.counted import did_you_mean, in_percent
from ...core.data.reader import group_by_split, is_annotated, read_folder, read_splits
from ...core.data.record import LabelledImage
from ...core.errors import InputError, read_each
from ...core.paths import inside
from ...core.pets import FOLDER, Entry, read_split
from ...core.records import (
    METADATA,
    LearnedPhotos,
    Record,
    describe_deleted,
    drop_deleted,
    read_records,
    read_training_photos,
)
from ...core.subsets import pool_split
from .groups import FindCopies, find_kept_copies, group_images, pick_tested


@dataclass(frozen=True)
class Example:
    """One image: its file, a short name for results, its class, and what is known of its past.

    `seen`: the generator has learned from it. `sources`: the files that it was made from.
    `subject`: the learned subject that it was made with, which may hold real images that a draw
    does not. `photos`: sha256 of each that this subject was learned from, where that is known.
    `folder`: its own class, where draws take all classes alike. `of`: the name of the synthetic
    images that it is among, where a recipe names several. `group`: images of one group (a patient,
    a video) stay on one side of a split by seed.
    """

    path: Path
    name: str
    class_name: str
    seen: bool = False
    sources: tuple[str, ...] = ()
    subject: str | None = None
    photos: tuple[str, ...] = ()
    folder: str = ""
    of: str = ""
    group: str = ""

    @property
    def own_class(self) -> str:
        """The class that it has, whatever draws go by."""
        return self.folder or self.class_name


@dataclass(frozen=True)
class Dataset:
    """`real` is what draws come from. `description` says how the two parts were made. `doubles`:
    names of images that are copies of each other, which a split by seed kept together. `by_seed`:
    whether there was such a split."""

    classes: tuple[str, ...]
    real: tuple[Example, ...]
    test: tuple[Example, ...]
    description: str
    doubles: tuple[tuple[str, str], ...] = ()
    by_seed: bool = False


def check_dataset(
    real: Sequence[Example], test: Sequence[Example], description: str, least: int = 2
) -> Dataset:
    """The dataset of both parts.

    Raises InputError when a class is missing from one of them, or when there are fewer than
    `least`.
    """
    learned, tested = _counts(real), _counts(test)
    check_apart(learned)
    if len(learned) < least:
        raise InputError(f"A measurement needs at least two classes; there are {len(learned)}.")
    for name in learned:
        if name not in tested:
            raise InputError(
                f"The test split has no images of {name!r}, a class of the real images. Add "
                "some, or leave the class out."
            )
    for name in tested:
        if name not in learned:
            raise InputError(
                f"The test split has a class {name!r} that the real images do not have."
                + did_you_mean(name, learned)
            )
    return Dataset(tuple(sorted(learned)), tuple(real), tuple(test), description)


def _counts(examples: Iterable[Example]) -> Counter[str]:
    return Counter(example.class_name for example in examples)


def pets(root: Path) -> Dataset:
    """Oxford-IIIT Pet in torchvision's layout: its official parts.

    Of the official training part manyshot-tiny never saw ten reserved images a class, which draws
    take first; the rest, its pool, counts as seen.
    """
    split = pool_split(read_split(root))
    real = [
        *(_pet(root, entry, seen=False) for entry in split.reserved),
        *(_pet(root, entry, seen=True) for entry in split.pool),
    ]
    test = [_pet(root, entry, seen=False) for entry in read_split(root, "test")]
    return check_dataset(real, test, "Oxford-IIIT Pet: draws from trainval, tested on all of test.")


def _pet(root: Path, entry: Entry, seen: bool) -> Example:
    path = root / FOLDER / "images" / f"{entry.name}.jpg"
    return Example(path, entry.name, entry.class_name, seen)


def elpv(share: float = 0.25, seed: int = 0) -> Dataset:
    """Photos of solar cells from the package `elpv-dataset`, split by seed.

    Mono- and polycrystalline cells, functional or defective: four classes. A cell is defective
    when its annotated probability is at least one half.
    """
    spec = find_spec("elpv_dataset")
    if spec is None or spec.origin is None:
        raise InputError("The solar cells are missing: pip install elpv-dataset.")
    folder = Path(spec.origin).parent / "data"
    rows = csv.reader(_squeeze(folder / "labels.csv"), delimiter=" ")
    examples = [
        Example(folder / name, name, f"{kind} {'defective' if float(p) >= 0.5 else 'functional'}")
        for name, p, kind in rows
    ]
    return split_examples(examples, share, seed, search=lambda paths: [])


def _squeeze(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [" ".join(line.split()) for line in lines if line.strip()]


def folder_dataset(
    folder: Path,
    test: Path | None = None,
    share: float = 0.25,
    seed: int = 0,
    search: FindCopies = find_kept_copies,
) -> Dataset:
    """Labelled images: with a `test` folder beside, or splits inside, or split by seed."""
    if is_annotated(folder):
        return _annotated_dataset(folder, test, share, seed, search)
    parts = resolve_parts(folder, test)
    if parts.test is None:
        return split_examples(read_examples(parts.real), share, seed, search=search)
    return check_dataset(read_examples(parts.real), read_examples(parts.test), parts.description)


def _annotated_dataset(
    folder: Path, test: Path | None, share: float, seed: int, search: FindCopies
) -> Dataset:
    """Images that a file labels, by the splits that it names."""
    if test is not None:
        described = _describe_parts(folder.name, test.name)
        return check_dataset(read_examples(folder), read_examples(test), described)
    images = read_splits(folder)
    splits = group_by_split(images)
    if not splits:
        return split_examples(_examples(images), share, seed, search=search)
    tested = "test" if "test" in splits else "val"
    if "train" not in splits or tested not in splits:
        raise InputError(
            f"{folder} has images of the split {', '.join(splits)} alone, and a measurement needs "
            "train and test (or val). Add the other, or name no split to have one made by seed."
        )
    unused = [name for name in splits if name not in ("train", tested)]
    described = _describe_parts("train", tested, unused)
    return check_dataset(_examples(splits["train"]), _examples(splits[tested]), described)


def _examples(images: Iterable[LabelledImage]) -> list[Example]:
    """Raises InputError for images of no class or of several, naming all of them."""
    return read_each(
        lambda image: Example(image.image, image.name, image.single_class(), group=image.group),
        images,
    )


@dataclass(frozen=True)
class DatasetParts:
    """The folders that draws come from and that is tested on; without `test`, a split by seed."""

    real: Path
    test: Path | None
    description: str


def resolve_parts(folder: Path, test: Path | None) -> DatasetParts:
    """What is taken for what: the folders of a recipe, or the parts of a folder.

    Nothing is chosen by val, as a measurement chooses inside the shots alone: it is tested on where
    there is no test, and else left out, and the description says so. Raises InputError for parts of
    which none is train.
    """
    parts = {} if (folder / METADATA).exists() or not folder.is_dir() else find_splits(folder)
    if not parts:
        return DatasetParts(folder, test, _describe_parts(folder.name, test.name) if test else "")
    relative = {name: path.relative_to(folder).as_posix() for name, path in parts.items()}
    if "train" not in parts:
        raise InputError(
            f"{folder} has the splits {', '.join(relative.values())} but no train: name the "
            f"folder to draw from, such as {next(iter(parts.values()))}."
        )
    if test is not None:
        unused = [path for name, path in relative.items() if name != "train"]
        return DatasetParts(
            parts["train"], test, _describe_parts(relative["train"], test.name, unused)
        )
    tested = "test" if "test" in parts else "val"
    if tested not in parts:
        return DatasetParts(parts["train"], None, "")
    unused = [path for name, path in relative.items() if name not in ("train", tested)]
    described = _describe_parts(relative["train"], relative[tested], unused)
    return DatasetParts(parts["train"], parts[tested], described)


def _describe_parts(real: str, test: str, unused: Sequence[str] = ()) -> str:
    names = " and ".join(unused)
    are = "are" if len(unused) > 1 else "is"
    why = "rates and ratios are chosen within the shots alone."
    unused_text = f" {names} {are} left out: {why}" if unused else ""
    return f"Folders: draws from {real}, tested on {test}.{unused_text}"


def split_examples(
    examples: Sequence[Example],
    share: float,
    seed: int,
    least: int = 2,
    search: FindCopies = find_kept_copies,
) -> Dataset:
    """`share` (0 to 1) of each class is the test split, one image at least, chosen by `seed`.

    Copies of one photo, as `search` finds them, and images of one group are in one part, so that a
    class with many may have more in its test split. Raises InputError as `check_dataset` does, and
    for a class that is copies of one photo, or of one group.
    """
    few = sorted(name for name, count in _counts(examples).items() if count < 2)
    if few:
        raise InputError(
            f"There is only one image of {', '.join(map(repr, few))}, and a split by seed "
            "needs two per class: one to train on and one to test on. Add images, leave the "
            "class out, or name a folder of test images ('test')."
        )
    copies = search([example.path for example in examples])
    groups = group_images(len(examples), copies, [example.group for example in examples])
    sides: dict[int, bool] = {}
    tested: list[int] = []
    for number, name in enumerate(sorted({example.class_name for example in examples})):
        places = [i for i, example in enumerate(examples) if example.class_name == name]
        places.sort(key=lambda place: examples[place].name)
        order = np.random.default_rng([seed, number]).permutation(len(places))
        count = max(1, round(share * len(places)))
        chosen = pick_tested([places[place] for place in order], groups, count, sides)
        if len(chosen) in (0, len(places)) and any(examples[place].group for place in places):
            raise InputError(
                f"The {len(places):,} images of {name!r} cannot be split without dividing a group, "
                f"such as {next(filter(None, (examples[p].group for p in places)))!r}. Add images "
                "of other groups, or give each image a split."
            )
        if len(chosen) in (0, len(places)):
            raise InputError(
                f"The {len(places):,} images of {name!r} are copies of each other, or of "
                f"images of other classes, such as {examples[places[0]].name}: a split by "
                "seed would test on training images. Add other photos, or provide train/ "
                "and test/ folders."
            )
        tested.extend(sorted(chosen, key=lambda place: examples[place].name))
    held_out = set(tested)
    real = sorted(set(range(len(examples))) - held_out, key=lambda i: _class_and_name(examples[i]))
    description = f"{in_percent(share)} of each class, picked by seed {seed}, are the test split."
    data = check_dataset(
        [examples[i] for i in real], [examples[i] for i in tested], description, least
    )
    doubles = {tuple(sorted((copy.image, copy.reference))) for copy in copies}
    named = sorted((examples[first].name, examples[second].name) for first, second in doubles)
    return replace(data, doubles=tuple(named), by_seed=True)


def _class_and_name(example: Example) -> tuple[str, str]:
    return example.class_name, example.name


def read_examples(folder: Path) -> list[Example]:
    """The images of a manyshot dataset folder, kept and not deleted, of <folder>/<class
    name>/<images>, or of a COCO file, a CSV table, or a folder of YOLO or Pascal VOC.

    Raises InputError when there is nothing, when a class folder is empty, when a record cannot be
    read or names a file that is not there, and for an image of no class or of several.
    """
    if is_annotated(folder):
        return _examples(read_folder(folder))
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.{_beside(folder)}")
    if (folder / METADATA).exists():
        photos = read_training_photos(folder)
        return [record_example(folder, record, photos) for record in read_kept_records(folder)]
    return [
        Example(path, path.relative_to(folder).as_posix(), class_folder.name)
        for class_folder in find_class_folders(folder)
        for path in class_folder.images
    ]


def read_kept_records(folder: Path) -> list[Record]:
    """The records of a dataset folder less those not kept or deleted.

    Raises InputError without any.
    """
    records = [record for record in read_records(folder) if record.kept]
    remaining, deleted = drop_deleted(folder, records)
    if not records:
        raise InputError(f"{folder / METADATA} has no kept images.")
    if not remaining:
        raise InputError(f"{describe_deleted(deleted, folder)} Nothing is left.")
    return remaining


def record_example(folder: Path, record: Record, learned: LearnedPhotos) -> Example:
    """The image of a record of a dataset folder."""
    return Example(
        inside(folder, record.file_name),
        record.file_name,
        record.class_name,
        sources=record.sources,
        subject=record.subject,
        photos=learned.get((record.class_name, record.subject or ""), ()),
    )


def _beside(folder: Path) -> str:
    parent = folder.parent
    return did_you_mean(folder.name, [p.name for p in parent.iterdir()]) if parent.is_dir() else ""


def of_classes(examples: Iterable[Example], classes: Sequence[str]) -> list[Example]:
    """The synthetic examples. Raises InputError for a class that the real images do not have."""
    members = list(examples)
    for example in members:
        if example.class_name not in classes:
            raise InputError(
                f"The synthetic images have a class {example.class_name!r} that the real ones do "
                f"not have.{did_you_mean(example.class_name, classes)}"
            )
    return members
