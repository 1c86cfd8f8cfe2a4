"""Looking without touching: what a recipe would make, how far a dataset folder is."""

from itertools import islice
from pathlib import Path

from ..core.counted import pluralize
from ..core.errors import InputError
from ..core.records import image_name, read_records
from .drawn_with import DrawnWith
from .job import Job
from .ledger import FILE_NAME, Counts, Ledger
from .model_use import foreign_files, hashes, unsure_sentences
from .plan import Plan
from .prepare import prepare, unbound
from .recipe import Recipe
from .servers import known_catalogue, open_servers
from .settle import images_per_class


def look_ahead(
    recipe: Recipe, ask_server: bool, show: int | None
) -> tuple[list[str], list[tuple[Job, DrawnWith]]]:
    """The plan in a few lines, and its first `show` jobs (None: all) with what they are drawn with;
    checked against the servers if asked to."""
    unsure: list[str] = []
    if not ask_server:
        plan = prepare(recipe, None)
        checked = "Not checked against a server; give --server to do so."
    else:
        with open_servers(recipe, None, lambda _: None) as servers:
            reached = [server for server in servers if server.reached]
            plan = prepare(recipe, known_catalogue(servers))
            for server in reached:
                server.check(plan)
            facts = [server.facts(plan) for server in reached]
        hashes(facts)  # raises where two servers have different files of one name
        unsure = unsure_sentences(facts)
        checked = f"Checked against {', '.join(server.name for server in reached)}."
    classes = len(plan.recipe.classes or [])  # pyright: ignore[reportArgumentType]
    words = (
        f"{pluralize(len(plan), 'job')}: {pluralize(classes, 'class', 'classes')} x "
        f"{pluralize(images_per_class(plan.recipe), 'image')}, "
        f"{_a_job(plan)}. {checked}"
    )
    lines = [words, *unbound(plan), *touched(plan), *_unknown(plan), *unsure]
    return lines, [(job, plan.bound.drawn_with(job)) for job in islice(plan, show)]


def _a_job(plan: Plan) -> str:
    """How many images a job brings, and of which nodes, where the recipe lists some."""
    count, nodes = plan.bound.batch_size, plan.bound.saved_as
    return (
        f"{pluralize(count, 'image')} a job, of {', '.join(nodes)}" if nodes else f"{count} a job"
    )


def touched(plan: Plan) -> list[str]:
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
    names = foreign_files(plan)
    said = (
        f"Draws with {', '.join(names)}, which is none of the recipe's subjects: what it was "
        "trained on is unknown, and measurements will say so."
    )
    return [said] if names else []


def is_made(recipe: Recipe) -> bool:
    """Whether the dataset folder has all images of a recipe and no others, as metadata.jsonl says.

    For workflows in API format, which no server need read.
    """
    wanted = {
        image_name(job.class_name, job.id, index)
        for job in prepare(recipe, None)
        for index in range(job.keep)
    }
    there = {record.file_name for record in read_records(recipe.output)}
    return wanted == there and all((recipe.output / name).exists() for name in wanted)


ClassCounts = tuple[str, int, int, int]
FailureCounts = tuple[str, str, int]


def folder_state(folder: Path) -> tuple[Counts, list[ClassCounts], list[FailureCounts]]:
    """Counts, counts by class and failures of a dataset folder. Raises InputError if it is none."""
    if not (folder / FILE_NAME).exists():
        raise InputError(f"{folder} is not a dataset folder of manyshot run: it has no ledger.")
    ledger = Ledger(folder, read_only=True)
    try:
        return ledger.counts(), ledger.counts_by_class(), ledger.failures()
    finally:
        ledger.close()
