"""Runs that an output folder holds already: those of the same measurement go on, others are kept.

A run belongs to a measurement by its key, which is of everything that decides it: content and
labels of all images, net, settings, arm, draw, seed and method.
"""

from collections.abc import Set
from pathlib import Path

from ...core.files import hash_file, write_atomic
from .measure_results import FILE, Run, read_results_file

BESIDE = "results-*.json"


def load_finished_runs(folder: Path) -> dict[str, Run]:
    """The runs of all measurements into `folder` by their keys, those kept beside included.

    Raises InputError for a file that is not one of ours.
    """
    files = [*list_kept_files(folder), folder / FILE]
    return {run.key: run for path in files if path.exists() for run in read_results_file(path).runs}


def keep_beside(folder: Path, keys: Set[str]) -> Path | None:
    """Copy `folder`/results.json to results-<hash>.json when it holds runs that are not `wanted`.

    It is about to be written anew, and what another recipe or other photos chose is not lost.
    """
    path = folder / FILE
    present = _keys(path) if path.exists() else set()
    if present <= keys or any(present == _keys(copy) for copy in list_kept_files(folder)):
        return None
    target = folder / BESIDE.replace("*", hash_file(path)[:8])
    write_atomic(target, path.read_bytes())
    return target


def _keys(path: Path) -> set[str]:
    return {run.key for run in read_results_file(path).runs}


def list_kept_files(folder: Path) -> list[Path]:
    """The results that were kept beside, in a fixed order."""
    return sorted(folder.glob(BESIDE))


def notes_on_earlier(folder: Path) -> list[str]:
    """A sentence that names them."""
    names = ", ".join(path.name for path in list_kept_files(folder))
    if not names:
        return []
    return [
        "This folder held runs of a different recipe, of other images or of another "
        f"version. They are not part of these results and are kept in {names}."
    ]
