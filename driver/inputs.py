"""What a recipe may give an input: a plain value, or a local picture; and its base model."""

from collections.abc import Collection
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    RootModel,
    Tag,
    field_validator,
    model_validator,
)

from ..core.classes import normalise_class
from ..core.counted import did_you_mean
from ..core.errors import InputError
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

    each: Literal["once"] | None = Field(
        default=None,
        description="once: as many images as there are pictures, each picture for one job.",
    )

    @model_validator(mode="after")
    def _one_of(self) -> "FileInput":
        if (self.file is None) == (self.folder is None):
            raise ValueError("give either 'file' or 'folder'")
        if self.each and self.folder is None:
            raise ValueError("'each' is for a 'folder'")
        return self


Scalar = bool | int | float | str


class PerClass(RootModel[dict[str, Scalar]]):
    """A value for each class, by its name."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={"propertyNames": {"not": {"enum": ["file", "folder"]}}},
    )

    @field_validator("root")
    @classmethod
    def _normalise_names(cls, value: dict[str, Scalar]) -> dict[str, Scalar]:
        return {normalise_class(name): each for name, each in value.items()}

    def check_classes(self, class_names: Collection[str], where: str) -> None:
        """Raises InputError, beginning with `where`, for a class that is missing or unknown."""
        for name in class_names:
            if name not in self.root:
                raise InputError(f"{where} has no value for the class {name!r}. Add it.")
        self.check_known(class_names, where)

    def check_known(self, class_names: Collection[str], where: str) -> None:
        """Raises InputError, beginning with `where`, for a class that there is not."""
        for name in self.root:
            if name not in class_names:
                near = did_you_mean(name, class_names)
                raise InputError(f"{where}: there is no class {name!r}.{near}")


def choose(value: Any, class_name: str) -> Any:
    """What a bound value is for a class."""
    return value.root[class_name] if isinstance(value, PerClass) else value


def _tag(value: Any) -> str:
    """A mapping with the keys of a picture is one; any other has a value for each class."""
    if isinstance(value, FileInput):
        return "picture"
    if isinstance(value, PerClass):
        return "per class"
    if isinstance(value, dict):
        return "picture" if value.keys() & {"file", "folder"} else "per class"
    return "value"


BoundValue = Annotated[
    Annotated[FileInput, Tag("picture")]
    | Annotated[PerClass, Tag("per class")]
    | Annotated[Scalar, Tag("value")],
    Discriminator(_tag),
]
