"""Everything that can be known to be wrong is found here, before anything is queued."""

from collections.abc import Iterator
from copy import deepcopy
from importlib.resources import files
from pathlib import Path

from .. import workflows
from ..core.counted import did_you_mean
from ..core.errors import InputError
from ..core.file_kinds import PICTURE, WORKFLOW, refuse_other
from ..core.recognise import recognise
from ..core.webui_prompt import Language
from .binding import Binding, bind_recipe
from .bound import Bound, Program
from .defaults import class_words, resolve_defaults
from .job import check_distinct
from .manifest_recipe import has_workflow
from .misplaced import check_prompts
from .pairs.labelled_photos import Scenes, find_scenes
from .pairs.photo_facts import Progress
from .plan import Plan
from .recipe import Recipe
from .subjects import Subjects, find_subjects
from .targets.registry import kinds
from .targets.target import load_target
from .workflow import own_nodes
from .workflow.catalogue import Catalogue
from .workflow.graph import Graph, find_language
from .workflow.read_workflow import read_workflow


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
    workflow = _read_workflow(recipe, catalogue)
    folded = None
    if workflow is not None:  # folding changes the graph that it gets
        graph, name = deepcopy(workflow), Path(where).name
        folded = own_nodes.fold(graph, name, bool(subjects), bool(photos))
    node = folded.settings if folded else {}
    language = _language(recipe, folded)
    resolved = resolve_defaults(
        recipe, node, subjects, list(photos.of_class) if photos else (), language
    )
    scenes = photos and photos.among(class_words(resolved))
    used_subjects = {name: subjects[name] for name in class_words(resolved) if name in subjects}
    graphs = folded and bind_recipe(resolved, folded, catalogue, where, subjects, scenes)
    scenes = graphs.scenes if graphs else scenes
    bound = Bound(graphs, _compile(resolved, graphs, used_subjects, scenes, where))
    if graphs:
        check_prompts(resolved, graphs, where)
    plan = Plan(resolved, bound.read_photos(reading), used_subjects, language, workflow)
    _check_images_differ(plan)
    return plan


def explain_plan(plan: Plan) -> Iterator[str]:
    """A sentence for each text of the recipe that does not reach the images."""
    yield from _explain_unbound(plan)
    yield from _explain_batches(plan)


def _explain_batches(plan: Plan) -> Iterator[str]:
    """A batch has one prompt: where a class has fewer batches than templates, some are unused."""
    prompts, batch = plan.recipe.prompts, plan.bound.batch_size
    if prompts is None or batch < 2:
        return
    for name, count in plan.images.items():
        override = prompts.per_class.get(name)
        templates = (override and override.templates) or prompts.templates
        jobs = -(-count // batch)
        if 0 < jobs < len(templates):
            yield (
                f"The {batch} images of a batch share one prompt, so those of {name!r} use {jobs} "
                f"of {len(templates)} templates. Lower 'batch_size', or draw more images."
            )


def _explain_unbound(plan: Plan) -> Iterator[str]:
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
    """What prompts are in: what the workflow's nodes read, or what the kind's key says without
    one."""
    if folded:
        return find_language(folded.graph)
    return next(iter(recipe.target_settings.values())).language


def _read_workflow(recipe: Recipe, catalogue: Catalogue | None) -> Graph | None:
    """The recipe's workflow, if it names one."""
    if recipe.workflow is None:
        return None
    return read_workflow(find_workflow(recipe.workflow), catalogue)


def _compile(
    recipe: Recipe, graphs: Binding | None, subjects: Subjects, scenes: Scenes | None, where: str
) -> dict[str, Program]:
    """What each kind of server that the recipe uses makes of it, with the labelled photos that the
    workflow and the kinds before it take."""
    programs: dict[str, Program] = {}
    used = {address.kind.name for address in recipe.servers} | recipe.target_settings.keys()
    for kind in (kind for kind in kinds() if kind.name in used):
        program = load_target(kind).compile(recipe, graphs, subjects, scenes, where)
        if program is not None:
            programs[kind.name], scenes = program, program.scenes
    return programs


def find_workflow(name: str) -> Path:
    """The file of a workflow: a path, or the name of one that manyshot brings."""
    file = Path(name)
    if file.is_file():
        if not has_workflow(file):
            refuse_other(file, recognise(file), "a workflow", WORKFLOW, PICTURE)
        return file
    folder = Path(str(files(workflows))) / "api"
    included = {file.stem: file for file in folder.glob("*.json")}
    if name in included:
        return included[name]
    kind = f"There is no workflow file {name}" if file.suffix else f"There is no workflow {name!r}"
    raise InputError(f"{kind}, and manyshot has none of that name.{did_you_mean(name, included)}")
