"""How class names become prompts: a recipe's key `prompts`."""

from pydantic import Field, field_validator

from ..core.classes import normalise_class
from ..core.user_path import UserPath
from .inputs import StrictModel


class ClassPrompts(StrictModel):
    """What one class has in place of what all have."""

    templates: list[str] | None = Field(default=None, min_length=1)
    contexts: list[str] | None = None
    negative: str | None = None


class Prompts(StrictModel):
    """How a class name becomes a prompt."""

    templates: list[str] = Field(
        default=["a photo of a {class_name}"],
        min_length=1,
        description="Prompts with {class_name}, or with {classes}, the classes that the "
        "mask of 'pairs' shows, and {context} if contexts are given.",
    )
    matrix: bool = Field(
        default=False,
        description="A template a|b|c becomes all combinations of a with b and c.",
    )
    contexts: list[str] = Field(
        default=[], description="Places, poses, light: {context} cycles through them."
    )
    negative: str = Field(default="", description="What the images must not show.")
    per_class: dict[str, ClassPrompts] = Field(
        default={},
        description="Class name: templates, contexts and negative of its own.",
    )
    lists: dict[str, list[str] | UserPath] = Field(
        default={},
        description="Words for __name__ wildcards in templates and contexts: a list, a text file "
        "with one a line, or a folder of such files, whose lists are called name/file.",
    )
    words: dict[str, str] = Field(
        default={},
        description="Words that {classes} uses for the classes of masks: class name: words.",
    )
    file: UserPath | None = Field(
        default=None,
        description="A table of prompts, .csv or .jsonl, with an image a row, in place of "
        "templates: columns class_name and prompt, and negative, seed, images, id and job fields "
        "of your own.",
    )

    @field_validator("words", "per_class")
    @classmethod
    def _normalise_names(cls, value: dict[str, object]) -> dict[str, object]:
        return {normalise_class(name): entry for name, entry in value.items()}
