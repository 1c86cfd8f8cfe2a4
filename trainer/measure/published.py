"""Figures that others have published, to stand beside ours."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from .arms import Arm


class Part(BaseModel):
    """A part of the recipe's `published`."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Figure(Part):
    """One published figure, in percent of the metric, and which of our rows it stands beside."""

    shots: int = Field(ge=1)
    arm: Arm
    setup: str = Field(min_length=1, description="What was trained, in the source's words.")
    reached: float
    baseline: float | None = Field(default=None, description="What real only reached there.")
    steps: int | None = Field(default=None, ge=1, description="Optimiser steps it took.")
    baseline_steps: int | None = Field(default=None, ge=1)


class Published(Part):
    """Figures of one source."""

    source: str = Field(min_length=1, description="Who published them, and the method.")
    figures: list[Figure] = Field(min_length=1)


class PublishedRow(BaseModel):
    """A published figure in results.json. `gain` in points, `relative` in percent of `baseline`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shots: int
    arm: str
    setup: str
    reached: float
    baseline: float | None
    gain: float | None
    relative: float | None
    steps: int | None
    baseline_steps: int | None
    source: str

    @property
    def text(self) -> str:
        """As tables show it: what was reached, the gain both ways, and the steps behind it."""
        shown = f"{self.reached:.2f} %"
        if self.gain is not None:
            shown += f", {self.gain:+.1f} points ({self.relative:+.1f} %)"
        if self.steps is not None:
            behind = f" against {self.baseline_steps:,}" if self.baseline_steps else ""
            shown += f", {self.steps:,}{behind} {'step' if self.steps == 1 else 'steps'}"
        return f"{self.setup}: {shown}"


def list_published(published: Published | None) -> list[PublishedRow]:
    """A row for each figure."""
    if published is None:
        return []
    return [_row(figure, published.source) for figure in published.figures]


def _row(figure: Figure, source: str) -> PublishedRow:
    gain = relative = None
    if figure.baseline:
        gain = figure.reached - figure.baseline
        relative = 100 * gain / figure.baseline
    same: dict[str, Any] = figure.model_dump(exclude={"arm"})
    return PublishedRow(**same, arm=figure.arm.name, gain=gain, relative=relative, source=source)
