"""A job: one prompt for a server, as a value."""

import json
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..core.errors import InputError
from ..core.json_text import parse_json

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
