"""The recipe of subjects: a base model, photos, and how to train, as one validated value."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ...core.paths import safe_name
from .settings import Settings


class Strict(BaseModel):
    """A part of the recipe: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Subject(Strict):
    """One subject: its word, what it is, and its photos."""

    token: str = Field(min_length=1, max_length=40, description="The new word.")
    noun: str = Field(min_length=1, max_length=80, description='What it is, as in "dog".')
    photos: list[Path] = Field(default=[], description="Its photos, or folders of them.")
    masks: Path | None = Field(
        default=None, description="A folder of masks named as the photos: crops show the subject."
    )
    captions: dict[str, str] = Field(
        default={}, description="By a photo's file name: its background and pose, in words."
    )


class SubjectRecipe(Strict):
    """Photos in, a file for each subject out."""

    base: Path | None = Field(
        default=None,
        description="A .safetensors checkpoint or a diffusers folder; default: manyshot-tiny.",
    )
    output: Path = Field(description="The folder of the files, checkpoints and pictures.")
    subjects: list[Subject] = Field(min_length=1)
    settings: Settings = Settings()

    @model_validator(mode="after")
    def _fits(self) -> "SubjectRecipe":
        tokens = [subject.token for subject in self.subjects]
        twice = next((token for token in tokens if tokens.count(token) > 1), None)
        if twice:
            raise ValueError(f"the token {twice!r} is given to two subjects")
        for token in tokens:
            safe_name(token, "token")
        return self
