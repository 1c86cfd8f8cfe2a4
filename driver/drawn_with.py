"""What the images of a job are drawn with: its words and seed as they reach the model."""

from collections.abc import Iterable
from typing import NamedTuple

from .job import Job


class EffectiveInputs(NamedTuple):
    """The prompt, negative and seed of a job's images; None for what nothing takes of the job."""

    prompt: str | None
    negative: str | None
    seed: int | None


def from_job(job: Job) -> EffectiveInputs:
    """The job's own words and seed."""
    return EffectiveInputs(job.prompt, job.negative, job.seed)


def intersect(first: EffectiveInputs, second: EffectiveInputs) -> EffectiveInputs:
    """What both are drawn with; None where they differ."""
    same = {
        name: value for name, value in first._asdict().items() if value == getattr(second, name)
    }
    return EffectiveInputs(same.get("prompt"), same.get("negative"), same.get("seed"))


def join_distinct(texts: Iterable[str]) -> str | None:
    """Different texts on lines of their own; None where there is none."""
    return "\n".join(dict.fromkeys(texts)) if (texts := list(texts)) else None
