"""Whether a server can do the jobs of a plan: nodes, values, and its subjects, on their base."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from ....core.cache import hash_file_once
from ....core.errors import InputError
from ....core.paths import below
from ....core.subject_file import KEY
from ...http import Refused
from ...job import Job
from ...model_use import model_files
from ...plan import Plan
from ...subjects import ClassSubject
from ...workflow.catalogue import Catalogue
from ...workflow.graph import Slot
from ...workflow.preflight import Problem, check
from .comfy_client import Comfy

SHOWN_PROBLEMS = 5


def preflight(plan: Plan, catalogue: Catalogue, server: str) -> None:
    """Raises InputError when `server` would refuse a job of the plan, with node, input and the
    nearest right answer."""
    problems = list(dict.fromkeys(_problems(plan, catalogue)))
    if not problems:
        return
    shown = " ".join(problem.sentence() for problem in problems[:SHOWN_PROBLEMS])
    more = len(problems) - SHOWN_PROBLEMS
    rest = f" And {more} more." if more > 0 else ""
    raise InputError(f"The server {server} cannot run this. {shown}{rest}")


def _problems(plan: Plan, catalogue: Catalogue) -> Iterator[Problem]:
    workflow = plan.recipe.workflow_name
    for job in plan.samples():
        graph = plan.graphs.graph(job, "0" * 36)
        uploaded = {*plan.graphs.pictures, *plan.graphs.rendered_slots}
        for problem in check(graph, catalogue, workflow, uploaded):
            yield _with_advice(plan, job, problem)


def _with_advice(plan: Plan, job: Job, problem: Problem) -> Problem:
    """Where to copy the file of a subject that the server lacks."""
    slot = Slot(problem.node_id or "", problem.input or "")
    subject = plan.subjects.get(job.class_name)
    if subject is None or plan.graphs.fields.get(slot) != "subject":
        return problem
    return replace(problem, text=f"{problem.text} {subject.advice}")


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
