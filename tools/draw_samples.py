"""Draws the sample photos and masks of the templates: `python tools/draw_samples.py`.

Cats and dogs of ellipses before plain rooms and lawns, four times too large and then made smaller.
The same code gives the same files, on the same Pillow and numpy.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SAMPLES = Path(__file__).resolve().parents[1] / "workflows" / "samples"
SIDE = 256  # pixels of a sample
FINE = 4 * SIDE  # pixels of the drawing
BACKGROUND, CAT, DOG, OPEN = 0, 1, 2, 255  # values of masks; OPEN: the outline, nobody's
OUTLINE = 5  # pixels
CONTROL = {BACKGROUND: "#000000", CAT: "#ff6000", DOG: "#0060ff", OPEN: "#808080"}
PALETTE = """\
classes:
  background: 0
  cat: 1
  dog: 2
ignore: 255
"""
Point = tuple[float, float]


class Coat(NamedTuple):
    """Colours of an animal: its fur, its chest and muzzle, the inside of its ears, its collar."""

    fur: str
    light: str
    ear: str
    collar: str


class Place(NamedTuple):
    """What is behind: wall or sky, floor or grass, and how high the floor reaches (0 to 1)."""

    wall: str
    floor: str
    horizon: float


class Pose(NamedTuple):
    """Where the animal sits: the middle of its body in 0..1, its size, whether mirrored."""

    x: float = 0.5
    y: float = 0.54
    size: float = 1.25
    mirrored: bool = False


class Sample(NamedTuple):
    """A photo and its mask. `kind`: CAT or DOG."""

    kind: int
    coat: Coat
    place: Place
    pose: Pose


GINGER = Coat("#c9762f", "#f3dfc4", "#e6a28e", "#2f6f8f")
FAWN = Coat("#a9784a", "#ecdcc4", "#d79f8c", "#a0353b")
TRICOLOUR = Coat("#9a5f2c", "#f5efe4", "#6b3f1c", "#b3332e")
CREAM = Coat("#d8b98a", "#f7ecd8", "#b08a58", "#2f5fa8")
SPOTTED = Coat("#4a3a31", "#f4f1ec", "#33271f", "#d9a21b")
LAWN = Place("#a9cde6", "#5f9a48", 0.55)
PARK = Place("#dfe8d2", "#7fae5c", 0.45)
ROOM = Place("#e3d3bd", "#9c7550", 0.62)
BLUE_ROOM = Place("#8fb0c6", "#c9b79a", 0.66)
BEACH = Place("#bfe0ee", "#e6cf9c", 0.5)

LABELLED = {  # class folder/name -> sample
    "Abyssinian/1": Sample(CAT, GINGER, ROOM, Pose(0.47, 0.53)),
    "Abyssinian/2": Sample(CAT, FAWN, LAWN, Pose(0.55, 0.58, 1.05, mirrored=True)),
    "Beagle/1": Sample(DOG, TRICOLOUR, PARK, Pose(0.5, 0.54)),
    "Beagle/2": Sample(DOG, CREAM, BLUE_ROOM, Pose(0.44, 0.58, 1.05, mirrored=True)),
}
SUBJECT = [  # one dog in three places
    Sample(DOG, SPOTTED, LAWN, Pose(0.5, 0.54)),
    Sample(DOG, SPOTTED, ROOM, Pose(0.44, 0.57, 1.1, mirrored=True)),
    Sample(DOG, SPOTTED, BEACH, Pose(0.53, 0.52, 1.35)),
]


def main() -> None:
    for name, sample in LABELLED.items():
        photo, mask = draw(sample, seed=len(name))
        save(photo, f"manyshot_samples/images/{name}.jpg")
        save(mask, f"manyshot_samples/masks/{name}.png")
    (SAMPLES / "manyshot_samples" / "palette.yaml").write_text(PALETTE, encoding="utf-8")
    photo, mask = draw(LABELLED["Abyssinian/1"], seed=1)
    save(photo, "manyshot_photo.jpg")
    save(control_image(mask), "manyshot_control.png")
    for number, sample in enumerate(SUBJECT, start=1):
        save(draw(sample, seed=number)[0], f"manyshot_subject_{number}.jpg")


def save(image: Image.Image, name: str) -> None:
    """Small files: these are copied into every server's input folder."""
    path = SAMPLES / name
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, quality=88, optimize=path.suffix == ".png")


