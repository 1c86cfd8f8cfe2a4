"""Copies of what learns: the best so far, and a moving average."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Kept(nn.Module):
    """Values of parameters. `losses`: of each look, infinite before it; `step`: of these values."""

    losses: Tensor
    step: Tensor

    def __init__(self, parameters: Sequence[nn.Parameter], looks: int) -> None:
        super().__init__()
        self.values = nn.ParameterList(
            nn.Parameter(p.detach().clone(), requires_grad=False) for p in parameters
        )
        self.register_buffer("losses", torch.full((looks,), float("inf")))
        self.register_buffer("step", torch.zeros((), dtype=torch.long))

    @torch.no_grad()
    def take(self, parameters: Sequence[nn.Parameter]) -> None:
        """Hold the present values."""
        for own, value in zip(self.values, parameters, strict=True):
            own.copy_(value)

    @torch.no_grad()
    def give(self, parameters: Sequence[nn.Parameter]) -> None:
        """Set parameters to the values held."""
        for own, value in zip(self.values, parameters, strict=True):
            value.copy_(own)


@contextmanager
def shown(parameters: Sequence[nn.Parameter], values: Sequence[nn.Parameter]) -> Iterator[None]:
    """Parameters have other values for a while."""
    before = Kept(parameters, 0)
    with torch.no_grad():
        for own, value in zip(parameters, values, strict=True):
            own.copy_(value)
    try:
        yield
    finally:
        before.give(parameters)
