"""The subject recipe: a base model, photos, and training settings, validated."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ...core.paths import safe_name
from ...core.user_path import UserPath
from .subject_settings import Settings

MAX_TOKEN = 40  # characters


class RecipeModel(BaseModel):
    """Base of the recipe's models: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Subject(RecipeModel):
    """One subject: its word, what it is, and its photos."""

    token: str = Field(min_length=1, max_length=MAX_TOKEN, description="The new word.")
    noun: str = Field(min_length=1, max_length=80, description='What it is, such as "dog".')
    class_name: str | None = Field(
        default=None, description="Its class name in datasets; default: the token."
    )
    photos: list[UserPath] = Field(min_length=1, description="Its photos, or folders of photos.")
    masks: UserPath | None = Field(
        default=None,
        description="A folder of masks named like the photos, so that crops show the subject.",
    )
    boxes: dict[str, tuple[int, int, int, int]] = Field(
        default={},
        description="Photo file name: left, top, right, bottom of the subject in pixels, "
        "instead of masks.",
    )
    captions: dict[str, str] = Field(
        default={}, description="Photo file name: its background and pose, in words."
    )


class ClassFolders(RecipeModel):
    """One subject for each class of a dataset; a class's token is its name plus `ending`."""

    folder: UserPath = Field(description="A folder of class folders with photos.")
    noun: str | dict[str, str] = Field(
        description='What they are, such as "dog": one for all, or by class name.'
    )
    ending: str = Field(default="-m1", max_length=10, description="Suffix of the tokens.")
    masks: UserPath | None = Field(
        default=None, description="Class folders of masks, with the same names."
    )
    captions: dict[str, str] = Field(default={}, description="By class name/file name.")


def _check_tokens(tokens: Sequence[str]) -> None:
    """Raises ValueError for duplicates; text encoders and many file systems ignore case."""
    first: dict[str, str] = {}
    for token in tokens:
        safe_name(token, "token")
        if token.lower() not in first:
            first[token.lower()] = token
        elif first[token.lower()] == token:
            raise ValueError(f"the token {token!r} is given to two subjects")
        else:
            raise ValueError(
                f"the tokens {first[token.lower()]!r} and {token!r} differ only in case, "
                "which the model ignores. Change one of them"
            )


class SubjectRecipe(RecipeModel):
    """Photos in, a file for each subject out, or one for all."""

    base: UserPath | None = Field(
        default=None,
        description=(
            "The base model: a .safetensors checkpoint or a diffusers folder; default: "
            "manyshot-tiny."
        ),
    )
    output: UserPath = Field(description="The folder for trained files, checkpoints and samples.")
    subjects: list[Subject] = []
    classes: ClassFolders | None = Field(
        default=None, description="Class folders, instead of a list of subjects."
    )
    together: str | None = Field(
        default=None,
        description="The name of one file that trains all subjects together (lora, dreambooth).",
    )
    each_draw: bool = Field(
        default=False,
        description="Train the classes of each draw by itself: 'classes.folder' has a folder for "
        "each, as `manyshot shots RECIPE FOLDER --each-draw` makes them. Their files go to a "
        "folder for each draw in 'output'; tokens and 'together' end with the draw, as in -m1-5-0.",
    )
    keep_looks: bool = Field(
        default=False,
        description="Keep the file of every validation step in looks/, for `manyshot "
        "subject evaluate --choose`. With dreambooth each is a full checkpoint.",
    )
    samples: int = Field(
        default=4, ge=0, le=16, description="Sample images per subject at each validation step."
    )
    settings: Settings = Settings()

    @model_validator(mode="after")
    def _fits(self) -> "SubjectRecipe":
        if bool(self.subjects) == bool(self.classes):
            raise ValueError("set either 'subjects' or 'classes'")
        if self.each_draw and self.classes is None:
            raise ValueError("'each_draw' is for 'classes', whose folder has one for each draw")
        _check_tokens([subject.token for subject in self.subjects])
        if self.together is not None:
            safe_name(self.together, "name")
        return self
