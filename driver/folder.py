"""A dataset folder and its ledger: what is missing, what is left over, what each record says.

Knows no recipe, so that the WebUI's extension makes the same folder.
"""

import platform
from collections.abc import Callable, Container, Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..core.json_text import parse_json
from ..core.paths import inside, relative_name
from .audit import list_files
from .job import EffectiveInputs, Job, plan_inputs
from .ledger_reader import Done, ImageKey, LedgerReader

BELOW = ("images/*", "masks/*", "contact_sheets")
"""The folders in a dataset folder whose files are written by manyshot alone."""


def remove_files(folder: Path, names: Iterable[str]) -> int:
    """Remove these files of a dataset folder; returns how many were there.

    Raises InputError for a name that leads out of the folder.
    """
    paths = [inside(folder, *relative_name(name, "file name").parts) for name in names]
    there = [path for path in paths if path.is_file() or path.is_symlink()]
    for path in there:
        path.unlink(missing_ok=True)
    return len(there)


def versions() -> dict[str, str]:
    """What made the folder, besides the servers."""
    try:
        manyshot_version = version("manyshot")
    except PackageNotFoundError:  # used from a node pack folder, not installed
        manyshot_version = "unknown"
    return {"manyshot": manyshot_version, "python": platform.python_version()}


def rows(
    ledger: LedgerReader,
    absent: Container[ImageKey],
    workflow: str,
    sources_of: Callable[[Job], list[str]],
    trace: Callable[[Job], EffectiveInputs] = plan_inputs,
) -> Iterator[dict[str, Any]]:
    """The record of each image that is there, as core.records.Record has it, in plan order.

    `absent`: images that are not, for they are rejected. `sources_of` a job: its photos.
    `trace`: the words and the seed of a job as the servers drew with them.
    """
    rejected = ledger.rejections()
    for job, done in ledger.read_done_jobs():
        numbered = _rows(job, done, workflow, sources_of(job), trace(job))
        for index, row in enumerate(numbered):
            if (job.id, index) in absent:
                continue
            reject = rejected.get((job.id, index))
            yield row | {"kept": reject is None, "reason": reject and reject.reason}


def _objects(text: str | None) -> list[Any]:
    """What the masks of a job show; nothing where a ledger of others says something else."""
    try:
        objects = parse_json(text) if text else []
    except ValueError:
        return []
    return objects if isinstance(objects, list) else []


def _rows(
    job: Job, done: Done, workflow: str, sources: list[str], inputs: EffectiveInputs
) -> Iterator[dict[str, Any]]:
    objects = _objects(done.objects)
    files = [*list_files(job.id, job.class_name, done.images, done.masks, done.files)]
    masks = {file.number: file.name for file in files if file.kind == "masks"}
    for file in files[: done.images]:
        index = file.number
        yield {
            "file_name": file.name,
            "class_name": job.class_name,
            "label": job.label,
            "mask_file_name": masks.get(index),
            **inputs._asdict(),
            "subject": job.token,
            "workflow": workflow,
            **({"node": job.nodes[index % len(job.nodes)]} if job.nodes else {}),
            **({"fields": {k: str(v) for k, v in job.fields.items()}} if job.fields else {}),
            "source_image": sources[0] if sources else None,
            "source_images": sources if len(sources) > 1 else [],
            "objects": objects[index] if index < len(objects) else [],
            "sweep": job.sweep,
            "scores": {},
            "kept": True,
            "reason": None,
            "server": done.server,
            "sha256": file.noted and file.noted[0],
        }


ROW_FIELDS = (
    "file_name", "class_name", "label", "mask_file_name", "prompt", "negative", "seed", "subject",
    "workflow", "node", "source_image", "source_images", "objects", "sweep", "kept", "reason",
    "server", "sha256", "fields",
)  # fmt: skip
"""What the driver writes itself: not scores, which others may add."""
