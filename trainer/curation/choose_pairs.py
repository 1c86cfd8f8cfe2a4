"""Which pairs stay, by their agreement alone."""

from collections.abc import Sequence

import numpy as np

from ...core.counted import in_percent
from ...core.errors import InputError


def reasons(
    agreement: np.ndarray, classes: Sequence[str], least: float | None, drop: float | None
) -> list[str | None]:
    """Why each pair is left out, None for those that stay; `agreement` (n) is from 0 to 1.

    `least`: those below it go. `drop`: that share of each class goes, rounded, the lowest ones; so
    classes keep their proportions. Raises InputError for both, and for what lies not within 0 to 1.
    """
    check_choice(least, drop)
    if drop is not None:
        worst = _lowest(agreement, classes, drop)
        lowest = f"among the lowest {in_percent(drop)} of its class"
        return [
            f"agreement {share:.2f}, {lowest}" if low else None
            for share, low in zip(agreement.tolist(), worst, strict=True)
        ]
    bound = 0.0 if least is None else least
    return [
        f"agreement {share:.2f}, below {bound:g}" if share < bound else None
        for share in agreement.tolist()
    ]


def check_choice(least: float | None, drop: float | None) -> None:
    """Raises InputError for both ways at once, and for what is no share."""
    if least is not None and drop is not None:
        raise InputError("Pass either the minimum agreement or the share to drop, not both.")
    if least is not None and not 0 <= least <= 1:
        raise InputError(f"The minimum agreement must be between 0 and 1; it is {least:g}.")
    if drop is not None and not 0 <= drop < 1:
        raise InputError(f"The share to drop must be between 0 and 1; it is {drop:g}.")


def _lowest(agreement: np.ndarray, classes: Sequence[str], share: float) -> list[bool]:
    names, worst = np.array(classes), np.zeros(len(classes), bool)
    for name in np.unique(names):
        places = np.flatnonzero(names == name)
        order = places[np.argsort(agreement[places], kind="stable")]
        worst[order[: round(share * len(places))]] = True
    return worst.tolist()
