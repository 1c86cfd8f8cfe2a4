"""evaluation.json: what an evaluation of subjects found, all of it."""

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from ....core.errors import InputError
from ....core.files import read_plain, write_text_whole
from ...base.evaluation.figures import rounded
from .lettering import Lettering
from .likeness import Bounds, Interval

FILE = "evaluation.json"


class Strict(BaseModel):
    """A part of the results: frozen, and without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Likeness(Strict):
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


class Memorised(Strict):
    """The share of pictures that repeat a training photo, and that of held-out photos beside it."""

    share: float
    expected: float
    threshold: float
    photos: int


class Row(Strict):
    """Pictures of one origin: a trained file, a prompt of the plain base, or a dataset folder.

    `file`, `step`, `steps`, `seconds`, `size` (bytes) and `together` (subjects in it) are of a
    trained file. `choosing`: the pictures only took part in the choice of a step.
    """

    method: str
    word: str
    pictures: int
    likeness: dict[str, Likeness]
    memorised: Memorised | None = None
    lettering: Lettering | None = None
    file: str | None = None
    step: int | None = None
    steps: int | None = None
    seconds: float | None = None
    size: int | None = None
    together: int | None = None


class Reference(Strict):
    """What figures by one extractor are held against.

    `autoencoder`: similarity of other real photos that went through the base's autoencoder.
    `own_class`: of training photos. `in_context`: of the noun's own pictures; `by_chance` of any.
    """

    bounds: Bounds
    autoencoder: float | None = None
    own_class: float | None = None
    in_context: float | None = None
    by_chance: float | None = None


class Choice(Strict):
    """A step that was chosen among looks; `looks`: (step, similarity, excess of memorised)."""

    file: str
    step: int
    looks: list[tuple[int, float, float]]
    sentence: str


class SubjectFigures(Strict):
    """All figures of one class; `training` and `held_out` are how many photos there are."""

    class_name: str
    noun: str
    training: int
    held_out: int
    reference: dict[str, Reference]
    rows: list[Row]
    choices: list[Choice] = []
    notes: list[str] = []


class Evaluation(Strict):
    """`extractors`: what a reader must know of each, by id; the first is the one to go by."""

    format: int = 1
    extractors: dict[str, str]
    drawing: dict[str, object]
    subjects: list[SubjectFigures]


def write_results(folder: Path, found: Evaluation) -> Path:
    """Write the results, and say where."""
    path = folder / FILE
    text = json.dumps(rounded(found.model_dump(mode="json")), indent=2, ensure_ascii=False)
    write_text_whole(path, text + "\n")
    return path


def read_results(path: Path) -> Evaluation:
    """What `write_results` wrote. Raises InputError for another file, or none."""
    try:
        return Evaluation.model_validate_json(read_plain(path))
    except (OSError, ValidationError) as error:
        raise InputError(f"{path} is no evaluation of subjects: {error}") from None
