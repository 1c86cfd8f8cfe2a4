"""The trained subjects that this server has: files whose header says what they hold."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ..core.counted import did_you_mean
from ..core.errors import InputError
from ..core.subject_file import MODEL_FOLDERS, Subject, SubjectFile, read_subject_file

NONE_YET = "(no trained subject yet)"


@dataclass(frozen=True)
class FoundFile:
    """A subject file of the server. `folder`: of its models ("loras"); `name`: of the file there,
    as its loaders list it."""

    folder: str
    name: str
    path: Path
    facts: SubjectFile

    def subject(self, token: str) -> Subject:
        """The subject with this token, or the first. Raises InputError: there is none such."""
        if not token:
            return self.facts.subjects[0]
        by_token = {subject.token: subject for subject in self.facts.subjects}
        if token not in by_token:
            near = did_you_mean(token, by_token)
            raise InputError(f"{self.name} has no subject with the token {token!r}.{near}")
        return by_token[token]

    def words(self, subject: Subject) -> str:
        """What prompts call the subject; an embedding goes by the name that its file has here."""
        if self.facts.method != "textual_inversion":
            return subject.word
        called = Path(self.name).with_suffix("").as_posix()
        if not re.fullmatch(r"[\w./-]+", called):
            raise InputError(
                f"Prompts cannot name the embedding {self.name!r}: rename the file using "
                "only letters, digits, '-' and '_'."
            )
        return f"embedding:{called}"


def subject_names() -> list[str]:
    """What the input `subject` offers: file names, with their folder where two are the same."""
    return list(_by_name()) or [NONE_YET]


def find_subject(name: str) -> FoundFile:
    """The file that is meant by an entry of `subject_names`, or by "folder/name".

    Raises InputError, with the nearest name, when the server has none of that name.
    """
    by_name = _by_name()
    if not by_name:
        folders = ", ".join(f"models/{folder}" for folder in MODEL_FOLDERS.values())
        raise InputError(
            "This server has no trained subject. Make one with Train Subject or `manyshot "
            f"subject train`; put its file into one of {folders}."
        )
    by_path = by_name | {f"{file.folder}/{file.name}": file for file in by_name.values()}
    if name not in by_path:
        raise InputError(
            f"This server has no file {name!r} of a trained subject.{did_you_mean(name, by_name)}"
        )
    return by_path[name]


def _by_name() -> dict[str, FoundFile]:
    files = list(_files())
    counts = Counter(file.name for file in files)
    return {
        file.name if counts[file.name] == 1 else f"{file.folder}/{file.name}": file
        for file in files
    }


def _files() -> Iterator[FoundFile]:
    import folder_paths

    for method, folder in MODEL_FOLDERS.items():
        for name in folder_paths.get_filename_list(folder):
            path = folder_paths.get_full_path(folder, name)
            facts = _facts(Path(path)) if path and name.endswith(".safetensors") else None
            if path and facts and facts.method == method:
                yield FoundFile(folder, name, Path(path), facts)


def _facts(path: Path) -> SubjectFile | None:
    """What the file says of itself; None when it is not one of ours, or gone by now."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return _read(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=65_536)
def _read(path: Path, size: int, changed: int) -> SubjectFile | None:
    """Of the file while it has this size and time of change: ComfyUI asks for lists very often."""
    try:
        return read_subject_file(path)
    except InputError:
        return None