def draw(sample: Sample, seed: int) -> tuple[Image.Image, Image.Image]:
    """The photo (SIDE x SIDE, RGB) and its index mask, whose outline is open."""
    shape = Image.new("L", (FINE, FINE))
    colours = Image.new("RGB", (FINE, FINE))
    body = draw_cat if sample.kind == CAT else draw_dog
    body(Brush(colours, shape, sample.pose), sample.coat)
    shade = shading(shape)
    scene = background(sample.place, seed)
    scene.paste(Image.new("RGB", scene.size, "#26231f"), mask=shadow(sample.pose))
    scene.paste(Image.composite(colours, darker(colours), shade), mask=shape)
    photo = scene.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    return with_grain(photo, seed), outlined(shape, sample.kind)


class Brush:
    """Paints into the picture and its outline at once, in the animal's own coordinates: x to the
    right and y down from the middle of its body, a unit is a fifth of the picture."""

    def __init__(self, colours: Image.Image, shape: Image.Image, pose: Pose) -> None:
        self._layers = (ImageDraw.Draw(colours), ImageDraw.Draw(shape))
        self._pose = pose

    def _at(self, point: Point) -> Point:
        x, y = point
        pose = self._pose
        side = -x if pose.mirrored else x
        unit = FINE / 5 * pose.size
        return pose.x * FINE + side * unit, pose.y * FINE + y * unit

    def ellipse(self, middle: Point, width: float, height: float, colour: str) -> None:
        x, y = middle
        corners = [self._at((x - width, y - height)), self._at((x + width, y + height))]
        left, right = sorted(corner[0] for corner in corners)
        box = (left, corners[0][1], right, corners[1][1])
        for layer, fill in zip(self._layers, (colour, 255), strict=True):
            layer.ellipse(box, fill=fill)

    def polygon(self, points: Sequence[Point], colour: str) -> None:
        for layer, fill in zip(self._layers, (colour, 255), strict=True):
            layer.polygon([self._at(point) for point in points], fill=fill)

    def tail(self, points: Sequence[Point], width: float, colour: str) -> None:
        """A row of discs that overlap."""
        for (x0, y0), (x1, y1) in zip(points, points[1:], strict=False):
            for share in np.linspace(0, 1, 24):
                self.ellipse((x0 + (x1 - x0) * share, y0 + (y1 - y0) * share), width, width, colour)


def draw_cat(brush: Brush, coat: Coat) -> None:
    """Sitting, seen from the front: pointed ears, a long tail, slit eyes."""
    brush.tail([(0.7, 1.0), (1.25, 0.85), (1.4, 0.3), (1.2, -0.1)], 0.12, coat.fur)
    brush.ellipse((0, 0.45), 0.8, 0.95, coat.fur)
    brush.ellipse((0, 0.5), 0.42, 0.7, coat.light)
    legs_and_paws(brush, coat)
    for side in (-1, 1):
        brush.polygon([(side * 0.66, -0.75), (side * 0.62, -1.55), (side * 0.1, -1.2)], coat.fur)
        brush.polygon([(side * 0.56, -0.9), (side * 0.55, -1.36), (side * 0.26, -1.15)], coat.ear)
    brush.ellipse((0, -0.75), 0.7, 0.58, coat.fur)
    brush.ellipse((0, -0.55), 0.34, 0.26, coat.light)
    face(brush, eye="#c7d04a", pupil=(0.045, 0.11), nose="#c4747c")
    brush.polygon([(-0.5, -0.28), (0.5, -0.28), (0.42, -0.16), (-0.42, -0.16)], coat.collar)


def draw_dog(brush: Brush, coat: Coat) -> None:
    """Sitting, seen from the front: hanging ears, a short tail, a long muzzle."""
    brush.tail([(0.75, 0.9), (1.15, 0.5), (1.2, 0.2)], 0.13, coat.light)
    brush.ellipse((0, 0.4), 0.86, 1.0, coat.fur)
    brush.ellipse((0, 0.45), 0.5, 0.82, coat.light)
    legs_and_paws(brush, coat)
    brush.ellipse((0, -0.8), 0.62, 0.66, coat.fur)
    brush.ellipse((0, -0.95), 0.16, 0.5, coat.light)
    for side in (-1, 1):
        brush.ellipse((side * 0.66, -0.65), 0.24, 0.6, coat.ear)
    brush.ellipse((0, -0.5), 0.4, 0.34, coat.light)
    face(brush, eye="#3a2414", pupil=(0.06, 0.07), nose="#241c1a")
    brush.polygon([(-0.52, -0.2), (0.52, -0.2), (0.45, -0.06), (-0.45, -0.06)], coat.collar)


