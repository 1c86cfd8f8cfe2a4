"""The kinds of files and folders that commands take, and the sentence for one of another kind."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from .errors import InputError

Layout = Literal["auto", "dataset", "pairs", "pets", "coco", "classes", "yolo", "voc", "csv"]
LAYOUTS: tuple[Layout, ...] = get_args(Layout)
"""How a folder of labelled images is laid out; `core.data.reader` reads each."""


@dataclass(frozen=True)
class FileKind:
    """A kind of file or folder.

    `name`: how a sentence names it. `advice`: what to do with one; {path} and {folder}, in which it
    lies, are filled in.
    """

    name: str
    advice: str = ""

    def advise(self, path: Path) -> str:
        """The advice for the file at `path`."""
        return self.advice.format(path=path, folder=path.parent)


@dataclass(frozen=True)
class RecipeKind(FileKind):
    """A kind of recipe: its short name, who runs it, and the keys that it alone has."""

    key: str = ""
    command: str = ""
    keys: frozenset[str] = frozenset()


RUN = RecipeKind(
    "a run recipe",
    "`manyshot run {path}` runs it.",
    "run",
    "manyshot run",
    frozenset(
        [
            "workflow",
            "webui",
            "prompts",
            "bind",
            "servers",
            "sweep",
            "images_per_class",
            "transport",
        ]
    ),
)
MEASUREMENT = RecipeKind(
    "a measurement recipe",
    "`manyshot measure {path}` runs it.",
    "measure",
    "manyshot measure",
    frozenset(
        ["data", "synthetic", "arms", "shots", "draws", "protocol", "segmenter", "published"]
    ),
)
SUBJECT = RecipeKind(
    "a subject recipe",
    "`manyshot subject train {path}` trains its subjects.",
    "subject",
    "manyshot subject train",
    frozenset({"settings", "together", "keep_looks", "samples"}),
)
KINDS = (RUN, MEASUREMENT, SUBJECT)

WORKFLOW = FileKind(
    "a ComfyUI workflow",
    "A run recipe names it, as 'workflow: {path}'; `manyshot recipe new run` writes a recipe to "
    "edit. `manyshot workflow check {path} --server URL` checks the workflow.",
)
OBJECT_INFO = FileKind(
    "a server's list of nodes", "`manyshot workflow check WORKFLOW --object-info {path}` reads it."
)
RESULTS = FileKind("the results of a measurement", "`manyshot report {path}` redraws their report.")
REPORT = FileKind(
    "the report of a measurement",
    "Open it in a browser; `manyshot report {folder}` redraws it.",
)
RECORDS = FileKind("part of the dataset folder {folder}", "`manyshot status {folder}` reads it.")
SCHEMA = FileKind(
    "a JSON schema, for editors", "`manyshot recipe new` writes a recipe that has it."
)
PICTURE = FileKind(
    "a picture",
    "One that ComfyUI saved holds its workflow, and a run recipe can name it: 'workflow: {path}'.",
)
WEIGHTS = FileKind(
    "a file of weights",
    "A trained subject is named in a run recipe, as 'subjects: {path}', and judged by `manyshot "
    "subject evaluate {path} --real PHOTOS`.",
)
TEXT = FileKind("a text file", "Class names, one a line, go into a run recipe: 'classes: {path}'.")
DOCUMENT = FileKind("a document")
ARCHIVE = FileKind("an archive", "Unpack it first.")
DATASET = FileKind(
    "a dataset folder",
    "`manyshot status {path}` shows its progress; `manyshot export` converts it for other tools.",
)
MEASUREMENT_FOLDER = FileKind(
    "the folder of a measurement", "`manyshot report {path}` redraws its report."
)
SUBJECT_FOLDER = FileKind(
    "a folder of trained weights",
    "A run recipe draws with its subjects, as 'subjects: {path}'; `manyshot subject evaluate "
    "{path} --real PHOTOS` judges them.",
)
PHOTOS = FileKind(
    "a folder of photos",
    "A measurement recipe names it, as 'data: {path}', and a subject recipe, as "
    "'classes: {{folder: {path}, noun: dog}}'.",
)
FOLDER = FileKind("a folder")
EMPTY_FOLDER = FileKind("an empty folder")


def refuse_other(
    path: Path, kind: FileKind | None, needed: str, *accepted: FileKind | None
) -> None:
    """Raise InputError when `kind`, that of the file at `path`, is not among `accepted`.

    `needed`: what belongs there ("a run recipe"). A kind that is not recognised passes.
    """
    if kind is None or kind in accepted:
        return
    name = kind.name.format(folder=path.parent)
    sentence = f"{path} is {name}, not {needed}. {kind.advise(path)}"
    raise InputError(sentence.rstrip())
