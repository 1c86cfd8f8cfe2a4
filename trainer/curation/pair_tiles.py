"""Pictures of pairs for a person to judge: what the mask says, what the segmenter found, what is
noise."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image
from scipy.ndimage import binary_dilation

from ...core.masks.borders import without_border
from ...core.paths import inside
from ...core.records import Record
from ..images import read_rgb
from ..measure.segmentation.pair_cache import read_store
from .curation_pairs import RealPairs, build_pair
from .pair_judgements import PairJudgements, resize_noise, unpack_noise
from .pair_reader import Reader
from .write_curated import label_mask

SIDE = 288  # pixels of a picture's longer side; shown at about half of it
EACH = 6
WHOLE = 1 << 16  # a shorter side that no image has
STRIPES, WIDTH = 10, 2  # pixels between the hatching's lines, and of each
SAID, FOUND, HATCH, HALO = (255, 214, 0), (0, 209, 255), (255, 255, 255), (0, 0, 0)
Rank = Literal["best", "middle", "worst"]


@dataclass(frozen=True)
class Tile:
    """One pair on the sheet; `jpeg` in base64."""

    name: str
    class_name: str
    agreement: float
    kept: bool
    noise: float
    jpeg: str


def choose_places(agreement: np.ndarray, each: int = EACH) -> dict[Rank, list[int]]:
    """The pairs to look at, best first: the highest, those around the median, and the lowest."""
    order = np.argsort(-agreement, kind="stable").tolist()
    if len(order) <= 3 * each:
        best, middle, worst = (group.tolist() for group in np.array_split(np.array(order, int), 3))
        return {"best": best, "middle": middle, "worst": worst}
    start = (len(order) - each) // 2
    return {
        "best": order[:each],
        "middle": order[start : start + each],
        "worst": order[-each:],
    }


def tiles(
    folder: Path,
    records: Sequence[Record],
    judged: PairJudgements,
    keep: np.ndarray,
    chosen: dict[Rank, list[int]],
    reader: Reader,
    real: RealPairs,
) -> dict[Rank, list[Tile]]:
    """Pictures of the `chosen` records, by their ranks."""
    places = sorted({place for of_rank in chosen.values() for place in of_rank})
    pairs = [build_pair(folder, records[place]) for place in places]
    images, masks = read_store(pairs, real.code, reader.segmenter.size, lambda *facts: None)
    predicted = np.concatenate(
        [read.predicted for read in reader.read(real, images, real.count_pixels(masks))]
    )
    tile_by_place = {
        place: _tile(folder, records[place], judged, place, bool(keep[place]), labels, real)
        for place, labels in zip(places, predicted, strict=True)
    }
    return {rank: [tile_by_place[place] for place in of_rank] for rank, of_rank in chosen.items()}


def _tile(
    folder: Path,
    record: Record,
    judged: PairJudgements,
    place: int,
    keep: bool,
    predicted: np.ndarray,
    real: RealPairs,
) -> Tile:
    image = read_rgb(inside(folder, record.file_name), WHOLE)
    mask = label_mask(inside(folder, str(record.mask_file_name)), real.code)
    noise = unpack_noise(judged.noise[place])
    labels = without_border(mask.labels, mask.ignored)
    shown = picture(image, labels, predicted, noise)
    share = float(noise.mean())
    name = record.file_name
    return Tile(name, record.class_name, float(judged.agreement[place]), keep, share, _jpeg(shown))


def picture(
    image: np.ndarray, mask_labels: np.ndarray, predicted: np.ndarray, noise: np.ndarray
) -> np.ndarray:
    """RGB bytes of an image with both outlines, the mask's on top, and its noise hatched.

    `mask_labels` has the image's size; `predicted` and `noise` are of any.
    """
    scale = SIDE / max(image.shape[:2])
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    canvas = np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.LANCZOS))
    rows, columns = np.mgrid[:height, :width]
    lines = resize_noise(noise, (height, width)) & ((rows + columns) % STRIPES < WIDTH)
    canvas = np.where(lines[..., None], canvas * 0.25 + np.array(HATCH) * 0.75, canvas)
    canvas = canvas.astype(np.uint8)
    for labels, colour in ((predicted, FOUND), (mask_labels, SAID)):
        edge = outline(_indices(labels, height, width))
        canvas[np.asarray(binary_dilation(edge), bool)] = HALO
        canvas[edge] = colour
    return canvas


def _indices(labels: np.ndarray, height: int, width: int) -> np.ndarray:
    small = Image.fromarray(labels.astype(np.uint8))
    return np.asarray(small.resize((width, height), Image.Resampling.NEAREST))


def outline(labels: np.ndarray) -> np.ndarray:
    """Pixels (height, width) on either side of a change of labels."""
    edge = np.zeros(labels.shape, bool)
    for axis in (0, 1):
        ahead, behind = (np.take(labels, range(*ends), axis) for ends in _ends(labels.shape[axis]))
        change = ahead != behind
        before = [(0, 0), (0, 0)]
        before[axis] = (0, 1)
        after = [(0, 0), (0, 0)]
        after[axis] = (1, 0)
        edge |= np.pad(change, before) | np.pad(change, after)
    return edge


def _ends(count: int) -> tuple[tuple[int, int], tuple[int, int]]:
    return (1, count), (0, count - 1)


def _jpeg(image: np.ndarray) -> str:
    file = BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=85, optimize=True)
    return base64.b64encode(file.getvalue()).decode()
