"""The trained subjects of a recipe: with which file, and by which word, each class is made."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from itertools import chain, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.counted import did_you_mean
from ..core.errors import InputError
from ..core.files import hash_file
from ..core.subject_file import MODEL_FOLDERS, Subject, SubjectFile, read_subject_file

if TYPE_CHECKING:  # the WebUI's extension has subjects, but no recipe
    from .recipe import Recipe


@dataclass(frozen=True)
class ClassSubject:
    """The subject that a class is made with: its file here, and which of the file's it is."""

    path: Path
    file: SubjectFile
    subject: Subject

    @property
    def name(self) -> str:
        """The file as servers know it; prompts find an embedding by its token."""
        inverted = self.file.method == "textual_inversion"
        return f"{self.subject.token}.safetensors" if inverted else self.path.name

    @property
    def folder(self) -> str:
        """Where a server has it, below its models folder."""
        return MODEL_FOLDERS[self.file.method]

    @property
    def advice(self) -> str:
        """What to do when a server does not have it."""
        return f"Copy {self.path} to models/{self.folder}/{self.name} of that server."

    @property
    def digest(self) -> str:
        """sha256 of the file."""
        stat = self.path.stat()
        return _digest(self.path, stat.st_size, stat.st_mtime_ns)


BOUND = {"loras": "LoraLoader.lora_name", "checkpoints": "CheckpointLoaderSimple.ckpt_name"}
Subjects = Mapping[str, ClassSubject]
"""Class name -> its subject."""


def find_subjects(recipe: "Recipe") -> Subjects:
    """The subjects of a recipe, of each class one; empty when it names none."""
    return {} if recipe.subjects is None else read_subjects(recipe.subjects)


def read_subjects(source: Mapping[str, Path] | Path) -> Subjects:
    """The subjects of files: class name -> file, a file, or a folder of them.

    Raises InputError for files that are none, do not fit a class or do not fit together.
    """
    subjects = dict(_read_by_class(source) if isinstance(source, Mapping) else _read_all(source))
    _check_alike(subjects.values())
    _check_names(subjects.values())
    return subjects


def server_files(recipe: "Recipe") -> dict[str, Path]:
    """Name below a server's models folder ("loras/cells.safetensors") -> the recipe's file."""
    return {
        f"{subject.folder}/{subject.name}": subject.path
        for subject in find_subjects(recipe).values()
    }


def pool_contexts(subjects: Subjects) -> list[str]:
    """What the captions say of backgrounds and poses, of all subjects in turn.

    A class drawn in the others' contexts is not learned by its own background alone.
    """
    of_each = [subject.subject.contexts for subject in subjects.values()]
    in_turn = chain.from_iterable(zip_longest(*of_each))
    return list(dict.fromkeys(context for context in in_turn if context))


def subject_facts(subjects: Subjects) -> list[dict[str, Any]]:
    """What the record keeps of each file: all that it says of itself, its hash, and the classes
    made with it. All its photos were learned from together, whatever class is drawn."""
    files = {subject.path: subject for subject in subjects.values()}
    return [
        {
            "file": subject.name,
            "sha256": subject.digest,
            "classes": {
                n: other.subject.token for n, other in subjects.items() if other.path == path
            },
            **asdict(subject.file),
        }
        for path, subject in files.items()
    ]


def check_subject_slots(subjects: Subjects, used: Collection[str], where: str) -> None:
    """Raises InputError when a workflow does not load the subjects, or asks for them in vain.

    `used`: the job fields that it takes.
    """
    field = next((name for name in ("subject", "token") if name in used), None)
    if field and not subjects:
        raise InputError(f"'bind' has ${field}, but the recipe names no 'subjects'.")
    for subject in list(subjects.values())[:1]:
        if subject.folder in BOUND and "subject" not in used:
            raise InputError(
                f"Nothing in {where} loads the subjects ({subject.file.method}). Bind their file: "
                f"'{BOUND[subject.folder]}': $subject."
            )


def _read_by_class(paths: Mapping[str, Path]) -> Iterator[tuple[str, ClassSubject]]:
    for class_name, path in paths.items():
        file = read_subject_file(_existing(path))
        fitting = [s for s in file.subjects if s.class_name == class_name]
        if len(file.subjects) > 1 and not fitting:
            available = [subject.class_name for subject in file.subjects]
            raise InputError(
                f"{path} has no subject for the class {class_name!r}; it has "
                f"{', '.join(available)}." + did_you_mean(class_name, available)
            )
        chosen = next(iter(fitting or file.subjects))
        yield class_name, ClassSubject(path, file, replace(chosen, class_name=class_name))


def _read_all(path: Path) -> dict[str, ClassSubject]:
    subjects: dict[str, ClassSubject] = {}
    for file_path in _files(path):
        file = read_subject_file(file_path)
        for subject in file.subjects:
            name = subject.class_name
            if name in subjects:
                raise InputError(
                    f"The class {name!r} has two subjects, in {subjects[name].path} and in "
                    f"{file_path}. Say which: 'subjects: {{{name}: {file_path}}}'."
                )
            subjects[name] = ClassSubject(file_path, file, subject)
    return subjects


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [_existing(path)]
    files = sorted(path.glob("*.safetensors"))
    if not files:
        raise InputError(f"The folder {path} has no subject files; they end in .safetensors.")
    return files


def _existing(path: Path) -> Path:
    if path.is_file():
        return path
    beside = [p.name for p in path.parent.glob("*.safetensors")] if path.parent.is_dir() else []
    raise InputError(f"There is no subject file at {path}.{did_you_mean(path.name, beside)}")


def _check_alike(subjects: Iterable[ClassSubject]) -> None:
    """One workflow loads them all, in one way and on one base."""
    first, *rest = subjects
    for other in rest:
        if (first.file.method, first.file.base_digest) != (
            other.file.method,
            other.file.base_digest,
        ):
            raise InputError(
                f"{first.path} is {first.file.method} on {first.file.base}, and {other.path} "
                f"is {other.file.method} on {other.file.base}. All subjects of a recipe must "
                "share one method and one base: train them alike, or write a recipe for "
                "each."
            )


def _check_names(subjects: Iterable[ClassSubject]) -> None:
    """On a server, a name is one file."""
    by_name: dict[str, ClassSubject] = {}
    for subject in subjects:
        other = by_name.setdefault(subject.name, subject)
        if other.path != subject.path and other.digest != subject.digest:
            raise InputError(
                f"{other.path} and {subject.path} are different files, but a server would know "
                f"both as {subject.folder}/{subject.name}. Rename one; an embedding also needs "
                "another "
                "token."
            )


@lru_cache(maxsize=4096)
def _digest(path: Path, size: int, changed: int) -> str:
    """Of the file while it has this size and time of change."""
    return hash_file(path)
