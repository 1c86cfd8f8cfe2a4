"""Copies of trainable parameters: the best so far, and a moving average."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class ParameterSnapshot(nn.Module):
    """A copy of parameter values. `losses`: of each validation, infinite before it; `step`: when
    the values were stored."""

    losses: Tensor
    step: Tensor

    def __init__(self, parameters: Sequence[nn.Parameter], validations: int) -> None:
        super().__init__()
        self.values = nn.ParameterList(
            nn.Parameter(p.detach().clone(), requires_grad=False) for p in parameters
        )
        self.register_buffer("losses", torch.full((validations,), float("inf")))
        self.register_buffer("step", torch.zeros((), dtype=torch.long))

    @torch.no_grad()
    def store(self, parameters: Sequence[nn.Parameter]) -> None:
        """Copy the parameters' values into the snapshot."""
        for stored, value in zip(self.values, parameters, strict=True):
            stored.copy_(value)

    @torch.no_grad()
    def restore(self, parameters: Sequence[nn.Parameter]) -> None:
        """Copy the snapshot's values into the parameters."""
        for stored, value in zip(self.values, parameters, strict=True):
            value.copy_(stored)


@contextmanager
def swap_parameters(
    parameters: Sequence[nn.Parameter], values: Sequence[nn.Parameter]
) -> Iterator[None]:
    """Give parameters other values inside the block."""
    before = ParameterSnapshot(parameters, 0)
    with torch.no_grad():
        for parameter, value in zip(parameters, values, strict=True):
            parameter.copy_(value)
    try:
        yield
    finally:
        before.restore(parameters)
