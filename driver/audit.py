"""What has become of a dataset folder's files since they were written.

A file is whole when its size and time are those that the ledger noted, or its sha256 is. Of images
that are gone:

- a few, whose class folder is there: the owner threw them out, and they are rejected;
- with their class folder: they are lost, and made again;
- more than half of a class: nobody can know, and the owner is asked.
"""

import json
from collections import Counter
from collections.abc import Container, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from ..core.dataset_files import image_name, mask_name
from ..core.errors import InputError
from ..core.files import OUT_OF_REACH, hash_file, read_regular
from ..core.images import open_image_file
from ..core.json_text import parse_json
from .ledger_reader import ImageKey, LedgerReader, Rejected

Facts = tuple[str, int, int]
"""sha256, bytes, mtime in ns."""
Kind = Literal["images", "masks"]
NAMES = {"images": image_name, "masks": mask_name}
LAST_CHUNK = b"IEND\xaeB`\x82"
THROWN_OUT = "its file was deleted"


@dataclass(frozen=True, slots=True)
class File:
    """One file of a done job, and what the ledger noted of it, if anything."""

    job: str
    class_name: str
    kind: Kind
    number: int
    noted: Facts | None

    @property
    def name(self) -> str:
        return NAMES[self.kind](self.class_name, self.job, self.number)

    @property
    def key(self) -> ImageKey:
        return self.job, self.number


@dataclass
class Audit:
    """The files that are not as they were written. `touched`: whole, but with another time than
    noted, as a copy has: job -> what to note now. `absent`: rejected images without a file, and
    its name."""

    gone: list[File] = field(default_factory=list)
    damaged: list[File] = field(default_factory=list)
    absent: dict[ImageKey, str] = field(default_factory=dict)
    touched: dict[str, str] = field(default_factory=dict)
    of_class: Counter[str] = field(default_factory=Counter)

    @property
    def problems(self) -> int:
        """How many files are gone or damaged."""
        return len(self.gone) + len(self.damaged)

    @property
    def not_there(self) -> set[ImageKey]:
        """The images that cannot be used: rejected and deleted, gone, or damaged."""
        return self.absent.keys() | {file.key for file in [*self.gone, *self.damaged]}

    def to_make_again(self, rejected: Container[ImageKey]) -> list[str]:
        """The jobs that lost a file; not those whose lost files are of `rejected` images."""
        files = (file for file in [*self.gone, *self.damaged] if file.key not in rejected)
        return list(dict.fromkeys(file.job for file in files))

    def list_deleted(self, folder: Path) -> list[File]:
        """The images that are gone while their class folder is there."""
        return [file for file in self.gone if _is_thrown_out(folder, file)]

    def reject_deleted(self, folder: Path) -> list[Rejected]:
        """The images that the owner deleted. Raises InputError where that is not clear."""
        images = self.list_deleted(folder)
        for class_name, count in Counter(file.class_name for file in images).items():
            if count > max(1, self.of_class[class_name] // 2):
                raise InputError(
                    f"{count:,} of the {self.of_class[class_name]:,} images of "
                    f"{class_name!r} in {folder} are missing, and no record says why. If "
                    f"they were bad, reject them: 'manyshot reject {folder} --gone'. To "
                    f"regenerate them, remove the folder images/{class_name}, or run with "
                    "--redraw."
                )
        return [Rejected(*file.key, THROWN_OUT) for file in images]


def audit(folder: Path, ledger: LedgerReader, read_data: bool = False) -> Audit:
    """Look at every file of the done jobs; `read_data`: read each, else only those whose size or
    time is another."""
    rejected, result = ledger.rejections(), Audit()
    for job_id, class_name, images, masks, noted in ledger.read_done_files():
        result.of_class[class_name] += images
        now: dict[Kind, list[Facts | None]] = {"images": [], "masks": []}
        before = result.problems
        for file in list_files(job_id, class_name, images, masks, noted):
            now[file.kind].append(_look(folder, file, rejected, read_data, result))
        text = json.dumps(now)
        if text != noted and result.problems == before:
            result.touched[job_id] = text
    return result


def list_files(
    job_id: str, class_name: str, images: int, masks: int, noted: str | None = None
) -> Iterator[File]:
    """The files of a done job; `noted` is `Done.files`."""
    facts = _parse_facts(noted) if noted else {}
    counts: dict[Kind, int] = {"images": images, "masks": masks}
    for kind, count in counts.items():
        noted_of = facts.get(kind) if isinstance(facts, dict) else None
        of_kind = noted_of if isinstance(noted_of, list) else []
        for number in range(count):
            entry = of_kind[number] if number < len(of_kind) else None
            yield File(job_id, class_name, kind, number, _read_entry(entry))


def _parse_facts(noted: str) -> Any:
    with suppress(ValueError):
        return parse_json(noted)
    return {}


def _read_entry(entry: Any) -> Facts | None:
    """The facts of a file as a ledger has them; None for what says nothing of it."""
    match entry:
        case [str() as digest, int() as size, int() as changed]:
            return digest, size, changed
    return None


def read_file_facts(path: Path, data: bytes | None = None) -> Facts:
    """What to note of a file; `data` is its content, if it is at hand."""
    state = path.stat()
    digest = hash_file(path) if data is None else sha256(data).hexdigest()
    return digest, state.st_size, state.st_mtime_ns


def is_png(path: Path) -> bool:
    """Whether a file is an image from its first to its last byte. Raises OSError for one that
    cannot be reached, which may be."""
    try:
        data = read_regular(path)
        with open_image_file(data, formats=("PNG",)) as image:
            image.verify()  # every checksum but the last chunk's
    except InputError:
        return False
    except OSError as error:
        if error.errno in OUT_OF_REACH:
            raise
        return False
    return data.endswith(LAST_CHUNK)


def _look(
    folder: Path, file: File, rejected: Mapping[ImageKey, Rejected], read: bool, result: Audit
) -> Facts | None:
    """The facts of a whole file; otherwise it is put where it belongs, and there are none."""
    path = folder / file.name
    try:
        state = path.stat()
    except OSError:
        state = None
    if file.key in rejected:
        if state is None and file.kind == "images":
            result.absent[file.key] = file.name
        return file.noted
    if state is None:
        result.gone.append(file)
        return None
    same = file.noted is not None and (state.st_size, state.st_mtime_ns) == file.noted[1:]
    if same and not read:
        return file.noted
    return _read(path, file, result)


def _read(path: Path, file: File, result: Audit) -> Facts | None:
    try:
        facts = read_file_facts(path)
    except OSError as error:
        if error.errno in OUT_OF_REACH:
            raise
        facts = None
    whole = facts and (facts[0] == file.noted[0] if file.noted else is_png(path))
    if not whole:
        result.damaged.append(file)
        return None
    return facts


def _is_thrown_out(folder: Path, file: File) -> bool:
    return file.kind == "images" and (folder / file.name).parent.is_dir()
