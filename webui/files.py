"""manyshot.json and metadata.jsonl of a folder that the WebUI made."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..core.dataset_files import MANIFEST, METADATA, manifest
from ..core.files import appearing, write_text_whole
from ..driver.folder import rows, versions
from ..driver.ledger import Ledger
from ..driver.subjects import subject_facts
from . import host
from .plan import Plan

SERVER = WORKFLOW = "webui"


def write_manifest(folder: Path, whole: Plan, checkpoint: host.Checkpoint) -> None:
    """manyshot.json: what this folder was made from."""
    server = {"name": SERVER, "version": host.version(), "checkpoint": asdict(checkpoint)}
    learned = {"subjects": subject_facts(whole.subjects)} if whole.subjects else {}
    recipe = {**asdict(whole.settings), "webui": whole.facts}
    content = manifest(recipe, versions(), servers=[server], jobs=len(whole), **learned)
    write_text_whole(folder / MANIFEST, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def write_metadata(folder: Path, ledger: Ledger) -> None:
    """metadata.jsonl from the ledger: a line for every image that is there, in plan order."""
    with appearing(folder / METADATA) as file:
        for job, done in ledger.done_jobs():
            for row in rows(job, done, WORKFLOW, list(job.pictures.values())[:1]):
                file.write(record_line(row).encode())


def record_line(row: dict[str, Any]) -> str:
    """The line that core.records.Record writes for these fields, without its pydantic."""
    rest = {"scores": {}, "kept": True, "reason": None}
    return json.dumps({**row, **rest}, ensure_ascii=False, separators=(",", ":")) + "\n"
