"""Arguments that are files or folders: one of another kind is told what it is and where it goes."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from ..core import file_kinds as kinds
from ..core.counted import closest_match
from ..core.errors import InputError
from ..core.file_kinds import FileKind

Argument = TypeVar("Argument", Path, Path | None, list[Path] | None)
PLAIN = (kinds.FOLDER, kinds.EMPTY_FOLDER)


def check_kind(
    needed: str, *accepted: FileKind, must_exist: bool = True
) -> Callable[[Argument], Argument]:
    """The callback of an argument that takes `accepted`, called `needed` in the sentence: it raises
    InputError for what is of another kind, and for what is missing if it `must_exist`."""

    def check(argument: Argument) -> Argument:
        from ..core.recognise import recognise

        for path in argument if isinstance(argument, list) else [argument]:
            if path is not None:
                if must_exist:
                    _check_there(path)
                kinds.refuse_other(path, recognise(path), needed, *accepted)
        return argument

    return check


def _check_there(path: Path) -> None:
    if not path.exists():
        near = closest_match(path.name, [each.name for each in path.parent.glob("*")])
        hint = f" Did you mean {path.parent / near}?" if near else ""
        raise InputError(f"There is nothing at {path}.{hint}")


# Photos may be what is left of a dataset folder: the commands say what it lacks.
DATASETS = check_kind("a dataset folder", kinds.DATASET, kinds.PHOTOS, *PLAIN)
DatasetFolder = Annotated[
    Path, typer.Argument(help="A dataset folder.", show_default=False, callback=DATASETS)
]
ResultsPath = Annotated[
    Path,
    typer.Argument(
        help="A measurement's results.json, or its folder.",
        show_default=False,
        callback=check_kind(
            "the results of a measurement",
            kinds.RESULTS,
            kinds.MEASUREMENT_FOLDER,
            *PLAIN,
        ),
    ),
]
WorkflowFile = Annotated[
    Path,
    typer.Argument(
        help="A workflow: .json (API or UI format), or a .png that ComfyUI saved.",
        callback=check_kind("a workflow", kinds.WORKFLOW, kinds.PICTURE),
    ),
]
CLASS_FOLDERS = check_kind(
    "a folder of photos", kinds.PHOTOS, kinds.DATASET, *PLAIN, must_exist=False
)
NODE_LISTS = check_kind("a server's answer of /object_info", kinds.OBJECT_INFO)
TRAINED = check_kind("a trained subject", kinds.WEIGHTS, kinds.SUBJECT_FOLDER, *PLAIN)
REAL_PHOTOS = check_kind(
    "a folder of real photos", kinds.PHOTOS, kinds.DATASET, kinds.MEASUREMENT, *PLAIN
)