def legs_and_paws(brush: Brush, coat: Coat) -> None:
    for side in (-1, 1):
        brush.ellipse((side * 0.72, 1.02), 0.42, 0.36, coat.fur)
        brush.ellipse((side * 0.26, 0.85), 0.2, 0.52, coat.fur)
        brush.ellipse((side * 0.28, 1.3), 0.24, 0.14, coat.light)


def face(brush: Brush, eye: str, pupil: tuple[float, float], nose: str) -> None:
    for side in (-1, 1):
        brush.ellipse((side * 0.3, -0.82), 0.14, 0.13, eye)
        brush.ellipse((side * 0.3, -0.82), *pupil, "#0d0b0a")
        brush.ellipse((side * 0.3 + 0.04, -0.87), 0.03, 0.03, "#ffffff")
    brush.ellipse((0, -0.58), 0.11, 0.08, nose)
    brush.ellipse((0, -0.4), 0.14, 0.02, "#5a4038")


def background(place: Place, seed: int) -> Image.Image:
    """Wall and floor, each lighter towards the horizon, with soft blotches."""
    rng = np.random.default_rng(seed)
    rows = np.linspace(0, 1, FINE)[:, None, None]
    wall, floor = (np.array(Image.new("RGB", (1, 1), colour))[0, 0] for colour in place[:2])
    above = rows < place.horizon
    light = np.where(above, 0.85 + 0.25 * rows, 1.1 - 0.35 * rows)
    pixels = np.where(above, wall, floor) * light
    blotches = rng.normal(0, 1, (16, 16, 1)) * np.array([6, 6, 5])
    soft = [
        Image.fromarray(blotches[..., i]).resize((FINE, FINE), Image.Resampling.BICUBIC)
        for i in range(3)
    ]
    pixels = pixels + np.stack([np.asarray(layer) for layer in soft], axis=2)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def shadow(pose: Pose) -> Image.Image:
    """Where the animal darkens the ground."""
    layer = Image.new("L", (FINE, FINE))
    unit = FINE / 5 * pose.size
    x, y = pose.x * FINE, pose.y * FINE + 1.32 * unit
    ImageDraw.Draw(layer).ellipse(
        (x - 1.5 * unit, y - 0.22 * unit, x + 1.5 * unit, y + 0.26 * unit), fill=130
    )
    return layer.filter(ImageFilter.GaussianBlur(FINE / 60))


def shading(shape: Image.Image) -> Image.Image:
    """Light from above on the left: 255 lit, 0 in shade."""
    moved = Image.new("L", shape.size)
    moved.paste(shape, (-FINE // 28, -FINE // 28))
    return moved.filter(ImageFilter.GaussianBlur(FINE / 36))


def darker(colours: Image.Image) -> Image.Image:
    return colours.point(lambda value: int(value * 0.55))


def with_grain(photo: Image.Image, seed: int) -> Image.Image:
    """Noise as of a sensor, so that no area is quite flat."""
    grain = np.random.default_rng(seed).normal(0, 2, (SIDE, SIDE, 1))
    return Image.fromarray((np.asarray(photo) + grain).clip(0, 255).astype(np.uint8))


def outlined(shape: Image.Image, kind: int) -> Image.Image:
    """The index mask: `kind` inside, BACKGROUND outside, OPEN along the border."""
    plain = shape.resize((SIDE, SIDE), Image.Resampling.BOX).point([0] * 128 + [255] * 128)
    inner = np.asarray(plain.filter(ImageFilter.MinFilter(OUTLINE))) > 0
    outer = np.asarray(plain.filter(ImageFilter.MaxFilter(OUTLINE))) > 0
    return Image.fromarray(
        np.where(inner, kind, np.where(outer, OPEN, BACKGROUND)).astype(np.uint8)
    )


def control_image(mask: Image.Image) -> Image.Image:
    """The mask in the colours that manyshot-tiny's ControlNet learned."""
    values = np.asarray(mask)
    pixels = np.zeros((*values.shape, 3), np.uint8)
    for value, colour in CONTROL.items():
        pixels[values == value] = np.array(Image.new("RGB", (1, 1), colour))[0, 0]
    return Image.fromarray(pixels)


if __name__ == "__main__":
    main()
