"""What the values and colours in mask files mean: which class, or that nothing is to be learned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..palettes import BACKGROUND, BORDER, COLOURS, PET
from .label_mask import IGNORE

BACKGROUND_NAME, OBJECT_NAME = "background", "object"
WHITE = 255  # of black and white masks: the object
MOST_CLASSES = 254
MOST_VALUE = 2**16 - 1
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class MaskCode:
    """From the `values` of masks of one channel and the `colours` of others to indices.

    An index is a place in `classes`, or IGNORE. With a `threshold` shades of grey are black and
    white first: 255 from it on, 0 below.
    """

    classes: tuple[str, ...]
    values: Mapping[int, int]
    colours: Mapping[Colour, int]
    threshold: int | None = None

    def text(self) -> str:
        """The known values and colours in words."""
        values = [f"{value} {self.name(index)}" for value, index in self.values.items()]
        colours = [f"{colour_text(c)} {self.name(index)}" for c, index in self.colours.items()]
        threshold = [] if self.threshold is None else [f"threshold {self.threshold}"]
        return ", ".join([*values, *colours, *threshold])

    @property
    def by_colour(self) -> bool:
        """Whether files with a colour table are read by its colours, not by their indices."""
        return bool(self.colours) and not self.values

    def name(self, index: int) -> str:
        """The class of an index."""
        return "ignored" if index == IGNORE else self.classes[index]


# Trimaps, their control images in colours, and masks that are black or white. Where the annotators
# left the outline open, nothing is learned and nothing is counted.
PETS = MaskCode(
    ("background", "pet"),
    {BACKGROUND: 0, PET: 1, BORDER: IGNORE, 0: 0, 255: 1},
    {
        COLOURS["background"]: 0,
        COLOURS["cat"]: 1,
        COLOURS["dog"]: 1,
        COLOURS["border"]: IGNORE,
    },
)


def trimap_code(class_name: str) -> MaskCode:
    """Trimaps of one class of pets, their control images, and masks that are black or white."""
    return replace(PETS, classes=("background", class_name))


def colour_text(colour: Sequence[int]) -> str:
    """As "#ff6000"."""
    return "#" + "".join(f"{value:02x}" for value in colour)
