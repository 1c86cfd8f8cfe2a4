"""Everything that can be known to be wrong is found here, before anything is queued."""

from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from .. import workflows
from ..core.counted import did_you_mean
from ..core.errors import InputError
from ..core.file_kinds import PICTURE, WORKFLOW, refuse_other
from ..core.prompt_language import Language
from ..core.recognise import recognise
from .binding import Binding, bind_recipe
from .bound import Bound
from .defaults import class_words, resolve_defaults
from .job import Job, check_distinct
from .misplaced import check_prompts
from .pairs.labelled_photos import Scenes, find_scenes
from .pairs.photo_facts import Progress
from .plan import Plan
from .recipe import Recipe
from .subjects import Subjects, find_subjects
from .targets.webui.bind_requests import bind_requests
from .targets.webui.requests import Requests
from .workflow import own_nodes
from .workflow.catalogue import Catalogue
from .workflow.encoders import find_language
from .workflow.graph import Slot
from .workflow.preflight import Problem, check
from .workflow.read_workflow import read_workflow

SHOWN_PROBLEMS = 5


def prepare(
    recipe: Recipe, catalogue: Catalogue | None, reading: Progress = lambda done, of: None
) -> Plan:
    """The plan of a recipe. Raises InputError for whatever does not fit together.

    Without a catalogue (no server at hand) only workflows in API format can be read, and jobs
    have no groups. `reading` is told how many of the recipe's photos and masks are read.
    """
    subjects = find_subjects(recipe)
    photos = find_scenes(recipe.pairs) if recipe.pairs else None
    where = recipe.workflow_name
    folded = _fold_workflow(recipe, catalogue, subjects, photos)
    node = folded.settings if folded else {}
    language = _language(recipe, folded)
    resolved = resolve_defaults(
        recipe, node, subjects, list(photos.of_class) if photos else (), language
    )
    scenes = photos and photos.among(class_words(resolved))
    used_subjects = {name: subjects[name] for name in class_words(resolved) if name in subjects}
    graphs = folded and bind_recipe(resolved, folded, catalogue, where, subjects, scenes)
    requests = _requests(
        resolved, graphs, used_subjects, graphs.scenes if graphs else scenes, where
    )
    if graphs:
        check_prompts(resolved, graphs, where)
    plan = Plan(resolved, _read_photos(Bound(graphs, requests), reading), used_subjects, language)
    _check_images_differ(plan)
    return plan


def explain_unbound(plan: Plan) -> Iterator[str]:
    """A sentence for each of prompt, negative and seed that the recipe gives and nothing takes."""
    recipe, effective = plan.recipe, plan.bound.effective_fields
    requested = {
        "prompt": recipe.prompts is not None,
        "negative": recipe.prompts is not None and bool(recipe.prompts.negative),
        "seed": True,
    }
    for name, node in (("prompt", "Node.text"), ("negative", "Node.text"), ("seed", "Node.seed")):
        if requested[name] and name not in effective:
            yield (
                f"Nothing in {recipe.workflow_name} takes the {name}: the images are drawn "
                f"without it, and their records leave it empty. To use it, bind '{node}': "
                f"${name}."
            )


def _check_images_differ(plan: Plan) -> None:
    """Raises InputError for jobs that would draw the same image; where the seed is drawn with, no
    two would."""
    if plan.bound.graphs is None or "seed" in plan.graphs.effective_fields:
        return
    count = sum(1 for _ in plan)
    different = {plan.graphs.pixels(job) for job in plan}
    check_distinct(count - len(different), count)


def _language(recipe: Recipe, folded: own_nodes.Folded | None) -> Language:
    """What prompts are in: what the workflow's nodes read, or what 'webui' says without one."""
    if folded:
        return find_language(folded.graph)
    return recipe.webui.language if recipe.webui else "webui"


def _fold_workflow(
    recipe: Recipe, catalogue: Catalogue | None, subjects: Subjects, scenes: Scenes | None
) -> own_nodes.Folded | None:
    """The recipe's workflow, if it names one."""
    if recipe.workflow is None:
        return None
    path = find_workflow(recipe.workflow)
    graph = read_workflow(path, catalogue)
    return own_nodes.fold(graph, path.name, bool(subjects), bool(scenes))


def _requests(
    recipe: Recipe, graphs: Binding | None, subjects: Subjects, scenes: Scenes | None, where: str
) -> Requests | None:
    """For the WebUIs among the servers, or for the recipe's own words about them."""
    if recipe.webui is None and not any(server.is_webui for server in recipe.servers):
        return None
    return bind_requests(recipe, graphs, subjects, scenes, where)


def _read_photos(bound: Bound, reading: Progress) -> Bound:
    """With all labelled photos read; what graphs and requests take of them is of one reading."""
    last = bound.requests or bound.graphs
    if last is None or last.scenes is None:
        return bound
    scenes = last.scenes.read_all(reading)
    graphs = bound.graphs and replace(bound.graphs, scenes=scenes)
    return Bound(graphs, bound.requests and replace(bound.requests, scenes=scenes))


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
    file = Path(name)
    if file.is_file():
        refuse_other(file, recognise(file), "a workflow", WORKFLOW, PICTURE)
        return file
    folder = Path(str(files(workflows))) / "api"
    included = {file.stem: file for file in folder.glob("*.json")}
    if name in included:
        return included[name]
    kind = f"There is no workflow file {name}" if file.suffix else f"There is no workflow {name!r}"
    raise InputError(f"{kind}, and manyshot has none of that name.{did_you_mean(name, included)}")


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
