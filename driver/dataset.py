"""The dataset folder around the images: metadata.jsonl and manyshot.json."""

import json
from pathlib import Path
from typing import Any

from ..core.files import appearing, write_text_whole
from ..core.records import MANIFEST, METADATA, Record, manifest
from .folder import rows, versions
from .ledger import Ledger
from .plan import Plan
from .subjects import subject_facts


def write_metadata(folder: Path, ledger: Ledger, plan: Plan) -> None:
    """metadata.jsonl from the ledger: a line for every image that is there, in plan order."""
    workflow, scenes = Path(plan.recipe.workflow_name).stem, plan.bound.scenes
    with appearing(folder / METADATA) as file:
        for job, done in ledger.done_jobs():
            sources = scenes.sources(job) if scenes else list(dict.fromkeys(job.pictures.values()))
            for row in rows(job, done, workflow, sources):
                file.write(Record(**row).line().encode())


def write_manifest(folder: Path, plan: Plan, servers: list[dict[str, Any]]) -> None:
    """manyshot.json: what this folder was made from. Secrets show as their references."""
    recipe = plan.recipe.model_dump(mode="json", exclude_none=True)
    learned = {"subjects": subject_facts(plan.subjects)} if plan.subjects else {}
    scenes = plan.bound.scenes
    shown = {"pairs": scenes.summary} if scenes else {}
    content = manifest(recipe, versions(), servers=servers, jobs=len(plan), **learned, **shown)
    write_text_whole(folder / MANIFEST, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
