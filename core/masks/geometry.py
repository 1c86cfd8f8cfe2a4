"""One transform for image, mask, control image, box and polygon, so that all stay in step.

Pixel (row, column) covers the places column to column + 1 and row to row + 1; its centre lies at
x = column + 0.5, y = row + 0.5. Each pixel of a result shows what lies at its centre in the source.
"""

from dataclasses import dataclass, replace
from math import cos, radians, sin, tan

import numpy as np
from PIL import Image

from ..errors import InputError
from .label_mask import LabelMask

Size = tuple[int, int]  # height and width in pixels
Box = tuple[int, int, int, int]  # left, top, right, bottom; right and bottom lie just outside


@dataclass(frozen=True)
class Transform:
    """Maps places (x, y) of a source to (a x + b y + c, d x + e y + f) in a result of `size`."""

    matrix: tuple[float, float, float, float, float, float]
    size: Size
    source: Size

    def then(self, other: "Transform") -> "Transform":
        """This transform, and the other after it."""
        product = _square(other) @ _square(self)
        return Transform(_row(product), other.size, self.source)

    def inverse(self) -> "Transform":
        """From the result back to the source."""
        return Transform(_row(np.linalg.inv(_square(self))), self.source, self.size)

    def points(self, points: np.ndarray) -> np.ndarray:
        """Places (n, 2), x and y; also those of polygons. They may leave the canvas."""
        square = _square(self)
        return points @ square[:2, :2].T + square[:2, 2]

    def labels(self, labels: np.ndarray, outside: int) -> np.ndarray:
        """Labels (height, width) by nearest neighbours; `outside` beyond the source's edges."""
        columns, rows, there = self._places()
        return np.where(there, labels[rows, columns], labels.dtype.type(outside))

    def mask(self, mask: LabelMask) -> LabelMask:
        """A mask by nearest neighbours; what comes in from outside is background."""
        return replace(mask, labels=self.labels(mask.labels, mask.outside))

    def control(self, control: np.ndarray, outside: tuple[int, ...] = (0, 0, 0)) -> np.ndarray:
        """A control image (height, width, 3) by nearest neighbours: no colour is mixed."""
        columns, rows, there = self._places()
        moved = control[rows, columns]
        moved[~there] = outside
        return moved

    def image(self, image: np.ndarray, outside: tuple[int, ...] = (0, 0, 0)) -> np.ndarray:
        """An image, bytes (height, width, 3), bilinear; `outside` beyond the source's edges."""
        height, width = self.size
        back = self.inverse().matrix
        moved = Image.fromarray(image).transform(
            (width, height),
            Image.Transform.AFFINE,
            back,
            Image.Resampling.BILINEAR,
            fillcolor=outside,
        )
        return np.asarray(moved)

    def box(self, box: Box) -> Box:
        """The box around a moved box, within the canvas.

        Where there is a mask, the box of the moved mask is the tighter one: objects.boxes.
        """
        left, top, right, bottom = box
        corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)], float)
        moved = self.points(corners).round(6)
        (x0, y0), (x1, y1) = np.floor(moved.min(axis=0)), np.ceil(moved.max(axis=0))
        height, width = self.size
        return (
            int(np.clip(x0, 0, width)),
            int(np.clip(y0, 0, height)),
            int(np.clip(x1, 0, width)),
            int(np.clip(y1, 0, height)),
        )

    def _places(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The source's columns and rows for each pixel of the result, and whether it has them."""
        a, b, c, d, e, f = self.inverse().matrix
        x = np.arange(self.size[1])[None, :] + 0.5
        y = np.arange(self.size[0])[:, None] + 0.5
        columns, rows = np.floor(a * x + b * y + c), np.floor(d * x + e * y + f)
        height, width = self.source
        there = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
        return _within(columns, width), _within(rows, height), there


def _within(places: np.ndarray, count: int) -> np.ndarray:
    return np.clip(places, 0, count - 1).astype(np.intp)


def _square(transform: Transform) -> np.ndarray:
    return np.array([*transform.matrix, 0.0, 0.0, 1.0]).reshape(3, 3)


def _row(square: np.ndarray) -> tuple[float, float, float, float, float, float]:
    a, b, c, d, e, f = square[:2].ravel().tolist()
    return a, b, c, d, e, f


def identity(size: Size) -> Transform:
    """Everything stays where it is."""
    return Transform((1.0, 0.0, 0.0, 0.0, 1.0, 0.0), size, size)


def mirror(size: Size) -> Transform:
    """Left becomes right."""
    return Transform((-1.0, 0.0, float(size[1]), 0.0, 1.0, 0.0), size, size)


def crop_box(size: Size, box: Box) -> Transform:
    """What lies in `box`; it may reach beyond the source. Raises InputError for an empty one."""
    left, top, right, bottom = box
    if left >= right or top >= bottom:
        raise InputError(f"A crop from {left}, {top} to {right}, {bottom} contains no pixels.")
    return Transform(
        (1.0, 0.0, -float(left), 0.0, 1.0, -float(top)), (bottom - top, right - left), size
    )


def fit_canvas(size: Size, canvas: Size) -> Transform:
    """All of the source in the middle of a canvas of another size, its proportions kept."""
    (height, width), (tall, wide) = size, canvas
    scale = min(tall / height, wide / width)
    x, y = (wide - scale * width) / 2, (tall - scale * height) / 2
    return Transform((scale, 0.0, x, 0.0, scale, y), canvas, size)


def affine(
    size: Size,
    rotate: float = 0.0,
    scale: float = 1.0,
    shift: tuple[float, float] = (0.0, 0.0),
    shear: float = 0.0,
) -> Transform:
    """About the middle: sheared and turned clockwise (degrees), scaled, then shifted.

    `shift`: x and y as shares of width and height. Raises InputError for a scale of 0 or less, and
    for a shear of 90 degrees or more.
    """
    if not scale > 0 or not abs(shear) < 90:
        raise InputError(f"Nothing is left of an image at scale {scale} and shear {shear}.")
    turn, slant = radians(rotate), tan(radians(shear))
    middle = np.array([size[1], size[0]]) / 2
    rotation = np.array([[cos(turn), -sin(turn)], [sin(turn), cos(turn)]])
    linear = scale * rotation @ np.array([[1.0, slant], [0.0, 1.0]])
    moved = middle - linear @ middle + np.array(shift) * (size[1], size[0])
    (a, b), (d, e) = linear.tolist()
    return Transform((a, b, float(moved[0]), d, e, float(moved[1])), size, size)


def covering(transform: Transform) -> Transform:
    """The nearest transform that leaves no gap: zoomed in and shifted until its source fills it."""
    size, source = np.array(transform.size[::-1]), np.array(transform.source[::-1])
    linear = _square(transform)[:2, :2]
    reach = np.abs(np.linalg.inv(linear)) @ size / 2  # of the canvas in the source, either way
    zoom = max(1.0, float((2 * reach / source).max()))
    linear, reach = zoom * linear, np.minimum(reach / zoom, source / 2)
    middle = np.clip(transform.inverse().points(size[None] / 2)[0], reach, source - reach)
    (a, b), (d, e) = linear.tolist()
    c, f = (size / 2 - linear @ middle).tolist()
    return Transform((a, b, c, d, e, f), transform.size, transform.source)
