"""How surely copies of photos are recognised, and how fast.

`python benchmarks/copies.py FOLDER [--side 128] [--references 1000] [--queries 200]` takes the
images below FOLDER, the shorter side reduced to `side` pixels. The first `references` of a seeded
order are searched for; `queries` of them are disguised in each way, and `others`, by default as
many, which are no copies, are to be told from them. It prints hits and false alarms at several
thresholds of agreement; the column "as searched" is that of `find_copies`. `--halves` divides the
images in two, tunes the cut on each half (the lowest without a false alarm) and shows both halves
at both cuts and at the search's own. `--speed 5000` times that many images against as many others
instead.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import typer
from disguises import DISGUISES
from manyshot.core.counted import in_percent
from manyshot.core.image_files import image_files
from manyshot.trainer.copies import copy_search as search
from manyshot.trainer.copies.copy_search import find_copies
from manyshot.trainer.copies.signatures import Signature, compute_signature
from manyshot.trainer.images import read_rgb
from PIL import Image
from rich.console import Console
from rich.table import Table

THRESHOLDS = 0.8, 0.9, 0.98, 0.995, 0.998, 0.9985
CUTS = np.arange(0.9, 1, 0.0005)  # that --halves chooses from
NONE = "others (false alarms)"


def main(
    folder: Path,
    side: Annotated[int, typer.Option(help="Pixels of the shorter side.")] = 128,
    references: int = 1000,
    queries: int = 200,
    others: int | None = None,
    halves: Annotated[bool, typer.Option("--halves", help="Tune on each half.")] = False,
    speed: Annotated[int, typer.Option(help="Time this many against as many, no more.")] = 0,
) -> None:
    """Print hits and false alarms of every disguise, or how long a search takes."""
    files = image_files(folder)
    order = np.random.default_rng(0).permutation(len(files))
    if speed:
        took(folder, side, speed)
        return
    parts = np.array_split(order, 2) if halves else [order]
    tried = [try_out([files[i] for i in part], side, references, queries, others) for part in parts]
    cuts = {f"{at:g}": [at] * len(tried) for at in THRESHOLDS}
    if halves:
        cuts = {f"tuned on {place + 1}": [lowest_cut(one)] * 2 for place, one in enumerate(tried)}
    cuts["as searched"] = [one.least for one in tried]
    for place, one in enumerate(tried):
        heads = (f"{name} ({at[place]:.4g})" for name, at in cuts.items())
        title = f"half {place + 1} of 2" if halves else None
        table = Table("disguise", *heads, title=title)
        for name in one.agreements:
            table.add_row(name, *(percent(one, name, at[place]) for at in cuts.values()))
        Console(width=140).print(table)


@dataclass(frozen=True)
class Tried:
    """Of each disguise, and of others, what each image agreed with; `least`: the search's cut."""

    least: float
    agreements: dict[str, list[dict[int, float]]]


def try_out(
    files: Sequence[Path], side: int, references: int, queries: int, others: int | None
) -> Tried:
    """Search disguised photos, and others, among the first `references`."""
    last = references + (queries if others is None else others)
    photos = [small(path, side) for path in files[:last]]
    known = [signed(photo) for photo in photos[:references]]
    tried = {NONE: photos[references:]}
    tried |= {name: [how(one) for one in photos[:queries]] for name, how in DISGUISES.items()}
    found = {
        name: list(search.compare([signed(one) for one in images], known, None))
        for name, images in tried.items()
    }
    return Tried(search.least_agreement(known), found)


def lowest_cut(tried: Tried) -> float:
    """The lowest cut at which none of the others is told to be a copy."""
    return next(float(at) for at in CUTS if not any(told(tried, NONE, float(at))))


def told(tried: Tried, name: str, at: float) -> list[bool]:
    """Whether each image is told to be a copy at a cut: of its own photo, or, of others, of any."""
    rows = enumerate(tried.agreements[name])
    copies = [(i, {copy.reference for copy in search.clear_copies(i, one, at)}) for i, one in rows]
    return [bool(places) if name == NONE else i in places for i, places in copies]


def percent(tried: Tried, name: str, at: float) -> str:
    return in_percent(float(np.mean(told(tried, name, at))), 1)


def small(path: Path, side: int) -> Image.Image:
    return Image.fromarray(read_rgb(path, side))


def signed(image: Image.Image) -> Signature:
    return compute_signature(np.asarray(image))


def took(folder: Path, side: int, count: int) -> None:
    """Time `count` images against as many others; they are repeated, mirrored, if too few."""
    files = image_files(folder)
    with TemporaryDirectory() as scratch:
        paths = [Path(scratch) / f"{number}.png" for number in range(2 * count)]
        for number, path in enumerate(paths):
            image = small(files[number % len(files)], side)
            turn = number // len(files) % 2
            (image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if turn else image).save(path)
        began, busy = time.perf_counter(), time.process_time()
        find_copies(paths[:count], paths[count:])
        seconds, processor = time.perf_counter() - began, time.process_time() - busy
    Console().print(f"{count} against {count}: {seconds:.0f} s, of one core {processor:.0f} s")


if __name__ == "__main__":
    typer.run(main)
