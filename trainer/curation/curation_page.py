"""agreement.html: how far generated pairs agree with real ones, on one page without scripts."""

import base64
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ...core.counted import in_percent
from ...core.files import write_text_atomic
from .distribution import class_rows, rows
from .pair_judgements import PairJudgements, Yardstick
from .pair_tiles import Rank, Tile

PAGE = "agreement.html"
HERE = Path(__file__).parent
TITLES: dict[Rank, str] = {
    "best": "Highest agreement",
    "middle": "Around the median",
    "worst": "Lowest agreement",
}


def write_page(
    place: Path,
    folder: Path,
    classes: Sequence[str],
    judged: PairJudgements,
    keep: np.ndarray,
    yardstick: Yardstick | None,
    pictures: Mapping[Rank, Sequence[Tile]],
    ignored: float,
) -> Path:
    """Write `place`/agreement.html, and return its path. The template engine escapes names."""
    plot = rows(_series(judged.agreement, keep, yardstick))
    real = None if yardstick is None else (yardstick.class_names, yardstick.agreement)
    style = (HERE / "page.css").read_text(encoding="utf-8")
    text = (
        _environment()
        .get_template("page.html.jinja")
        .render(
            title=folder.name,
            lead=lead(judged.agreement, keep, yardstick),
            plot=plot,
            how=None if yardstick is None else yardstick.how,
            classes=class_rows(classes, judged.agreement, keep, real),
            shown=_of_masks(judged, keep, yardstick),
            sheet=[(TITLES[rank], tiles) for rank, tiles in pictures.items() if tiles],
            ignored=ignored,
            style=Markup(style),  # our own file, and the policy allows this very text
            digest=base64.b64encode(sha256(style.encode()).digest()).decode(),
        )
    )
    write_text_atomic(place / PAGE, text)
    return place / PAGE


def lead(agreement: np.ndarray, keep: np.ndarray, yardstick: Yardstick | None) -> str:
    """The finding in one sentence."""
    sentence = f"Generated pairs agree to {_percent(agreement)} (median)"
    if yardstick is not None:
        sentence += "; real ones, which the segmenter had not learned from, to "
        sentence += _percent(yardstick.agreement)
    if keep.all():
        return f"{sentence}. All {len(keep):,} are kept."
    if not keep.any():
        return f"{sentence}. None of the {len(keep):,} is kept."
    share = _percent(agreement[keep])
    return f"{sentence}. Of {len(keep):,}, {keep.sum():,} are kept, which agree to {share}."


def _percent(shares: np.ndarray) -> str:
    return in_percent(float(np.median(shares)))


def _series(
    agreement: np.ndarray, keep: np.ndarray, yardstick: Yardstick | None
) -> list[tuple[str, str, np.ndarray]]:
    series = [("Generated", "before", agreement), ("Generated, kept", "after", agreement[keep])]
    if yardstick is None:
        return series
    return [("Real, held out", "real", yardstick.agreement), *series]


def _of_masks(
    judged: PairJudgements, keep: np.ndarray, yardstick: Yardstick | None
) -> list[tuple[str, list[str]]]:
    """Of each class that masks show the median IoU: real, generated, kept."""
    parts = [judged.by_class, judged.by_class[keep]]
    parts = parts if yardstick is None else [yardstick.by_class, *parts]
    return [
        (name, [_median(shares[:, place]) for shares in parts])
        for place, name in enumerate(judged.classes)
        if not np.isnan(judged.by_class[:, place]).all()
    ]


def _median(shares: np.ndarray) -> str:
    finite = shares[~np.isnan(shares)]
    return _percent(finite) if len(finite) else "–"


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
