"""manyshot.json and metadata.jsonl of a folder that the WebUI made."""

import json
from collections.abc import Container
from dataclasses import asdict
from pathlib import Path

from ..core.dataset_files import MANIFEST, manifest
from ..core.files import write_text_atomic
from ..core.metadata_lines import read_remarks, write_lines
from ..driver.folder import ROW_FIELDS, rows, versions
from ..driver.ledger import Ledger
from ..driver.ledger_reader import ImageKey
from ..driver.subjects import subject_facts
from . import host
from .script_plan import Plan

SERVER = WORKFLOW = "webui"


def write_manifest(folder: Path, whole: Plan, checkpoint: host.Checkpoint) -> None:
    """manyshot.json: what this folder was made from."""
    server = {"name": SERVER, "version": host.version(), "checkpoint": asdict(checkpoint)}
    learned = {"subjects": subject_facts(whole.subjects)} if whole.subjects else {}
    recipe = {**asdict(whole.settings), "webui": whole.facts}
    content = manifest(recipe, versions(), servers=[server], jobs=len(whole), **learned)
    write_text_atomic(folder / MANIFEST, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def write_metadata(folder: Path, ledger: Ledger, absent: Container[ImageKey]) -> None:
    """metadata.jsonl from the ledger: a line for every image that is there, in plan order.

    `absent`: images that are not, or are damaged. What others wrote there stays.
    """
    lines = rows(ledger, absent, WORKFLOW, lambda job: list(job.pictures.values())[:1])
    write_lines(folder, lines, lambda: read_remarks(folder, ROW_FIELDS))
