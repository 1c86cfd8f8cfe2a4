"""Looking without touching: what a recipe would make, how far a dataset folder is."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ..core.counted import pluralize
from ..core.errors import InputError
from ..core.records import image_name, read_records
from .defaults import class_words
from .job import EffectiveInputs, Job
from .ledger import FILE_NAME, Counts, Ledger
from .model_use import collect_hashes, find_foreign_models, unsure_sentences
from .plan import Plan
from .prepare import explain_plan, prepare
from .recipe import Recipe
from .sweeps import count_combinations, describe_sweep
from .targets.target import Local, first_catalogue, open_servers


@dataclass(frozen=True)
class Preview:
    """What a recipe would make.

    `checked`: the servers that can run it. `notes`: what its owner should know. `first`: the first
    jobs with what they are drawn with.
    """

    plan: Plan
    checked: tuple[str, ...]
    notes: tuple[str, ...]
    first: list[tuple[Job, EffectiveInputs]]

    @property
    def classes(self) -> list[str]:
        """Names of the classes, in order."""
        return list(class_words(self.plan.recipe))

    @property
    def lines(self) -> list[str]:
        """The plan in a few lines."""
        plan = self.plan
        checked = "Not checked against a server; give --server to do so."
        if self.checked:
            checked = f"Checked against {', '.join(self.checked)}."
        words = f"{pluralize(len(plan), 'job')}: {_arithmetic(plan)}, {_a_job(plan)}. {checked}"
        return [words, *self.notes]


def preview_lines(
    recipe: Recipe, ask_server: bool, show: int | None
) -> tuple[list[str], list[tuple[Job, EffectiveInputs]]]:
    """The lines and the first `show` jobs (None: all) of `preview_run`."""
    view = preview_run(recipe, ask_server, show)
    return view.lines, view.first


def preview_run(recipe: Recipe, ask_server: bool, show: int | None) -> Preview:
    """What `recipe` would make, with its first `show` jobs (None: all); checked against the servers
    if asked to.

    Raises InputError for what does not fit together, ServerError where no server answers.
    """
    unsure: list[str] = []
    names: list[str] = []
    if not ask_server:
        plan = prepare(recipe, None)
    else:
        with open_servers(recipe, Local()) as servers:
            reached = [server for server in servers if server.reached]
            plan = prepare(recipe, first_catalogue(servers))
            for server in reached:
                server.check(plan)
            facts = [server.facts(plan) for server in reached]
        collect_hashes(facts)  # raises where two servers have different files of one name
        unsure = unsure_sentences(facts)
        names = [server.name for server in reached]
    notes = (*explain_plan(plan), *list_access(plan), *_unknown(plan), *unsure)
    first = [(job, plan.bound.trace_inputs(job)) for job in islice(plan, show)]
    return Preview(plan, tuple(names), notes, first)


def _arithmetic(plan: Plan) -> str:
    """Classes x images, and x combinations of a sweep, with its values."""
    counts, recipe = plan.images, plan.recipe
    if len(set(counts.values())) == 1:
        images = pluralize(next(iter(counts.values())), "image")
        text = f"{pluralize(len(counts), 'class', 'classes')} x {images}"
    else:
        text = ", ".join(f"{name} {count}" for name, count in counts.items())
        text = f"{pluralize(sum(counts.values()), 'image')} ({text})"
    if not recipe.sweep:
        return text
    number = count_combinations(recipe.sweep, recipe.coupled)
    return (
        f"{text} x {pluralize(number, 'combination')} "
        f"({describe_sweep(recipe.sweep, recipe.coupled)})"
    )


def _a_job(plan: Plan) -> str:
    """How many images a job brings, and of which nodes, where the recipe lists some."""
    count, nodes = plan.bound.batch_size, plan.bound.saved_as
    return (
        f"{pluralize(count, 'image')} a job, of {', '.join(nodes)}" if nodes else f"{count} a job"
    )


def list_access(plan: Plan) -> list[str]:
    """What a run reaches beside its output: servers, the environment's secrets, files."""
    addresses = plan.recipe.servers
    names = sorted({name for address in addresses for name in address.variables})
    facts = {
        "Servers": [address.url for address in addresses],
        "Secrets sent to them": names,
        "Files read": plan.sources(),
    }
    return [f"{what}: {', '.join(some)}." for what, some in facts.items() if some]


def _unknown(plan: Plan) -> list[str]:
    """LoRA and embeddings of which nobody knows what they learned from."""
    names = find_foreign_models(plan)
    sentence = (
        f"Draws with {', '.join(names)}, which is none of the recipe's subjects: what it was "
        "trained on is unknown, and measurements will say so."
    )
    return [sentence] if names else []


def is_complete(recipe: Recipe) -> bool:
    """Whether the dataset folder has all images of a recipe and no others, as metadata.jsonl says.

    For workflows in API format, which no server need read.
    """
    expected = {
        image_name(job.class_name, job.id, index)
        for job in prepare(recipe, None)
        for index in range(job.keep)
    }
    recorded = {record.file_name for record in read_records(recipe.output)}
    return expected == recorded and all((recipe.output / name).exists() for name in expected)


ClassCounts = tuple[str, int, int, int]
FailureCounts = tuple[str, str, int]


def read_state(folder: Path) -> tuple[Counts, list[ClassCounts], list[FailureCounts]]:
    """Counts, counts by class and failures of a dataset folder. Raises InputError if it is none."""
    if not (folder / FILE_NAME).exists():
        raise InputError(f"{folder} is not a dataset folder of manyshot run: it has no ledger.")
    ledger = Ledger(folder, read_only=True)
    try:
        return ledger.counts(), ledger.counts_by_class(), ledger.failures()
    finally:
        ledger.close()
