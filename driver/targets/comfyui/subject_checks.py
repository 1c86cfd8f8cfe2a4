"""Whether a server has the subjects of a plan, the same ones, on the base they were trained on."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from ....core.cache import hash_file_once
from ....core.errors import InputError
from ....core.paths import below
from ....core.subject_file import KEY
from ...http import Refused
from ...model_use import model_files
from ...plan import Plan
from ...subjects import ClassSubject
from .comfy_client import Comfy


def check_subjects(plan: Plan, server: str, comfy: Comfy, folders: Iterable[Path]) -> None:
    """Raises InputError for a subject's file that `server` lacks or has otherwise, and for a base
    that is not the workflow's.

    `folders`: the server's models folders, if they are on this machine. An embedding that is
    missing would else be left out of the prompt without a word.
    """
    if not plan.subjects:
        return
    for subject in {subject.name: subject for subject in plan.subjects.values()}.values():
        _check_file(subject, server, comfy)
    first = next(iter(plan.subjects.values()))
    if first.folder != "checkpoints" and not plan.recipe.any_base:
        _check_base(plan, first, list(folders))


def _check_file(subject: ClassSubject, server: str, comfy: Comfy) -> None:
    """By the header, which a server shows of every .safetensors file."""
    try:
        metadata = comfy.model_metadata(subject.name, subject.folder)
    except Refused as error:
        if error.status != 404:
            raise
        raise InputError(
            f"The server {server} has no {subject.name} in models/{subject.folder}. "
            f"{subject.advice}"
        ) from None
    if metadata.get(KEY) != subject.file.metadata()[KEY]:
        raise InputError(
            f"Server {server} has a different {subject.name} than your file {subject.path}. "
            f"{subject.advice}"
        )


def _check_base(plan: Plan, subject: ClassSubject, folders: list[Path]) -> None:
    """As far as the workflow's checkpoints are files on this machine."""
    digests = {path.name: hash_file_once(path) for path in _checkpoints(plan, folders)}
    if digests and subject.file.base_digest not in digests.values():
        raise InputError(
            f"{subject.path} was trained on {subject.file.base}, but {plan.recipe.workflow} draws "
            f"with {', '.join(digests)}, which is a different model. Train on that one, "
            "change the workflow's checkpoint, or write 'any_base: true' to try it anyway."
        )


def _checkpoints(plan: Plan, folders: list[Path]) -> Iterator[Path]:
    names = {name for job in plan.samples() for name in model_files(plan.graphs.graph(job, "0"))}
    for name in sorted(names):
        paths = (below(folder / "checkpoints", name) for folder in folders)
        yield from [path for path in paths if path and path.is_file()][:1]
