"""evaluation.json: all results of an evaluation of subjects."""

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from ....core.counted import round_figures
from ....core.errors import InputError
from ....core.files import read_regular, write_text_atomic
from .subject_fidelity import Bounds, Interval
from .text_rendering import TextRendering

FILE = "evaluation.json"


class ResultModel(BaseModel):
    """Base of the results' models: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SubjectFidelity(ResultModel):
    """Figures of pictures by one extractor; None where what they need is missing.

    `reached`: 0 is the mean of other classes, 1 other real photos of the subject. `above`:
    similarity less that of the class-name prompt. `diversity`: over that of real photos.
    `own_class` and `in_context`: shares (0 to 1). `text`: the cosine to the prompt.
    """

    similarity: Interval
    reached: float | None = None
    above: Interval | None = None
    diversity: float | None = None
    own_class: float | None = None
    in_context: float | None = None
    text: float | None = None


class MemorisationFigures(ResultModel):
    """The share of pictures that copy a training photo, and that of held-out photos."""

    share: float
    expected: float
    threshold: float
    photos: int


class Row(ResultModel):
    """Pictures of one method: a trained file, a prompt on the plain base, or a dataset folder.

    `file`, `step`, `steps`, `seconds`, `size` (bytes) and `together` (its number of subjects)
    describe a trained file.
    """

    method: str
    word: str
    pictures: int
    likeness: dict[str, SubjectFidelity]
    memorised: MemorisationFigures | None = None
    lettering: TextRendering | None = None
    file: str | None = None
    step: int | None = None
    steps: int | None = None
    seconds: float | None = None
    size: int | None = None
    together: int | None = None


class Reference(ResultModel):
    """Reference values for figures by one extractor.

    `autoencoder`: similarity of real photos reconstructed by the base's autoencoder. `own_class`:
    of training photos. `in_context`: of the noun's own pictures; `by_chance`: of any.
    """

    bounds: Bounds
    autoencoder: float | None = None
    own_class: float | None = None
    in_context: float | None = None
    by_chance: float | None = None


class Choice(ResultModel):
    """The chosen step; `looks`: (step, similarity, excess memorised) of each checkpoint."""

    file: str
    step: int
    looks: list[tuple[int, float, float]]
    sentence: str


class SubjectFigures(ResultModel):
    """All figures of one class; `training` and `held_out` are numbers of photos."""

    class_name: str
    noun: str
    training: int
    held_out: int
    reference: dict[str, Reference]
    rows: list[Row]
    choices: list[Choice] = []
    notes: list[str] = []


class Evaluation(ResultModel):
    """`extractors`: a note on each, by id; the first one is decisive."""

    format: int = 1
    extractors: dict[str, str]
    drawing: dict[str, object]
    subjects: list[SubjectFigures]


def write_results(folder: Path, evaluation: Evaluation) -> Path:
    """Write the results; returns the file's path."""
    path = folder / FILE
    text = json.dumps(
        round_figures(evaluation.model_dump(mode="json")), indent=2, ensure_ascii=False
    )
    write_text_atomic(path, text + "\n")
    return path


def read_results(path: Path) -> Evaluation:
    """Read what `write_results` wrote. Raises InputError for any other file, or none."""
    try:
        return Evaluation.model_validate_json(read_regular(path))
    except (OSError, ValidationError) as error:
        raise InputError(f"{path} is not a subject evaluation: {error}") from None
