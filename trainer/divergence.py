"""Trainings that leave the range of numbers end with a sentence, not with a file."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from ..core.errors import ManyshotError


class Diverged(ManyshotError):
    """A training's loss, gradients or weights are no longer numbers."""


def check_number(value: float, what: str = "loss") -> None:
    """Raises Diverged for a value that is infinite or not a number."""
    if not math.isfinite(value):
        raise Diverged(f"the {what} is no longer a number ({value})")


def check_finite(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Raises Diverged for tensors, as they are to be stored in `path`, with other than numbers.

    In half precision that is whatever exceeds 65,504.
    """
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise Diverged(f"{path.name} would contain values that are not numbers (in {name})")


@contextmanager
def diverging(what: str, step: int, advice: str) -> Iterator[None]:
    """What diverges in the block is told with the training, its step and the way out."""
    try:
        yield
    except Diverged as error:
        raise Diverged(
            f"{what} failed at step {step}: {error}. Nothing was written. {advice}"
        ) from None
