"""A COCO annotations file: for each image its objects, as polygons or run lengths, and its mask."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from ..classes import check_apart, normalise_class
from ..counted import did_you_mean, pluralize
from ..errors import InputError
from ..images import MOST_PIXELS
from ..json_text import read_json
from .label_mask import BACKGROUND, IGNORE, MOST_CLASSES, LabelMask, check_mask
from .polygons import box_size, crossings, fill
from .rle import check_runs, fill_runs

MOST_BYTES = 768 * 2**20  # COCO's own largest file of annotations has 450 MB
MOST_COORDINATE = 2**28  # in pixels: more is a mistake
MOST_POINTS = 100_000  # of one polygon
MOST_WORK = 2**31  # pixels that the objects of one image touch: seconds
PIXELS_A_RUN = 4  # what a run costs beside its pixels
PIXELS_A_CROSSING = 64  # where an outline crosses a row takes so much longer


class _Runs(BaseModel):
    counts: list[int] | str
    size: tuple[int, int]


class _Category(BaseModel):
    id: int
    name: str


class _Image(BaseModel):
    id: int
    file_name: str
    height: int = Field(gt=0)
    width: int = Field(gt=0)


class _Annotation(BaseModel):
    image_id: int
    category_id: int
    segmentation: list[list[float]] | _Runs = []
    iscrowd: bool = False


class _File(BaseModel):
    images: list[_Image]
    annotations: list[_Annotation]
    categories: list[_Category]


@dataclass(frozen=True, eq=False)
class CocoObject:
    """One annotation: `polygons` (each (n, 2), x and y), or `runs` of its image's pixels.

    Nothing is drawn before it is asked for.
    """

    class_name: str
    polygons: tuple[np.ndarray, ...] = ()
    runs: np.ndarray | None = None
    crowd: bool = False

    def rasterise(self, height: int, width: int) -> np.ndarray:
        """A bool mask (height, width) of all its parts together."""
        if self.runs is not None:
            return fill_runs(self.runs, height, width)
        mask = np.zeros((height, width), bool)
        for polygon in self.polygons:
            fill(mask, polygon)
        return mask


@dataclass(frozen=True, eq=False)
class CocoImage:
    """An image with its objects in the file's order: later ones lie on top."""

    file_name: str
    height: int
    width: int
    objects: tuple[CocoObject, ...]

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.height, self.width

    def label_mask(self, classes: Sequence[str]) -> LabelMask:
        """Its mask: background, then `classes` in their order. Crowds are ignored.

        Objects of other classes are background. Raises InputError when nothing is left, and for
        more objects than can be drawn at that size.
        """
        _check_work(self)
        names = (BACKGROUND, *(name for name in classes if name != BACKGROUND))
        values = [
            (item, IGNORE if item.crowd else names.index(item.class_name))
            for item in self.objects
            if item.class_name in classes
        ]
        return check_mask(LabelMask(_draw(values, *self.size), names), self.file_name)


def read_coco(path: Path) -> tuple[tuple[str, ...], tuple[CocoImage, ...]]:
    """The classes of an annotations file by their ids, and its images by their ids.

    File names are as they stand there: open them by core.paths.inside.

    Raises InputError, naming the file: unreadable, of another form, or an annotation that names no
    image or category, fits its image badly, or has a damaged outline.
    """
    file = _read(path)
    names = {category.id: normalise_class(category.name) for category in file.categories}
    check_apart(category.name for category in file.categories)
    images = {image.id: image for image in file.images}
    _check_ids(path, "category", [(category.id, category.name) for category in file.categories])
    _check_ids(path, "image", [(image.id, image.file_name) for image in file.images])
    for image in file.images:
        if image.height * image.width > MOST_PIXELS:
            raise InputError(
                f"{path}: {image.file_name} has {image.width}x{image.height} pixels; the "
                f"limit is {MOST_PIXELS // 10**6} million."
            )
    objects: dict[int, list[CocoObject]] = {key: [] for key in images}
    for place, annotation in enumerate(file.annotations):
        if annotation.image_id not in images or annotation.category_id not in names:
            raise InputError(
                f"{path}: annotation {place} refers to an image or a category that does not exist."
            )
        try:
            item = _object(annotation, images[annotation.image_id], names[annotation.category_id])
        except InputError as error:
            raise InputError(f"{path}: annotation {place}: {error}") from None
        objects[annotation.image_id].append(item)
    listed = tuple(
        CocoImage(image.file_name, image.height, image.width, tuple(objects[key]))
        for key, image in sorted(images.items())
    )
    return tuple(names[key] for key in sorted(names)), listed


