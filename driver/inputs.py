"""What a recipe may give an input: a plain value, or a local picture; and its base model."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from ..core.user_path import UserPath


class StrictModel(BaseModel):
    """A part of a recipe: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FileInput(StrictModel):
    """A local picture for an input; a server gets it once per content."""

    file: UserPath | None = Field(default=None, description="One picture for every job.")
    folder: UserPath | None = Field(
        default=None,
        description="Pictures used in turn; from the subfolder <class_name> if there is one.",
    )

    @model_validator(mode="after")
    def _one_of(self) -> "FileInput":
        if (self.file is None) == (self.folder is None):
            raise ValueError("give either 'file' or 'folder'")
        return self


Scalar = bool | int | float | str
BoundValue = Annotated[
    Annotated[FileInput, Tag("picture")] | Annotated[Scalar, Tag("value")],
    Discriminator(lambda value: "picture" if isinstance(value, dict | FileInput) else "value"),
]
