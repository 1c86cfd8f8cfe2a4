"""The dataset folder: where an image lies, and the record (one line of metadata.jsonl) it has.

metadata.jsonl       one Record a line, readable by `datasets.load_dataset("imagefolder")`

The other files are those of dataset_files.py.
"""

import codecs
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from .classes import normalise_class
from .counted import pluralize
from .dataset_files import MANIFEST, METADATA, image_name, manifest, mask_name
from .errors import InputError
from .files import open_regular
from .json_text import read_bounded_lines, read_json
from .paths import inside

__all__ = [
    "MANIFEST",
    "METADATA",
    "FOREIGN",
    "LearnedPhotos",
    "Record",
    "class_names",
    "read_foreign_models",
    "image_name",
    "read_training_photos",
    "manifest",
    "mask_name",
    "read_records",
]


class Record(BaseModel):
    """One image of a dataset folder.

    `source_image`: the photo that it was made from; `source_images`: all of them, where a scene
    was composed of several. `node`: the save node that brought it, of several. `objects`: what its
    label mask shows, as masks.objects.object_facts says it. `server`: where it was drawn.
    `sha256`: of the file, in hex.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    file_name: str
    class_name: str
    label: int
    mask_file_name: str | None = None
    prompt: str | None = None
    negative: str | None = None
    seed: int | None = None
    subject: str | None = None
    workflow: str | None = None
    node: str | None = None
    source_image: str | None = None
    source_images: tuple[str, ...] = ()
    objects: list[dict[str, Any]] = []
    sweep: dict[str, bool | int | float | str] = {}
    scores: dict[str, float] = {}
    kept: bool = True
    reason: str | None = None
    server: str | None = None
    sha256: str | None = None

    @field_validator("class_name")
    @classmethod
    def _class_name(cls, name: str) -> str:
        return normalise_class(name)

    @property
    def sources(self) -> tuple[str, ...]:
        """All photos that it was made from, each once."""
        every = (*filter(None, [self.source_image]), *self.source_images)
        return tuple(dict.fromkeys(every))

    def line(self) -> str:
        """The record as one line of JSON and its newline; `node` only where there were several."""
        return self.model_dump_json(exclude={"node"} if self.node is None else None) + "\n"


def read_records(folder: Path) -> Iterator[Record]:
    """The records of a dataset folder, in file order; none when it has no metadata.jsonl.

    Raises InputError, naming the line, for one that is no record, as Hugging Face's own files have
    them, and for a file that cannot be read.
    """
    path = folder / METADATA
    if not path.exists() and not path.is_symlink():
        return
    try:
        with open_regular(path) as file:
            for number, line in enumerate(read_bounded_lines(file), 1):
                text = line.removeprefix(codecs.BOM_UTF8).decode()
                if text.strip():
                    yield _record(text, f"{path}, line {number},")
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}.") from None


def _record(line: str, where: str) -> Record:
    try:
        return Record.model_validate_json(line)
    except ValidationError as error:
        raise InputError(f"{where} is not a record{_explain(error)}") from None


def _explain(error: ValidationError) -> str:
    """What is wrong with a line, and how class folders beside another program's file are read."""
    first = error.errors(include_url=False)[0]
    where = "".join(f"{key}: " for key in first["loc"])
    sentence = f" ({where}{first['msg']})."
    if first["type"] != "missing":
        return sentence
    return (
        f"{sentence} If another program wrote it beside class folders, move the file away: they "
        "are read without it."
    )


FOREIGN = "foreign_models"  # of manyshot.json
LearnedPhotos = Mapping[tuple[str, str], tuple[str, ...]]
"""(class name, token of the subject) -> sha256 of each photo that its file was learned from."""


def read_training_photos(folder: Path) -> LearnedPhotos:
    """As manyshot.json of a dataset folder says of its subjects; empty when it says nothing.

    What several subjects of one file were learned from, each of them may show. Raises InputError
    when the file cannot be read.
    """
    path = folder / MANIFEST
    if not path.exists():
        return {}
    try:
        files = read_json(path).get("subjects", [])
        return {pair: _photos(file) for file in files for pair in file["classes"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(
            f"{path} cannot be read ({error!r}): it is unknown what its subjects were trained on."
        ) from None


def read_foreign_models(folder: Path) -> tuple[str, ...]:
    """LoRA, embeddings and hypernetworks that a dataset folder was drawn with and that are none of
    its subjects, as manyshot.json says; what they learned from is not known."""
    try:
        manifest = read_json(folder / MANIFEST)
        names = manifest.get(FOREIGN, []) if isinstance(manifest, dict) else []
    except (OSError, ValueError):
        return ()
    return tuple(map(str, names)) if isinstance(names, list) else ()


def _photos(file: Any) -> tuple[str, ...]:
    digests = (digest for subject in file["subjects"] for digest in subject["photos"])
    return tuple(dict.fromkeys(str(digest) for digest in digests))


def class_names(records: Iterable[Record]) -> list[str]:
    """The class names in the order of their labels."""
    labels = {record.label: record.class_name for record in records}
    return [labels[label] for label in sorted(labels)]


def drop_deleted(folder: Path, records: Iterable[Record]) -> tuple[list[Record], int]:
    """The records of `folder` whose images are there, and how many of the others were deleted.

    A kept image whose class folder is gone as a whole is not rejected but lost: its record stays,
    and reading it fails; so does reading a folder or a pipe in an image's place. Raises InputError
    for a name that leads out of the folder.
    """
    all_records = list(records)
    existing = [record for record in all_records if not _is_deleted(folder, record)]
    return existing, len(all_records) - len(existing)


def describe_deleted(count: int, folder: Path) -> str:
    """What is told of `count` deleted images."""
    images = pluralize(
        count,
        "image was deleted: it counts as rejected and is left out",
        "images were deleted: they count as rejected and are left out",
    )
    return f"Of {folder} {images}."


def _is_deleted(folder: Path, record: Record) -> bool:
    path = inside(folder, record.file_name)
    return not os.path.lexists(path) and (path.parent.is_dir() or not record.kept)
