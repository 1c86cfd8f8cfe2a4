"""Augmentation policies by name; what they do to pixels is in pixels/policies.py."""

from typing import Literal

Policy = Literal[
    "none", "classical", "autoaugment", "randaugment", "trivialaugment", "mixup", "cutmix"
]
SHOWN: dict[Policy, str] = {
    "classical": "classical",
    "autoaugment": "AutoAugment",
    "randaugment": "RandAugment",
    "trivialaugment": "TrivialAugment",
    "mixup": "MixUp",
    "cutmix": "CutMix",
}
MIXED: frozenset[Policy] = frozenset({"mixup", "cutmix"})
