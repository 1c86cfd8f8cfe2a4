"""A dataset folder and its ledger: what is missing, what is left over, what each record says.

Knows no recipe, so that the WebUI's extension makes the same folder.
"""

import json
import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..core.dataset_files import image_name, mask_name
from .job import Job
from .ledger import Done, Ledger


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


def versions() -> dict[str, str]:
    """What made the folder, besides the servers."""
    try:
        own = version("manyshot")
    except PackageNotFoundError:  # used from a node pack folder, not installed
        own = "unknown"
    return {"manyshot": own, "python": platform.python_version()}


def rows(job: Job, done: Done, workflow: str, sources: list[str]) -> Iterator[dict[str, Any]]:
    """The fields of core.records.Record for each image of a done job, in its order."""
    objects = json.loads(done.objects) if done.objects else []
    for index in range(done.images):
        masked = index < done.masks
        yield {
            "file_name": image_name(job.class_name, job.id, index),
            "class_name": job.class_name,
            "label": job.label,
            "mask_file_name": mask_name(job.class_name, job.id, index) if masked else None,
            "prompt": job.prompt,
            "negative": job.negative,
            "seed": job.seed,
            "subject": job.token,
            "workflow": workflow,
            "source_image": sources[0] if sources else None,
            "source_images": tuple(sources) if len(sources) > 1 else (),
            "objects": objects[index] if index < len(objects) else [],
            "sweep": job.sweep,
        }


def _complete(folder: Path, job_id: str, class_name: str, images: int, masks: int) -> bool:
    return all(path.exists() for path in _paths(folder, job_id, class_name, images, masks))


def _paths(folder: Path, job_id: str, class_name: str, images: int, masks: int) -> Iterator[Path]:
    for index in range(images):
        yield folder / image_name(class_name, job_id, index)
    for index in range(masks):
        yield folder / mask_name(class_name, job_id, index)
