"""The dataset folder around the images: metadata.jsonl, manyshot.json, and what is missing."""

import json
import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..core.files import appearing, write_text_whole
from ..core.records import MANIFEST, METADATA, Record, image_name, manifest, mask_name
from .job import Job
from .ledger import Done, Ledger
from .plan import Plan
from .subjects import subject_facts


def reopen_missing(folder: Path, ledger: Ledger) -> int:
    """Open the done jobs again of which a file is gone; returns how many."""
    gone = [row[0] for row in ledger.done_files() if not _complete(folder, *row)]
    ledger.reopen(gone)
    return len(gone)


def remove_torn(folder: Path) -> None:
    """Remove what a killed run left half written; the caller holds the ledger, so nobody writes."""
    for pattern in (".*.part", "images/*/.*.part", "masks/*/.*.part"):
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)


def remove_old(folder: Path, ledger: Ledger) -> int:
    """Remove the files of jobs that the plan no longer has; returns how many jobs."""
    old = ledger.old_files()
    for job_id, class_name, images, masks in old:
        for path in _paths(folder, job_id, class_name, images, masks):
            path.unlink(missing_ok=True)
    ledger.forget_old()
    return len(old)


def write_metadata(folder: Path, ledger: Ledger, plan: Plan) -> None:
    """metadata.jsonl from the ledger: a line for every image that is there, in plan order."""
    workflow, scenes = Path(plan.recipe.workflow).stem, plan.binding.scenes
    with appearing(folder / METADATA) as file:
        for job, done in ledger.done_jobs():
            sources = scenes.sources(job) if scenes else list(job.pictures.values())[:1]
            for record in _records(job, done, workflow, sources):
                file.write(record.line().encode())


def write_manifest(folder: Path, plan: Plan, servers: list[dict[str, Any]]) -> None:
    """manyshot.json: what this folder was made from. Secrets show as their references."""
    recipe = plan.recipe.model_dump(mode="json", exclude_none=True)
    learned = {"subjects": subject_facts(plan.subjects)} if plan.subjects else {}
    scenes = plan.binding.scenes
    shown = {"pairs": scenes.summary} if scenes else {}
    content = manifest(recipe, versions(), servers=servers, jobs=len(plan), **learned, **shown)
    write_text_whole(folder / MANIFEST, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def versions() -> dict[str, str]:
    """What made the folder, besides the servers."""
    try:
        own = version("manyshot")
    except PackageNotFoundError:  # used from a node pack folder, not installed
        own = "unknown"
    return {"manyshot": own, "python": platform.python_version()}


def _records(job: Job, done: Done, workflow: str, sources: list[str]) -> Iterator[Record]:
    objects = json.loads(done.objects) if done.objects else []
    for index in range(done.images):
        masked = index < done.masks
        yield Record(
            file_name=image_name(job.class_name, job.id, index),
            class_name=job.class_name,
            label=job.label,
            mask_file_name=mask_name(job.class_name, job.id, index) if masked else None,
            prompt=job.prompt,
            negative=job.negative,
            seed=job.seed,
            subject=job.token,
            workflow=workflow,
            source_image=sources[0] if sources else None,
            source_images=tuple(sources) if len(sources) > 1 else (),
            objects=objects[index] if index < len(objects) else [],
            sweep=job.sweep,
        )


def _complete(folder: Path, job_id: str, class_name: str, images: int, masks: int) -> bool:
    return all(path.exists() for path in _paths(folder, job_id, class_name, images, masks))


def _paths(folder: Path, job_id: str, class_name: str, images: int, masks: int) -> Iterator[Path]:
    for index in range(images):
        yield folder / image_name(class_name, job_id, index)
    for index in range(masks):
        yield folder / mask_name(class_name, job_id, index)
