"""Everything that can be known to be wrong is found here, before anything is queued."""

from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from .. import workflows
from ..core.errors import InputError
from ..core.nearest import did_you_mean
from .binding import bind_recipe
from .job import Job
from .pairs.facts import Progress
from .pairs.scenes import find_scenes
from .plan import Plan
from .recipe import Recipe
from .settle import classes_of, settle
from .subjects import find_subjects
from .workflow import own_nodes
from .workflow.catalogue import Catalogue
from .workflow.graph import Slot
from .workflow.load import read_workflow
from .workflow.preflight import Problem, check

SHOWN_PROBLEMS = 5


def prepare(
    recipe: Recipe, catalogue: Catalogue | None, reading: Progress = lambda done, of: None
) -> Plan:
    """The plan of a recipe. Raises InputError for whatever does not fit together.

    Without a catalogue (no server at hand) only workflows in API format can be read, and jobs
    have no groups. `reading` is told how many of the recipe's photos and masks are read.
    """
    path = find_workflow(recipe.workflow)
    subjects = find_subjects(recipe)
    found = find_scenes(recipe.pairs) if recipe.pairs else None
    graph = read_workflow(path, catalogue)
    folded = own_nodes.fold(graph, str(path.name), bool(subjects), bool(found))
    settled = settle(recipe, folded.settings, subjects, list(found.of_class) if found else ())
    scenes = found and found.among(classes_of(settled))
    binding = bind_recipe(settled, folded, catalogue, path.name, subjects, scenes)
    if binding.scenes:
        binding = replace(binding, scenes=binding.scenes.checked(reading))
    return Plan(settled, binding, {n: subjects[n] for n in classes_of(settled) if n in subjects})


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


def find_workflow(name: str) -> Path:
    """The file of a workflow: a path, or the name of one that manyshot brings."""
    given = Path(name)
    if given.is_file():
        return given
    folder = Path(str(files(workflows))) / "api"
    known = {path.stem: path for path in folder.glob("*.json")}
    if name in known:
        return known[name]
    kind = f"There is no workflow file {name}" if given.suffix else f"There is no workflow {name!r}"
    raise InputError(f"{kind}, and manyshot brings none of that name.{did_you_mean(name, known)}")


def _problems(plan: Plan, catalogue: Catalogue) -> Iterator[Problem]:
    workflow = Path(plan.recipe.workflow).name
    for job in plan.samples():
        graph = plan.binding.graph(job, "0" * 36)
        uploaded = {*plan.binding.pictures, *plan.binding.drawn}
        for problem in check(graph, catalogue, workflow, uploaded):
            yield _with_advice(plan, job, problem)


def _with_advice(plan: Plan, job: Job, problem: Problem) -> Problem:
    """Where to copy the file of a subject that the server lacks."""
    slot = Slot(problem.node_id or "", problem.input or "")
    subject = plan.subjects.get(job.class_name)
    if subject is None or plan.binding.fields.get(slot) != "subject":
        return problem
    return replace(problem, text=f"{problem.text} {subject.advice}")
