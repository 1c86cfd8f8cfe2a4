"""What a trimap tells about its picture, in words: how near the pet is, and before what colour."""

import colorsys

import numpy as np

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
