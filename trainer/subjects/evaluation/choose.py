"""Choosing a step: of the files that training kept at its looks, the most like without copying."""

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ....core.counted import counted, in_percent
from ....core.files import appearing


@dataclass(frozen=True)
class Scored:
    """A look's file and step; its pictures' similarity, and the share memorised in excess."""

    path: Path
    step: int
    similarity: float
    excess: float


def looks_of(path: Path) -> dict[int, Path]:
    """The files of the looks of a training, by step in their order; {} when none were kept."""
    folder = path.parent / "looks"
    form = re.compile(re.escape(path.stem) + r"-(\d{6,})\.safetensors")
    names = folder.iterdir() if folder.is_dir() else ()
    found = {int(match[1]): one for one in names if (match := form.fullmatch(one.name))}
    return dict(sorted(found.items()))


def choose(scored: Sequence[Scored], limit: float) -> Scored:
    """The most similar whose excess is at most `limit`, the earliest of equals.

    If all have more, the one that has least.
    """
    good = [one for one in scored if one.excess <= limit]
    if good:
        return max(good, key=lambda one: (one.similarity, -one.step))
    return min(scored, key=lambda one: (one.excess, one.step))


def why(chosen: Scored, scored: Sequence[Scored], limit: float) -> str:
    """The choice as a sentence."""
    if chosen.excess > limit:
        return (
            f"Every step repeats more than {in_percent(limit)} of training photos beyond what real "
            f"ones do; step {chosen.step} repeats least ({in_percent(chosen.excess)})."
        )
    over = sum(one.excess > limit for one in scored)
    left = f", {over} of them left out for repeating training photos" if over else ""
    return (
        f"Step {chosen.step} is the most similar ({chosen.similarity:.3f}) of "
        f"{counted(len(scored), 'look')}{left}."
    )


def put_in_place(chosen: Path, path: Path) -> None:
    """Copy the file of the look that was chosen to the subject's own."""
    with chosen.open("rb") as source, appearing(path) as target:
        shutil.copyfileobj(source, target)
