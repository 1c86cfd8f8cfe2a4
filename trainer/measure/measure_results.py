"""results.json: every run with what decided it and what came of it; the report needs no more."""

import base64
import math
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ...core.errors import InputError, ManyshotError
from ...core.files import write_text_atomic
from ...core.json_text import read_json
from .arms import Arm
from .gain import Verdict
from .published import PublishedRow

FILE = "results.json"
DAMAGED = (
    f"The values of the images in {FILE} are damaged: cut off or changed. Restore the file, or "
    "move it away and measure again."
)
UNKNOWN = 255  # the byte of a share that is not known
METHOD = 3  # one more whenever equal configs would give other figures
LATER: dict[str, object] = {"of": None, "trust": "none"}  # fields of arms, and what they were
Protocol = Literal["fair", "thesis"]
Task = Literal["classification", "segmentation"]
SampleKind = Literal["real", "synthetic"]
Figure = Annotated[float, BeforeValidator(lambda value: math.nan if value is None else value)]
"""A figure, or nan where there is none: null in the file, for JSON has no nan."""
Bounds = tuple[Figure, Figure]
"""The ends of an interval."""
Base64 = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]*={0,2}$")]


class Value(BaseModel):
    """A part of results.json."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


class Config(Value):
    """Everything that decides a run. `material`: a digest of all that is learned from.

    `matched`: the arm whose steps a real-only run of the thesis protocol was given.
    """

    material: str
    learner: str
    protocol: Protocol
    arm: Arm
    shots: int
    draw: int
    seed: int
    steps: int | None
    batch: int
    matched: Arm | None = None
    method: int = METHOD

    @property
    def key(self) -> str:
        """Equal for equal runs: what resuming rests on.

        What arms learned to do later is left out where they do not, so that earlier runs count.
        """
        aside = {"arm": _is_unused(self.arm), "matched": _is_unused(self.matched)}
        text = self.model_dump_json(exclude=aside)
        return sha256(text.encode()).hexdigest()[:16]


def _is_unused(arm: Arm | None) -> set[str]:
    """The later fields of an arm that are as if they were not there."""
    return {name for name, was in LATER.items() if getattr(arm, name, was) == was}


class Run(Value):
    """A finished run. `metrics` (the main one first) and `by_class` are from 0 to 1.

    `by_image`: each test image's part in the main metric, which is their mean (see `unpack`).

    `agreement`: of arms with trust, how far the draw's real images agree with each synthetic pair,
    in the order of the split (see `unpack_shares`); `ignored`: the share of all their labels that
    was noise.

    `chosen`: the arm that "auto" chose. `real`, `added`: images learned from. `steps`: taken.
    """

    key: str
    config: Config
    chosen: Arm
    why: str
    real: int
    added: int
    steps: int
    rate: float
    decay: float
    metrics: dict[str, Figure]
    by_class: list[float]
    by_image: str
    seconds: float
    agreement: Base64 | None = None
    ignored: float | None = None


class DrawRow(Value):
    """The images of a draw by name. `seen`: how many of them the generator has learned from."""

    shots: int
    seed: int
    images: list[str]
    seen: int


class GainRow(Value):
    """An arm against real only, in points: percent of the main `metric`. Bounds are of 95 %.

    `value`, `baseline`: what the arm and what it is compared with reach, in percent; `value_bounds`
    and `baseline_bounds` are of these. `bootstrap`: the hierarchical bootstrap's bounds, over draws
    alone, as a second opinion; none for a single draw. `by_class`, and `others` by the metric's
    name: differences in points. `class_bounds`: of all classes together, each widened for their
    number (Bonferroni); empty where an image is not of one class. `shared`, `other_photos`: as of
    `Gain`; files of earlier versions have neither.
    """

    shots: int
    arm: str
    against: str
    metric: str
    value: float
    baseline: float
    gain: float
    low: float
    high: float
    relative: Figure
    bootstrap: Bounds
    verdict: Verdict
    draws: int
    seeds: int
    draws_to_tell: int | None
    others: dict[str, Figure]
    by_class: list[float]
    sentence: str
    class_bounds: list[Bounds] = []
    value_bounds: Bounds | None = None
    baseline_bounds: Bounds | None = None
    shared: float = 0.0
    other_photos: bool = True


class Split(Value):
    """Names of the images: what draws may come from, what is tested on, what is synthetic."""

    description: str
    real: list[str]
    synthetic: list[str]
    test: list[str]


class Sample(Value):
    """A thumbnail of an image that was learned from: a square JPEG in base64.

    `mask`: a PNG in base64 of the same size to lay over it, transparent where nothing is marked.
    """

    class_name: str
    kind: SampleKind
    name: str
    jpeg: Base64
    mask: Base64 | None = None


class Results(Value):
    """The whole file. `notes`: what a reader must know, such as what was not controlled."""

    format: int = 2
    task: Task = "classification"
    recipe: dict[str, Any]
    versions: dict[str, str]
    classes: list[str]
    learner: str
    backbone: str
    split: Split
    notes: list[str] = []
    draws: list[DrawRow] = []
    runs: list[Run] = []
    gains: list[GainRow] = []
    published: list[PublishedRow] = []
    samples: list[Sample] = []


def write_results(folder: Path, results: Results) -> None:
    """Write `folder`/results.json, whole or not at all."""
    path = folder / FILE
    try:
        write_text_atomic(path, results.model_dump_json(indent=1) + "\n")
    except OSError as error:
        raise ManyshotError(
            f"Writing {path} failed: {error.strerror}. Runs that it holds already are kept: "
            "free up space and run the same command again."
        ) from None


def read_results(folder: Path) -> Results:
    """Raises InputError when there is none, or when it is not one of ours."""
    return read_results_file(folder / FILE)


def read_results_file(path: Path) -> Results:
    """The same for a file of any name."""
    try:
        return Results.model_validate(read_json(path))
    except FileNotFoundError:
        raise InputError(f"There is no {path}; `manyshot measure` writes it.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    except (ValidationError, ValueError) as error:
        first = str(error).splitlines()[0]
        raise InputError(
            f"{path} is not a file of this version ({first}). Move it away and measure again."
        ) from None


def pack(values: np.ndarray) -> str:
    """A value of each test image (n) as text: bool as bits, others as 32-bit floats."""
    stored = np.packbits(values) if values.dtype == bool else values.astype("<f4")
    return base64.b64encode(stored.tobytes()).decode()


def unpack(text: str, count: int) -> np.ndarray:
    """`pack` undone: float64 (count). Raises InputError for a text that is no such values."""
    stored = _to_bytes(text)
    if len(stored) not in (4 * count, (count + 7) // 8):
        raise InputError(DAMAGED)
    if len(stored) == 4 * count:
        return np.frombuffer(stored, "<f4").astype(np.float64)
    return np.unpackbits(np.frombuffer(stored, np.uint8), count=count).astype(np.float64)


def pack_shares(values: np.ndarray) -> str:
    """Shares (n) from 0 to 1, or nan for what is not known, as text: half percents, a byte each."""
    stored = np.where(np.isnan(values), UNKNOWN, np.round(200 * np.nan_to_num(values)))
    return base64.b64encode(stored.astype(np.uint8).tobytes()).decode()


def unpack_shares(text: str) -> np.ndarray:
    """`pack_shares` undone: float64 (n), to half a percent. Raises InputError as `unpack`."""
    stored = np.frombuffer(_to_bytes(text), np.uint8)
    return np.where(stored == UNKNOWN, np.nan, stored / 200)


def _to_bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise InputError(DAMAGED) from None
