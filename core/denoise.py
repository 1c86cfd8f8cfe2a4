"""Strengths of image to image, drawn by seed: how much of its photo each image loses."""

import hashlib

from .errors import InputError


def read_strengths(text: str) -> tuple[float, ...]:
    """The strengths of a text box: numbers from 0 to 1, with commas or spaces between them.

    Raises InputError for anything else, and for none.
    """
    strengths = tuple(_strength(word) for word in text.replace(",", " ").split())
    if not strengths:
        raise InputError("No strength is given. Write some, such as: 0.25, 0.5, 0.75, 1.0")
    return strengths


def drawn_strength(strengths: tuple[float, ...], seed: int) -> float:
    """One of the strengths, all equally likely; the same for a seed on every machine.

    DA-Fusion (Trabucco et al., ICLR 2024) draws so from 0.25, 0.5, 0.75 and 1.0.
    """
    digest = hashlib.blake2b(f"strength\0{seed}".encode(), digest_size=8).digest()
    return strengths[int.from_bytes(digest, "big") * len(strengths) >> 64]


def _strength(word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        raise InputError(f"{word!r} is not a strength. Write numbers such as: 0.25, 0.5") from None
    if not 0 <= value <= 1:
        raise InputError(f"The strength {word} is not between 0 and 1.")
    return value
