"""How much the demo does: all its numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Size:
    """The numbers of one run.

    `shots`: photos of each class; `draws`: how often they are taken anew, which is how often
    subjects are trained. `training`: their settings by method. `images`: pictures of each class
    and draw, `batch` at once, as `sampler` says. `arms`, `seeds`: of the measurement; the first arm
    is the one whose gain the demo ends with. `minutes`: what it takes on two cores.
    """

    shots: int
    draws: int
    training: Mapping[str, Mapping[str, Any]]
    images: int
    batch: int
    sampler: Mapping[str, Any]
    arms: tuple[Mapping[str, Any], ...]
    seeds: int
    minutes: int


FULL = Size(
    shots=5,
    draws=5,
    training={
        "lora": {"steps": 300, "every": 100},
        "textual_inversion": {"steps": 150, "every": 50},
        "dreambooth": {"steps": 150, "every": 75},
    },
    images=20,
    batch=10,
    sampler={"Sampler.cfg": 3.0},
    arms=(
        {"add": "synthetic", "ratio": 100},
        {"add": "synthetic", "ratio": 400, "mixing": "replace", "share": 0.3},
        {"add": "real", "ratio": 100},
    ),
    seeds=3,
    minutes=18,
)
QUICK = Size(
    shots=5,
    draws=2,
    training={
        "lora": {"steps": 150, "every": 75},
        "textual_inversion": {"steps": 40, "every": 20},
        "dreambooth": {"steps": 60, "every": 30},
    },
    images=10,
    batch=10,
    sampler={"Sampler.cfg": 3.0},
    arms=({"add": "synthetic", "ratio": 100}, {"add": "real", "ratio": 100}),
    seeds=2,
    minutes=5,
)
