"""What a run writes beside the images: metadata.jsonl, manyshot.json and manyshot.log."""

import json
import logging
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.dataset_files import MANIFEST, manifest
from ..core.files import write_text_atomic
from ..core.json_text import read_json
from ..core.metadata_lines import read_remarks, write_lines
from ..core.records import FOREIGN
from .folder import ROW_FIELDS, rows, versions
from .job import Job
from .ledger_reader import ImageKey
from .manifest_recipe import describe_workflow
from .model_use import find_foreign_models, unsure_files, with_notes
from .subjects import subject_facts

if TYPE_CHECKING:  # types alone
    from .ledger import Ledger
    from .plan import Plan


def write_metadata(
    folder: Path, ledger: "Ledger", plan: "Plan", absent: Container[ImageKey] = ()
) -> None:
    """metadata.jsonl from the ledger: a line for every image that is there, in plan order.

    `absent`: images that are not, or are damaged. What others wrote there stays.
    """
    workflow, scenes = Path(plan.recipe.workflow_name).stem, plan.bound.scenes

    def sources(job: Job) -> list[str]:
        return (
            scenes.sources(job)
            if scenes
            else list(
                dict.fromkeys(path for path in job.pictures.values() if plan.has_picture(path))
            )
        )

    lines = rows(ledger, absent, workflow, sources, plan.bound.trace_inputs)
    write_lines(folder, lines, lambda: read_remarks(folder, ROW_FIELDS))


def write_manifest(
    folder: Path,
    plan: "Plan",
    servers: list[dict[str, Any]],
    rejected: Mapping[str, str | None] | None = None,
) -> None:
    """manyshot.json: what this folder was made from, so that it can be made again. Secrets
    show as their references.

    `rejected`: images that were deleted, and why. `models_not_compared`: files of which nothing
    but their size tells that the servers have the same.
    """
    recipe = plan.recipe.model_dump(mode="json", exclude_none=True)
    learned = {"subjects": subject_facts(plan.subjects)} if plan.subjects else {}
    scenes = plan.bound.scenes
    shown = {"pairs": scenes.summary} if scenes else {}
    foreign = {FOREIGN: names} if (names := find_foreign_models(plan)) else {}
    unsure = {"models_not_compared": files} if (files := unsure_files(servers)) else {}
    workflow = {"workflow": describe_workflow(plan.workflow)} if plan.workflow else {}
    facts = {**workflow, **learned, **shown, **foreign, **unsure}
    facts |= {"rejected": rejected} if rejected else {}
    content = manifest(recipe, versions(), servers=with_notes(servers), jobs=len(plan), **facts)
    write_text_atomic(folder / MANIFEST, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def merge_servers(
    folder: Path, servers: list[dict[str, Any]], names: Container[str] | None = None
) -> list[dict[str, Any]]:
    """What manyshot.json says of servers: those of earlier runs, and `servers`.

    `names`: only of these, which drew the images.
    """
    by_name = {server["name"]: server for server in [*_earlier(folder), *servers]}
    return [server for name, server in by_name.items() if names is None or name in names]


def _earlier(folder: Path) -> list[dict[str, Any]]:
    try:
        servers = read_json(folder / MANIFEST)["servers"]
        return [server for server in servers if isinstance(server.get("name"), str)]
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return []


FILE_NAME = "manyshot.log"
MAX_BYTES = 5_000_000


@contextmanager
def run_log(folder: Path) -> Iterator[None]:
    """Write what the driver logs to manyshot.log in `folder`, and nowhere else."""
    if (folder / FILE_NAME).is_symlink():
        (folder / FILE_NAME).unlink()  # a stranger's folder: what it leads to is not ours to write
    driver = logging.getLogger(__package__)
    handler = RotatingFileHandler(
        folder / FILE_NAME, maxBytes=MAX_BYTES, backupCount=2, encoding="utf-8", errors="replace"
    )
    handler.handleError = lambda record: None  # a full disk is told once, by the writer
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    before = driver.level, driver.propagate
    driver.addHandler(handler)
    driver.setLevel(logging.INFO)
    driver.propagate = False
    try:
        yield
    finally:
        driver.level, driver.propagate = before
        driver.removeHandler(handler)
        handler.close()
