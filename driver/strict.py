"""The manners of every part of a recipe."""

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """A part of the recipe: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
