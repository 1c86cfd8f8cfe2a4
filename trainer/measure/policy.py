"""Augmentation policies by name.

What they do to images is in pixels/policies.py, and to pairs in segmentation/policies.py.
"""

from typing import Literal

Policy = Literal[
    "none",
    "classical",
    "autoaugment",
    "randaugment",
    "trivialaugment",
    "mixup",
    "cutmix",
    "flip",
    "crop",
    "colour",
    "copypaste",
    "classical+copypaste",
]
SHOWN: dict[Policy, str] = {
    "classical": "classical",
    "autoaugment": "AutoAugment",
    "randaugment": "RandAugment",
    "trivialaugment": "TrivialAugment",
    "mixup": "MixUp",
    "cutmix": "CutMix",
    "flip": "flips",
    "crop": "crops",
    "colour": "colours",
    "copypaste": "Copy-Paste",
    "classical+copypaste": "classical and Copy-Paste",
}
MIXED: frozenset[Policy] = frozenset({"mixup", "cutmix"})
OF_PAIRS: frozenset[Policy] = frozenset(
    {"none", "classical", "flip", "crop", "colour", "copypaste", "classical+copypaste"}
)
OF_IMAGES: frozenset[Policy] = frozenset(
    {"none", "classical", "autoaugment", "randaugment", "trivialaugment", "mixup", "cutmix"}
)
