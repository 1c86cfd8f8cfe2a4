"""What manyshot's extension and its driver both know of WebUIs."""

from .errors import InputError

SIDE = 8  # a WebUI rounds sizes down to multiples of it
INTERRUPTED = "Manyshot interrupted"
"""What the extension writes into the text of an image that was interrupted, and is half drawn."""


def check_side(what: str, side: float) -> None:
    """Raises InputError for a side, in pixels, that a WebUI would round; `what` names it."""
    if side % SIDE:
        near = max(SIDE, round(side / SIDE) * SIDE)
        raise InputError(
            f"{what} is not a multiple of {SIDE}: the WebUI would silently draw "
            f"{side - side % SIDE:g} pixels. Choose {near}."
        )
