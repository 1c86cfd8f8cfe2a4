"""Looking after a dataset folder without its recipe: is it whole, what can be mended, what is
rejected."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..core.dataset_files import METADATA
from ..core.errors import InputError
from ..core.files import hash_file, open_atomic, remove_partial
from ..core.image_files import SUFFIXES, is_hidden
from ..core.images import FORMATS, open_image
from ..core.metadata_lines import OWN_NAME, Line, encode_line, is_own, lock_metadata, read_lines
from ..core.paths import inside, relative_name
from .audit import THROWN_OUT, audit, is_png
from .folder import BELOW
from .ledger import FILE_NAME, Ledger
from .ledger_reader import ImageKey, Rejected
from .restore import restore


@dataclass(frozen=True)
class Condition:
    """What a dataset folder holds: images that are whole, and names of files that are not.

    `deleted`: how many of those that are gone the next run takes for rejected. `can_run`: whether a
    run made the folder, so that another can mend it. `unlisted`: images that no line of
    metadata.jsonl names, where there is no ledger.
    """

    whole: int
    planned: int
    rejected: int
    gone: tuple[str, ...]
    damaged: tuple[str, ...]
    deleted: int = 0
    can_run: bool = True
    unlisted: tuple[str, ...] = ()

    @property
    def is_good(self) -> bool:
        return not self.gone and not self.damaged and not self.unlisted


@dataclass(frozen=True)
class Mended:
    """What repair did: jobs found again for a new ledger, jobs that are open again."""

    damage: str | None
    restored: int
    opened: int
    condition: Condition


def verify(folder: Path, read_data: bool) -> Condition:
    """Compare a folder with its ledger, or where it has none with its metadata.jsonl.

    `read_data`: read every file, else only those whose size or time is another; without a ledger
    every file is read. Changes nothing.
    Raises InputError for no dataset folder and for a damaged ledger.
    """
    _check_folder(folder)
    if not (folder / FILE_NAME).exists():
        return _of_lines(folder)
    ledger = Ledger(folder, read_only=True)
    try:
        if ledger.is_empty() and _has_own_images(folder):
            raise InputError(
                f"The ledger of {folder} is empty, but the folder has images. Repair it with "
                f"'manyshot repair {folder}'."
            )
        if ledger.is_empty():
            return _of_lines(folder)
        return _condition(folder, ledger, read_data)
    finally:
        ledger.close()


def repair(folder: Path) -> Mended:
    """Make the ledger again if it is lost or damaged, read all files, and open the jobs of those
    that are not whole, so that the next run draws them."""
    _check_folder(folder)
    with _writing(folder) as ledger:
        remove_partial(folder, BELOW)
        restored = restore(folder, ledger) if ledger.is_empty() else 0
        state = audit(folder, ledger, read_data=True)
        if ledger.is_empty():
            return Mended(ledger.damage, 0, 0, _of_lines(folder))
        thrown_out = state.reject_deleted(folder)
        ledger.reject(thrown_out)
        ledger.note_files(state.touched.items())
        again = state.to_make_again(ledger.rejections())
        condition = _condition(folder, ledger, read_data=False)
        ledger.reopen(again)
        return Mended(ledger.damage, restored, len(again), condition)


def reject(folder: Path, names: Sequence[str], reason: str | None, undo: bool = False) -> int:
    """Mark images as not kept, or as kept again; returns how many were marked.

    `names` are file names as in metadata.jsonl, or paths. Their files stay. Raises InputError for
    a name that metadata.jsonl does not have.
    """
    _check_folder(folder)
    marked = {_name(folder, name) for name in names}
    is_kept, why = undo, None if undo else reason or "rejected"
    with lock_metadata(folder):
        lines = list(read_lines(folder))
        listed = {line["file_name"] for line in lines}
        missing = sorted(marked - listed)
        if missing:
            raise InputError(f"{folder / METADATA} has no image {missing[0]!r}.")
        with open_atomic(folder / METADATA) as file:
            for line in lines:
                changed = {"kept": is_kept, "reason": why} if line["file_name"] in marked else {}
                file.write(encode_line({**line, **changed}))
    _mark(folder, [key for name in marked if (key := _key(name))], why or "", undo)
    return len(marked)


def count_replaced(folder: Path, names: Sequence[str]) -> int:
    """How many of these images had another drawn in their place."""
    if not (folder / FILE_NAME).exists():
        return 0
    ledger = Ledger(folder, read_only=True)
    try:
        rejected = ledger.rejections()
    finally:
        ledger.close()
    keys = {_key(_name(folder, name)) for name in names}
    return sum(image.replace for key, image in rejected.items() if key in keys)


def reject_gone(folder: Path) -> int:
    """Reject every image whose file is gone; returns how many."""
    _check_folder(folder)
    with _writing(folder) as ledger:
        gone = [file for file in audit(folder, ledger).gone if file.kind == "images"]
        ledger.reject(Rejected(*file.key, THROWN_OUT) for file in gone)
    return len(gone)


def _mark(folder: Path, keys: list[ImageKey], reason: str, undo: bool) -> None:
    """The same in the ledger, where the folder has one."""
    if not (folder / FILE_NAME).exists():
        return
    with _writing(folder) as ledger:
        if undo:
            ledger.take_back(keys)
        else:
            ledger.reject(Rejected(*key, reason) for key in keys)


@contextmanager
def _writing(folder: Path) -> Iterator[Ledger]:
    ledger = Ledger(folder)
    try:
        yield ledger
    finally:
        ledger.close()


def _check_folder(folder: Path) -> None:
    if not any((folder / name).exists() for name in (FILE_NAME, METADATA, "images")):
        raise InputError(f"{folder} is not a dataset folder: it has no {METADATA} and no images.")


def _has_own_images(folder: Path) -> bool:
    """Whether there are images that a run made, from whose names `repair` knows their jobs."""
    names = (path.relative_to(folder).as_posix() for path in folder.glob("images/*/*.png"))
    return any(map(OWN_NAME.fullmatch, names))


def _condition(folder: Path, ledger: Ledger, read_data: bool) -> Condition:
    state = audit(folder, ledger, read_data)
    done, planned = ledger.images()
    gone = tuple(file.name for file in state.gone)
    damaged = tuple(file.name for file in state.damaged)
    lost = sum(name.startswith("images/") for name in (*gone, *damaged))
    rejected, deleted = ledger.counts().rejected, len(state.list_deleted(folder))
    return Condition(done - lost, planned, rejected, gone, damaged, deleted)


def _of_lines(folder: Path) -> Condition:
    """The condition of a folder that no run made, such as Save Labelled's. Every file is read: no
    ledger says how large they were."""
    lines = list({line["file_name"]: line for line in read_lines(folder)}.values())
    gone, damaged = [], []
    for line in lines:
        for name, digest in _files(line):
            path = inside(folder, *relative_name(name, "file name").parts)
            if not path.is_file():
                gone.append(name)
            elif not _is_whole(path, digest):
                damaged.append(name)
    rejected = sum(line.get("kept") is False for line in lines)
    lost = sum(line["file_name"] in {*gone, *damaged} for line in lines)
    return Condition(
        len(lines) - rejected - lost,
        len(lines),
        rejected,
        tuple(gone),
        tuple(damaged),
        can_run=any(map(is_own, lines)),
        unlisted=_find_unlisted(folder, lines),
    )


def _find_unlisted(folder: Path, lines: Sequence[Line]) -> tuple[str, ...]:
    """The images in images/<class name>/ that no line names, as when lines were cut off."""
    listed = {line["file_name"] for line in lines}
    names = (path.relative_to(folder).as_posix() for path in sorted(folder.glob("images/*/*")))
    return tuple(
        name
        for name in names
        if name not in listed
        and not is_hidden(Path(name).name)
        and Path(name).suffix.lower() in SUFFIXES
    )


def _is_whole(path: Path, digest: str | None) -> bool:
    """Whether a file is as it was written; without a noted sha256, whether it is an image."""
    if isinstance(digest, str):
        return hash_file(path) == digest
    return is_png(path) or _is_other_image(path)


def _is_other_image(path: Path) -> bool:
    try:
        open_image(path, formats=tuple(kind for kind in FORMATS if kind != "PNG")).close()
    except InputError:
        return False
    return True


def _files(line: dict) -> Iterator[tuple[str, str | None]]:
    yield line["file_name"], line.get("sha256")
    if isinstance(line.get("mask_file_name"), str):
        yield line["mask_file_name"], None


def _name(folder: Path, name: str) -> str:
    """A path or a file name as metadata.jsonl has it."""
    path = Path(name)
    if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
        return path.resolve().relative_to(folder.resolve()).as_posix()
    return name


def _key(name: str) -> ImageKey | None:
    match = OWN_NAME.fullmatch(name)
    return (match[2], int(match[3])) if match else None
