"""How far synthetic pairs are trusted: what a learner of a draw's real images makes of them."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

Trust = Literal["none", "ignore", "drop"]
SHOWN: dict[Trust, str] = {"ignore": "noise ignored", "drop": "worst dropped"}
KEPT = 0.5  # of the pairs that may be added: what `drop` takes its pairs from


@dataclass(frozen=True)
class Noise:
    """Parts of labels that are not learned from: of each of `rows`, ascending, a bool array of
    `shape`, its bits packed in `bits` (n, bytes)."""

    rows: np.ndarray
    bits: np.ndarray
    shape: tuple[int, ...]

    def at(self, rows: np.ndarray) -> np.ndarray:
        """The noise of any rows (n, *shape), bool; those that were not read have none."""
        noise = np.zeros((len(rows), *self.shape), bool)
        places = np.minimum(np.searchsorted(self.rows, rows), max(len(self.rows) - 1, 0))
        has_noise = self.rows[places] == rows if len(self.rows) else np.zeros(len(rows), bool)
        size = int(np.prod(self.shape))
        bits = np.unpackbits(self.bits[places[has_noise]], axis=1, count=size)
        noise[has_noise] = bits.reshape(-1, *self.shape).astype(bool)
        return noise


@dataclass(frozen=True)
class Agreement:
    """What a learner of real images alone reads in pairs, `rows` of the table, ascending.

    `agreement` (n), 0 to 1: how far it finds what their labels say. `noise`: where it does not;
    `ignored`: the share of their labels that this is.
    """

    rows: np.ndarray
    agreement: np.ndarray
    noise: Noise
    ignored: float

    def of(self, rows: np.ndarray) -> np.ndarray:
        """The agreement of any rows (n), nan for those that were not read."""
        by_row = dict(zip(self.rows.tolist(), self.agreement.tolist(), strict=True))
        return np.array([by_row.get(row, np.nan) for row in rows.tolist()], np.float64)


def select_trusted(
    rows: np.ndarray, agreement: np.ndarray, count: int, share: float = KEPT
) -> np.ndarray:
    """`count` of `rows` (all, if they are fewer), without those of the lowest `agreement` (n).

    They are taken, in their order, from the better share `kept`, so that what few take is among
    what more take. Where that share holds too few, the next best come in: the number stays.
    """
    enough = max(count, int(np.ceil(share * len(rows))))
    best = np.argsort(-agreement, kind="stable")[:enough]
    return rows[np.sort(best)][:count]