def _draw(values: Sequence[tuple[CocoObject, int]], height: int, width: int) -> np.ndarray:
    """Labels (height, width), bytes: each object's value where it is. Polygons cost the box that
    they lie in, run lengths the whole image."""
    labels, canvas = np.zeros((height, width), np.uint8), np.zeros((height, width), bool)
    for item, value in values:
        if item.runs is not None:
            np.copyto(labels, value, where=fill_runs(item.runs, height, width), casting="unsafe")
            continue
        boxes = [box for polygon in item.polygons if (box := fill(canvas, polygon))]
        for box in boxes:
            np.copyto(labels[box], value, where=canvas[box], casting="unsafe")
        for box in boxes:
            canvas[box] = False
    return labels


def _work(item: CocoObject, height: int, width: int) -> float:
    """What drawing an object costs, in pixels."""
    if item.runs is not None:
        return height * width + PIXELS_A_RUN * len(item.runs)
    boxes = sum(box_size(polygon, height, width) for polygon in item.polygons)
    return boxes + PIXELS_A_CROSSING * sum(crossings(polygon, height) for polygon in item.polygons)


def _check_work(image: CocoImage) -> None:
    polygons = [polygon for item in image.objects for polygon in item.polygons]
    if sum(_work(item, *image.size) for item in image.objects) > MOST_WORK:
        points = sum(map(len, polygons))
        raise InputError(
            f"{image.file_name} has {pluralize(len(image.objects), 'object')} of "
            f"{pluralize(points, 'point')} at {image.width}x{image.height} pixels: too many "
            "to draw. Remove some, or shrink the image."
        )


def _check_ids(path: Path, what: str, entries: Sequence[tuple[int, str]]) -> None:
    """Raises InputError when one id stands for two, or one name has two ids."""
    by_id: dict[int, str] = {}
    by_name: dict[str, int] = {}
    for number, name in entries:
        if number in by_id:
            raise InputError(
                f"{path}: the {what} id {number} stands for both {by_id[number]!r} and "
                f"{name!r}. Give each its own id."
            )
        if name in by_name:
            raise InputError(
                f"{path}: the {what} {name!r} has two ids, {by_name[name]} and {number}. "
                "Merge them, or rename one."
            )
        by_id[number], by_name[name] = name, number


def check_coco_classes(names: Sequence[str], available: Sequence[str]) -> None:
    """Raises InputError for a class that the file lacks, and for too many of them."""
    for name in names:
        if name not in available:
            raise InputError(f"No category is named {name!r}.{did_you_mean(name, available)}")
    if len(names) >= MOST_CLASSES:
        raise InputError(
            f"A mask can hold up to {MOST_CLASSES - 1} classes; {len(names)} are named."
        )


def _read(path: Path) -> _File:
    try:
        return _File.model_validate(read_json(path, MOST_BYTES))
    except (OSError, ValueError) as error:
        reason = _where(error) if isinstance(error, ValidationError) else str(error)
        raise InputError(f"The annotations {path} cannot be read ({reason}).") from None


def _where(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    return f"{'.'.join(str(key) for key in first['loc'])}: {first['msg']}"


def _object(annotation: _Annotation, image: _Image, name: str) -> CocoObject:
    outline, crowd = annotation.segmentation, annotation.iscrowd
    if isinstance(outline, _Runs):
        if outline.size != (image.height, image.width):
            raise InputError(
                f"the mask has {outline.size[1]}x{outline.size[0]} pixels and its image "
                f"{image.file_name} {image.width}x{image.height}."
            )
        return CocoObject(name, runs=check_runs(outline.counts, *outline.size), crowd=crowd)
    if not outline:
        raise InputError(f"it has no outline ('segmentation'): {image.file_name} needs one.")
    return CocoObject(name, tuple(_polygon(polygon) for polygon in outline), crowd=crowd)


def _polygon(coordinates: list[float]) -> np.ndarray:
    if len(coordinates) > 2 * MOST_POINTS:
        raise InputError(
            f"a polygon has {len(coordinates) // 2:,} points; the limit is {MOST_POINTS:,}."
        )
    if (
        len(coordinates) < 6
        or len(coordinates) % 2
        or not np.less(np.abs(coordinates), MOST_COORDINATE).all()
    ):
        raise InputError("a polygon needs at least three points, each with x and y in pixels.")
    return np.array(coordinates, float).reshape(-1, 2)
