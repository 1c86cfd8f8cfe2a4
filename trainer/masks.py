"""How well masks agree, and how well they would by chance."""

import numpy as np

from ..core.errors import InputError


def mask_iou(
    found: np.ndarray, wanted: np.ndarray, counted: np.ndarray | None = None
) -> np.ndarray:
    """Intersection over union (n) of bool masks (n, height, width); 1 where both are empty.

    Pixels outside `counted` (bool, n, height, width) are left out.
    """
    if found.shape != wanted.shape:
        raise InputError(f"Masks of different shapes: {found.shape} and {wanted.shape}.")
    counted = np.ones_like(found) if counted is None else counted
    both = (found & wanted & counted).sum(axis=(1, 2))
    either = ((found | wanted) & counted).sum(axis=(1, 2))
    return np.where(either, both / np.maximum(either, 1), 1.0)


def mismatched(count: int, seed: int = 0) -> np.ndarray:
    """A random permutation (count) that leaves nothing in its place: other images' conditions.

    What a measure gives for `wanted[mismatched(n)]` is its floor: agreement by chance.
    """
    if count < 2:
        raise InputError("A floor needs two images at least: one has no other to be mixed up with.")
    order = np.random.default_rng(seed).permutation(count)
    found = np.empty(count, int)
    found[order] = np.roll(order, 1)
    return found
