"""What the images are called: each has several captions, from its class name and its trimap."""

import colorsys
import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from manyshot.core.pets import Entry
from transformers import CLIPTokenizer

PET, BACKGROUND, BORDER = 1, 2, 3
COLOURS = ("black", "white", "grey", "brown", "green", "blue", "red")
NEAR, FAR = "close-up", "far away"
_HUES = ((12, "red"), (60, "brown"), (170, "green"), (270, "blue"), (360, "red"))  # up to, degrees


def background_colour(image: np.ndarray, trimap: np.ndarray) -> str | None:
    """One of COLOURS for the mean of the background, None where there is hardly any.

    `image` (height, width, 3) RGB bytes; `trimap` (height, width).
    """
    pixels = image[trimap == BACKGROUND]
    if len(pixels) < trimap.size / 50:
        return None
    return colour_name(pixels.mean(axis=0))


def colour_name(rgb: np.ndarray) -> str:
    """One of COLOURS for red, green and blue from 0 to 255."""
    hue, saturation, value = colorsys.rgb_to_hsv(*(rgb / 255))
    if value < 0.25:
        return "black"
    if saturation < 0.15:
        return "white" if value > 0.72 else "grey"
    return next(name for limit, name in _HUES if hue * 360 <= limit)


def nearness(trimap: np.ndarray) -> str | None:
    """NEAR where the pet covers more than 45 % of the picture, FAR below 18 %, else None."""
    covered = float((trimap == PET).mean())
    return NEAR if covered > 0.45 else FAR if covered < 0.18 else None


TEMPLATES = (
    "a photo of a {class_name}",
    "a photo of a {class_name} {species}",
    "a photo of a {species}, {class_name}",
    "a {class_name} {species}",
    "a picture of a {class_name}",
    "{class_name}",
    "{class_name} {species}",
    "a photo of a {species}",
)
BACKGROUND_TEMPLATES = (
    "a photo of a {class_name}, {background} background",
    "a {class_name} {species}, {background} background",
    "a photo of a {species}, {background} background",
)
NEARNESS_TEMPLATES = ("a photo of a {class_name}, {nearness}", "{nearness} of a {species}")
BROAD_TEMPLATES = (
    "a blurry photo of a {class_name}",
    "a small blurry picture of a {class_name}",
    "{class_name}, blurry",
    "blurry",
)


@dataclass(frozen=True)
class Caption:
    """A text and what it says: the class, the species, the background's colour, the nearness.

    None is what it leaves open. Broad images have a class and no species.
    """

    text: str
    class_name: str | None = None
    species: str | None = None
    background: str | None = None
    nearness: str | None = None


def captions(
    entry: Entry, background: str | None = None, nearness: str | None = None
) -> list[Caption]:
    """All captions of one pet's image, plain ones first; the first one names the class."""
    templates = [
        *TEMPLATES,
        *(BACKGROUND_TEMPLATES if background else ()),
        *(NEARNESS_TEMPLATES if nearness else ()),
    ]
    attributes = {
        "class_name": entry.class_name,
        "species": entry.species,
        "background": background,
        "nearness": nearness,
    }
    return [_caption(template, attributes) for template in templates]


def broad_captions(class_name: str) -> list[Caption]:
    """Captions of an image that is not a pet's; it was enlarged, so it is called blurry."""
    return [_caption(template, {"class_name": class_name}) for template in BROAD_TEMPLATES]


def _caption(template: str, attributes: dict[str, str | None]) -> Caption:
    named = {key: value for key, value in attributes.items() if "{" + key + "}" in template}
    if "class_name" in named:  # which tells the species too
        named["species"] = attributes.get("species")
    return Caption(template.format(**attributes), **named)


def with_unknown_words(
    caption: Caption, vocabulary: Sequence[str], rng: random.Random, most: int = 4
) -> Caption:
    """The caption with up to `most` random words behind it, which say nothing about the image.

    So the model learns that words it was never taught leave the picture as it is, and prompts with
    a context ("…, on the beach") still give the class they name.
    """
    words = " ".join(rng.choices(vocabulary, k=rng.randint(1, most)))
    return Caption(f"{caption.text}, {words}", **_attributes(caption))


def _attributes(caption: Caption) -> dict[str, str | None]:
    return {key: value for key, value in vars(caption).items() if key != "text"}


def unknown_words(tokenizer: CLIPTokenizer) -> list[str]:
    """The whole lower-case words of the tokenizer, four letters or longer, in its order."""
    words = (token.removesuffix("</w>") for token in tokenizer.get_vocab() if token[-4:] == "</w>")
    return sorted(word for word in words if len(word) > 3 and word.isascii() and word.isalpha())
