"""What every export starts from: the kept records with their files, checked, named and split."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

from ...core.classes import check_class_names
from ...core.errors import InputError, read_each
from ...core.images import image_size
from ...core.json_text import read_json
from ...core.paths import inside, relative_name, safe_name
from ...core.records import MANIFEST, METADATA, Record, describe_deleted, drop_deleted, read_records
from .export_masks import Masks, read_masks
from .split import TRAIN, VAL, classes_without_validation, validation_names

Step = Callable[[str, int, int], None]
"""Told what is done, how much of it, and of how much."""
MOST_CLASSES = 100_000


@dataclass(frozen=True)
class Sample:
    """One kept record with its files. `key` names it in every format; no other sample has it."""

    record: Record
    key: str
    split: str
    image: Path
    mask: Path | None
    size: tuple[int, int]  # width, height

    @property
    def image_file(self) -> str:
        return self.key + self.image.suffix.lower()


@dataclass(frozen=True)
class Material:
    """The samples of a dataset folder; `names` has the class name of each label, from 0 on."""

    samples: tuple[Sample, ...]
    names: tuple[str, ...]
    manifest: dict[str, Any]
    """manyshot.json; empty where the folder has none."""
    masks: Masks
    unshared: tuple[str, ...] = ()
    """Classes of which validation has no image, where there is a validation."""
    deleted: int = 0
    """Images that were deleted, and are left out."""

    @property
    def splits(self) -> dict[str, list[Sample]]:
        """The samples of train and, unless it is empty, of val."""
        parts = {name: [s for s in self.samples if s.split == name] for name in (TRAIN, VAL)}
        return {name: samples for name, samples in parts.items() if samples}


def read_material(folder: Path, share: float, seed: int, step: Step) -> Material:
    """The kept records of a dataset folder; `share` of each class goes into val, by `seed`.

    Raises InputError for a folder without kept records, for records that contradict each other,
    and for a file that is missing, cannot be read or leads out of the folder.
    """
    records = _records(folder)
    exported = [record for record in records if record.kept]
    if not exported:
        raise InputError(f"{folder} has no kept records in {METADATA}: there is nothing to export.")
    there, deleted = drop_deleted(folder, exported)
    if not there:
        raise InputError(f"{describe_deleted(deleted, folder)} There is nothing to export.")
    exported = there
    val, keys = validation_names(exported, share, seed), _keys(exported)

    def read(numbered: tuple[int, tuple[Record, str]]) -> Sample:
        done, (record, key) = numbered
        step("reading", done, len(exported))
        return _sample(folder, record, key, VAL if record.file_name in val else TRAIN)

    samples = read_each(read, enumerate(zip(exported, keys, strict=True), 1))
    masks = read_masks(folder, [sample.mask for sample in samples if sample.mask])
    names, manifest = _class_names(records), _read_manifest(folder)
    return Material(
        tuple(samples),
        names,
        manifest,
        masks,
        tuple(classes_without_validation(exported, val)),
        deleted,
    )


def _records(folder: Path) -> list[Record]:
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.")
    records = list(read_records(folder))
    name, count = next(iter(Counter(r.file_name for r in records).most_common(1)), ("", 0))
    if count > 1:
        raise InputError(f"{folder / METADATA} has {count} records of {name}; keep one.")
    return records


def _class_names(records: Iterable[Record]) -> tuple[str, ...]:
    """By label; a label that no record has gets a name of its own, so that the others stay."""
    labels: dict[int, str] = {}
    for record in records:
        safe_name(record.class_name, "class name")
        if not 0 <= record.label < MOST_CLASSES:
            raise InputError(
                f"{record.file_name}: {record.label} is not a label; labels start at 0."
            )
        if labels.setdefault(record.label, record.class_name) != record.class_name:
            raise InputError(
                f"{METADATA} gives the label {record.label} to {labels[record.label]!r} and to "
                f"{record.class_name!r}. Give each class one label."
            )
    twice = [name for name, count in Counter(labels.values()).items() if count > 1]
    if twice:
        raise InputError(f"{METADATA} gives several labels to {twice[0]!r}. Give it one.")
    check_class_names(labels.values())
    return tuple(labels.get(label, f"unused {label}") for label in range(max(labels) + 1))


def _keys(records: Sequence[Record]) -> list[str]:
    """A name for each record: its file's, without dots, and with a number where it is taken."""
    used: set[str] = set()
    keys = []
    for record in records:
        stem = relative_name(record.file_name, "file name").stem.replace(".", "_")
        key, number = stem, 1
        while key.casefold() in used:
            number += 1
            key = f"{stem}-{number}"
        used.add(key.casefold())
        keys.append(key)
    return keys


def _sample(folder: Path, record: Record, key: str, split: str) -> Sample:
    image = _file(folder, record.file_name)
    mask = _file(folder, record.mask_file_name) if record.mask_file_name else None
    size = image_size(image)
    if mask is not None and image_size(mask, "mask") != size:
        (wide, tall), (width, height) = image_size(mask, "mask"), size
        raise InputError(
            f"The mask {mask} has {wide}x{tall} pixels and its image {width}x{height}. A "
            "mask must match its image."
        )
    return Sample(_without_folders(record), key, split, image, mask, size)


def _without_folders(record: Record) -> Record:
    """Exports are given away, and where a picture lay on this machine is nobody's business."""
    source, several = record.source_image, record.source_images
    names = {
        "source_image": None if source is None else file_name(source),
        "source_images": tuple(map(file_name, several)),
    }
    return record.model_copy(update=names)


def file_name(path: str) -> str:
    """The last part of a path of any platform."""
    return PureWindowsPath(path).name


def _file(folder: Path, name: str) -> Path:
    path = inside(folder, *relative_name(name, "file name").parts)
    if not path.is_file():
        raise InputError(f"{METADATA} lists {name}, but {folder} has no such file.")
    return path


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.exists():
        return {}
    try:
        manifest = read_json(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}).") from None
    return manifest if isinstance(manifest, dict) else {}
