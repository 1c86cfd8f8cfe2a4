"""The fields of a job that a recipe may name: `$prompt`, `$seed`, and so on."""

from collections.abc import Callable
from typing import Any

from .job import Job

JOB_FIELDS: dict[str, Callable[[Job], Any]] = {
    "prompt": lambda job: job.prompt,
    "negative": lambda job: job.negative,
    "class_name": lambda job: job.class_name,
    "seed": lambda job: job.seed,
    "index": lambda job: job.first_index,
    "subject": lambda job: job.subject or "",
    "token": lambda job: job.token or "",
    "job_id": lambda job: job.id,
}
