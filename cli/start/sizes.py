"""How much `start` does where nothing else is asked for: all its numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Size:
    """The numbers of one run.

    `shots`: photos of each class that a draw learns from; `draws`: how often they are drawn anew,
    which is how often subjects are trained. `training`: their settings by method. `images`:
    synthetic images for each photo of a draw. `seeds`: trainings of each draw and arm.
    """

    shots: int
    draws: int
    training: Mapping[str, Mapping[str, Any]]
    images: int
    seeds: int


FULL = Size(
    shots=5,
    draws=5,
    training={
        "lora": {"steps": 150, "every": 50},
        "textual_inversion": {"steps": 150, "every": 50},
        "dreambooth": {"steps": 100, "every": 50},
    },
    images=2,
    seeds=2,
)
QUICK = Size(
    shots=5,
    draws=3,
    training={
        "lora": {"steps": 50, "every": 25},
        "textual_inversion": {"steps": 60, "every": 30},
        "dreambooth": {"steps": 40, "every": 20},
    },
    images=1,
    seeds=2,
)
