"""What tests of exports share: dataset folders, and how masks are drawn again."""

from pathlib import Path

import numpy as np
import shapely
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from manyshot.core.masks.label_mask import LabelMask
from manyshot.core.masks.labelled_png import encode_png
from manyshot.core.records import METADATA, Record
from manyshot.driver.export.export_dataset import export
from manyshot.driver.export.options import Drawing, Format, Shapes
from PIL import Image

CLASSES = ("cat", "dog", "fruit fly")
RING = np.pad(np.ones((3, 3), bool), 2)
RING[3, 3] = False  # a hole
CORNERS = np.eye(6, 8, dtype=bool) | np.eye(6, 8, 3, dtype=bool)  # parts that touch at corners
FULL, EMPTY = np.ones((5, 7), bool), np.zeros((4, 4), bool)
HOLE_AT_CORNER = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 0]], bool)
SHAPES = [RING, CORNERS, FULL, EMPTY, HOLE_AT_CORNER]
FEW, QUICK = settings(max_examples=15, deadline=None), settings(max_examples=60, deadline=None)
sides = st.integers(1, 14)
masks = st.tuples(sides, sides).flatmap(lambda shape: arrays(np.bool_, shape))


def make(folder: Path, objects: list[np.ndarray], **changes: object) -> list[Record]:
    """A dataset folder of these masks, with images of noise, the classes in turn."""
    records = []
    for number, object_ in enumerate(objects):
        label = number % len(CLASSES)
        name = f"{CLASSES[label]}/{number}.png"
        pixels = np.random.default_rng(number).integers(0, 256, (*object_.shape, 3), np.uint8)
        for kind, content in (("images", pixels), ("masks", object_.astype(np.uint8) * 255)):
            path = folder / kind / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(content).save(path)
        facts = {
            "file_name": f"images/{name}",
            "mask_file_name": f"masks/{name}",
            "class_name": CLASSES[label],
            "label": label,
            "prompt": f"a photo, {number} | \U0001f431",
            "seed": 2**64 - 1 - number,
            **changes,
        }
        records.append(Record(**facts))
    write(folder, records)
    return records


def write(folder: Path, records: list[Record]) -> None:
    text = "".join(record.line() for record in records)
    (folder / METADATA).write_text(text, encoding="utf-8")


def run(folder: Path, to: str, out: Path, shapes: str = "polygons", share: float = 0.0, **more):
    drawing = Drawing(Shapes(shapes), more.get("tolerance", 0.0), more.get("instances", False))
    return export(folder, Format(to), out, drawing, share, more.get("seed", 0), lambda *_: None)


def files(folder: Path) -> dict[str, bytes]:
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def drawn(area: shapely.Geometry, shape: tuple[int, int]) -> np.ndarray:
    """The pixels whose middles lie in `area`."""
    rows, columns = np.mgrid[: shape[0], : shape[1]] + 0.5
    return shapely.contains_xy(area, columns, rows)


def even_odd(ring: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The pixels whose middles a ray to the right leaves an odd number of times."""
    rows, columns = (np.mgrid[: shape[0], : shape[1]] + 0.5)[..., None]
    (x0, y0), (x1, y1) = ring.T, np.roll(ring, -1, axis=0).T
    crosses = (y0 > rows) != (y1 > rows)
    with np.errstate(divide="ignore", invalid="ignore"):
        right = columns < (x1 - x0) * (rows - y0) / (y1 - y0) + x0
    return (crosses & right).sum(axis=2) % 2 == 1


def label_mask(object_: np.ndarray, other: np.ndarray) -> LabelMask:
    """A cat where `object_` is, over it a dog where `other` is; of one corner nothing is said."""
    labels = np.where(other, 2, object_).astype(np.uint8)
    labels[0, 0] = 255
    return LabelMask(labels, ("background", "cat", "dog"))


def make_labelled(folder: Path, masks_: list[LabelMask]) -> list[Record]:
    """A dataset folder of these label masks."""
    records = make(folder, [mask.labels > 0 for mask in masks_])
    for record, mask in zip(records, masks_, strict=True):
        (folder / str(record.mask_file_name)).write_bytes(encode_png(mask))
    return records
