"""What a user may ask `manyshot start` for."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Method(StrEnum):
    """How subjects are trained: those of core/subject_file.py, for --help."""

    LORA = "lora"
    TEXTUAL_INVERSION = "textual_inversion"
    DREAMBOOTH = "dreambooth"


class Way(StrEnum):
    """How synthetic images are made."""

    SUBJECTS = "subjects"
    NAMES = "names"
    MASKS = "masks"


@dataclass(frozen=True)
class Options:
    """The options of the command; None is what `start` chooses by itself.

    `folder`: class folders; None is the solar cells of the demo. `servers`: empty for the embedded
    one, in which `comfyui` runs.
    """

    folder: Path | None
    output: Path
    noun: str | None = None
    test: Path | None = None
    way: Way | None = None
    method: Method | None = None
    shots: int | None = None
    draws: int | None = None
    images: int | None = None
    base: Path | None = None
    workflow: str | None = None
    servers: tuple[str, ...] = ()
    comfyui: Path | None = None
    quick: bool = False
