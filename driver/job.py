"""A job: one prompt for a server, as a value."""

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

Value = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Job:
    """One execution of the workflow.

    `id` is a hash of everything that decides the pixels, so equal recipes give equal ids.
    `group` is a hash of the models it needs: jobs of one group share what is slow to load.
    `images` come back from the server, the first `keep` of them are wanted.
    `pictures` maps a bound address to the local file behind it, `sweep` to the value there.
    """

    id: str
    class_name: str
    label: int
    index: int
    prompt: str
    negative: str
    seed: int
    group: str = ""
    images: int = 1
    keep: int = 1
    subject: str | None = None
    pictures: dict[str, str] = field(default_factory=dict)
    sweep: dict[str, Value] = field(default_factory=dict)

    def to_json(self) -> str:
        """The job without the fields that have their defaults."""
        defaults = _DEFAULTS
        values = {name: getattr(self, name) for name in _NAMES}
        return json.dumps(
            {k: v for k, v in values.items() if k not in defaults or v != defaults[k]},
            ensure_ascii=False,
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, text: str) -> "Job":
        return cls(**json.loads(text))


_NAMES = [f.name for f in fields(Job)]
_DEFAULTS: dict[str, Any] = {
    "group": "",
    "images": 1,
    "keep": 1,
    "subject": None,
    "pictures": {},
    "sweep": {},
}


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
    """What a server gave for a job: PNG files as bytes, images and their masks in order."""

    images: tuple[bytes, ...]
    masks: tuple[bytes, ...] = ()


def as_dict(job: Job) -> dict[str, Any]:
    """The job as plain data, for `manyshot plan --json`."""
    return asdict(job)
