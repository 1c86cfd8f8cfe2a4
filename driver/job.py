"""A job, one prompt for a server, as a value: its fields, what it draws with, how it ended."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ..core.counted import pluralize
from ..core.errors import InputError
from ..core.json_text import parse_json

if TYPE_CHECKING:  # types alone
    from ..core.prompts import ResolvedPrompt
    from .subjects import ClassSubject

Value = bool | int | float | str


class Job(NamedTuple):
    """One execution of the workflow.

    `id` is a hash of everything that decides the pixels, so equal recipes give equal ids.
    `group` is a hash of the models it needs: jobs of one group share what is slow to load.
    `images` come back from the server, the first `keep` of them are wanted; they are numbers
    `first_index` and on of their class. `pictures` maps a bound address to the local file behind
    it, `sweep` to the value there. `subject` is the file of the class's subject as servers know
    it, `token` its word. `pairs` names the labelled photos that it is made from, by their order.
    `nodes` are the save nodes that bring its images in turn, where the recipe lists some.
    `fields` are those of its row in a table of prompts.
    (A tuple, because a million of them are made and written.)
    """

    id: str
    class_name: str
    label: int
    first_index: int
    prompt: str
    negative: str
    seed: int
    group: str = ""
    images: int = 1
    keep: int = 1
    subject: str | None = None
    token: str | None = None
    pictures: dict[str, str] = {}
    sweep: dict[str, Value] = {}
    pairs: list[str] = []
    nodes: list[str] = []
    fields: dict[str, Value] = {}

    def to_json(self) -> str:
        """The job without the fields that have their defaults."""
        return _encode({k: v for k, v in zip(_NAMES, self, strict=True) if v != _DEFAULTS.get(k)})

    @classmethod
    def from_json(cls, text: str) -> "Job":
        """Raises InputError for a text that is no job, which a ledger of others may hold."""
        try:
            return cls(**parse_json(text))
        except (ValueError, TypeError) as error:
            raise InputError(f"A job of the ledger cannot be read: {error}.") from None


_NAMES = Job._fields
_DEFAULTS = Job._field_defaults
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a try at a job failed.

    `kind` is a field of `recipe.Retries` (connection, memory, node, stalled, incomplete), or
    `invalid` (the server refused the prompt: never tried again).
    """

    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a server gave for a job: PNG files as bytes, images and their masks in order.

    `objects`: of each mask what it shows, as `core.masks.objects.object_facts` says it.
    """

    images: tuple[bytes, ...]
    masks: tuple[bytes, ...] = ()
    objects: tuple[list[dict[str, Any]], ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(map(len, (*self.images, *self.masks)))


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


MASKS = ("mask", "control", "labels")
PICTURES = ("image", *MASKS)
TEXTS = ("mask_classes", "file_name")
"""The further fields of jobs that are made from labelled photos: pictures and texts."""


class EffectiveInputs(NamedTuple):
    """The prompt, negative and seed of a job's images; None for what nothing takes of the job."""

    prompt: str | None
    negative: str | None
    seed: int | None


def plan_inputs(job: Job) -> EffectiveInputs:
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


def make_job(
    resolved: "ResolvedPrompt",
    label: int,
    index: int,
    batch: int,
    images: int,
    subject: "ClassSubject | None",
) -> Job:
    """The job of a class's images `index` and on: `batch` of them, as far as `images` are wanted.

    It has no id yet, for that follows from what else its plan knows.
    """
    return Job(
        id="",
        class_name=resolved.class_name,
        label=label,
        first_index=index,
        prompt=resolved.prompt,
        negative=resolved.negative,
        seed=resolved.seed,
        images=batch,
        keep=min(batch, images - index),
        subject=subject and subject.name,
        token=subject and subject.subject.token,
    )


def check_distinct(equal: int, planned: int) -> None:
    """Raises InputError when jobs are equal: each can be drawn only once."""
    if equal:
        raise InputError(
            f"{equal:,} of the {pluralize(planned, 'job')} "
            f"{'equals' if equal == 1 else 'equal'} another one, so their images would be "
            "the same. Nothing bound distinguishes them: bind the seed, as in "
            "'KSampler.seed': $seed, or ask for fewer images."
        )
