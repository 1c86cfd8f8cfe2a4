"""How surely copies of photos are recognised, and how fast.

`python benchmarks/copies.py FOLDER [--side 128] [--references 1000] [--queries 200]` takes the
images below FOLDER, the shorter side reduced to `side` pixels. The first `references` of a seeded
order are searched for; `queries` of them are disguised in each way, and as many others, which are
no copies, are to be told from them. It prints hits and false alarms at several thresholds of
agreement; the row "as searched" is that of `find_copies`. `--speed 5000` times that many images
against as many others instead.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import typer
from manyshot.core.image_files import image_files
from manyshot.trainer.copies import search
from manyshot.trainer.copies.search import find_copies
from manyshot.trainer.copies.signatures import Signature, signature_of
from manyshot.trainer.images import read_rgb
from PIL import Image, ImageEnhance, ImageFilter
from rich.console import Console
from rich.table import Table

THRESHOLDS = 0.8, 0.9, 0.98, 0.995, 0.998, 0.9985
Disguise = Callable[[Image.Image], Image.Image]


def encoded(form: str, quality: int) -> Disguise:
    def disguise(image: Image.Image) -> Image.Image:
        file = BytesIO()
        image.save(file, form, quality=quality)
        return Image.open(file).convert("RGB")

    return disguise


def cropped(share: float, x: float, y: float) -> Disguise:
    """`share` of each side, at `x` and `y` (0 to 1) of what is spare, enlarged again."""

    def disguise(image: Image.Image) -> Image.Image:
        width, height = (share * length for length in image.size)
        left, top = x * (image.width - width), y * (image.height - height)
        box = (left, top, left + width, top + height)
        return image.resize(image.size, Image.Resampling.BICUBIC, box)

    return disguise


def in_turn(*disguises: Disguise) -> Disguise:
    def disguise(image: Image.Image) -> Image.Image:
        for one in disguises:
            image = one(image)
        return image

    return disguise


def transposed(how: Image.Transpose) -> Disguise:
    return lambda image: image.transpose(how)


def resized(factor: float) -> Disguise:
    return lambda image: image.resize((round(factor * image.width), round(factor * image.height)))


DISGUISES: Mapping[str, Disguise] = {
    **{f"JPEG {quality}": encoded("JPEG", quality) for quality in (20, 50, 90)},
    "WebP 30": encoded("WEBP", 30),
    "half the size": resized(0.5),
    "twice the size": resized(2),
    "square": lambda image: image.resize((min(image.size), min(image.size))),
    "mirrored": transposed(Image.Transpose.FLIP_LEFT_RIGHT),
    "quarter turn": transposed(Image.Transpose.ROTATE_90),
    "half turn": transposed(Image.Transpose.ROTATE_180),
    "turned by 10 degrees": lambda image: image.rotate(10, Image.Resampling.BICUBIC),
    "corner, 80 % of each side": cropped(0.8, 0, 0),
    "centre, 80 %": cropped(0.8, 0.5, 0.5),
    "corner, 60 %": cropped(0.6, 1, 1),
    "centre, 50 %": cropped(0.5, 0.5, 0.5),
    "brightness + 40 %": lambda image: ImageEnhance.Brightness(image).enhance(1.4),
    "contrast - 40 %": lambda image: ImageEnhance.Contrast(image).enhance(0.6),
    "blur of 1 pixel": lambda image: image.filter(ImageFilter.GaussianBlur(1)),
    "mirrored corner, JPEG 30": in_turn(
        transposed(Image.Transpose.FLIP_LEFT_RIGHT), cropped(0.8, 1, 0), encoded("JPEG", 30)
    ),
}


def main(
    folder: Path,
    side: Annotated[int, typer.Option(help="Pixels of the shorter side.")] = 128,
    references: int = 1000,
    queries: int = 200,
    speed: Annotated[int, typer.Option(help="Time this many against as many, no more.")] = 0,
) -> None:
    """Print hits and false alarms of every disguise, or how long a search takes."""
    files = image_files(folder)
    order = np.random.default_rng(0).permutation(len(files))
    if speed:
        took(folder, side, speed)
        return
    photos = [small(files[i], side) for i in order[: references + queries]]
    known = [signed(photo) for photo in photos[:references]]
    least = search.least_agreement(known)
    table = Table("disguise", *(f"{one:g}" for one in THRESHOLDS), f"as searched ({least:.4f})")
    table.add_row("others (false alarms)", *figures(photos[references:], known, least, False))
    for name, disguise in DISGUISES.items():
        row = figures([disguise(photo) for photo in photos[:queries]], known, least, True)
        table.add_row(name, *row)
    Console(width=140).print(table)


def small(path: Path, side: int) -> Image.Image:
    return Image.fromarray(read_rgb(path, side))


def signed(image: Image.Image) -> Signature:
    return signature_of(np.asarray(image))


def figures(
    images: Sequence[Image.Image], known: Sequence[Signature], least: float, copies: bool
) -> list[str]:
    """Percent of the images that are told to be copies: of their own photo, or of any."""
    found = list(search.compare([signed(image) for image in images], known, None))
    thresholds = [*THRESHOLDS, least]
    told = [
        [{c.reference for c in search.clear_copies(i, one, at)} for i, one in enumerate(found)]
        for at in thresholds
    ]
    hits = [[i in places if copies else bool(places) for i, places in enumerate(t)] for t in told]
    return [f"{100 * np.mean(row):.1f} %" for row in hits]


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
