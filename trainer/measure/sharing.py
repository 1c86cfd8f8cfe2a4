"""How far few-shot draws are the same photos: what their spread can say of other photos."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, inf, prod

import numpy as np

MOST_POSSIBLE = 1_000_000  # more different draws than anybody measures


@dataclass(frozen=True)
class Sharing:
    """`shared`: the mean share of its photos that a draw has in common with another, from 0 to 1.

    `possible`: how many different draws there are. `freedom`: the photos to draw from, less one of
    each class: degrees of freedom that no number of draws exceeds.
    """

    shared: float = 0.0
    possible: int = MOST_POSSIBLE
    freedom: float = inf

    @property
    def widening(self) -> float:
        """What the mean of draws keeps of their variance, however many they are.

        Draws that share a part rho of their photos correlate by rho at most, so that the mean of J
        of them has the variance (1 / J + rho / (1 - rho)) S^2, S^2 being their spread: Nadeau &
        Bengio 2003, "Inference for the Generalization Error", Machine Learning 52, lemma 1 and the
        corrected resampled t-test, there with the share of test images as rho. Statistics that
        share c of their n photos correlate by c / n at most (Hoeffding 1948, section 5); for many
        draws of n from N photos the factor n / (N - n) is that of the delete-d jackknife (Shao & Wu
        1989). 0 where all photos are shared: then the spread says nothing of others.
        """
        return self.shared / (1 - self.shared) if self.shared < 1 else 0.0

    def degrees_of_freedom(self, draws: int) -> float:
        """Degrees of freedom of the spread of so many draws.

        One less than draws where they share nothing. Else draws are J - 1 random directions among
        F = `freedom` photos, and their sum of squares has, by Satterthwaite 1946, (J - 1) F /
        (J - 1 + F): the squared trace over the trace of the square of a Wishart matrix.
        """
        if not self.shared or draws < 2:
            return draws - 1
        return 1 / (1 / (draws - 1) + 1 / self.freedom) if self.freedom else 1.0


INDEPENDENT = Sharing()


def mean_shared(draws: Sequence[np.ndarray]) -> float:
    """The mean over all pairs of draws of the share of photos in common, from 0 to 1.

    A draw is an array of row numbers without repetition. Of the larger one of a pair, where they
    differ in size; 0 for a single draw.
    """
    sets = [set(draw.tolist()) for draw in draws]
    pairs = [(a, b) for place, a in enumerate(sets) for b in sets[:place]]
    shares = [len(a & b) / max(len(a), len(b), 1) for a, b in pairs]
    return float(np.mean(shares)) if shares else 0.0


def possible_draws(pools: Sequence[int], shots: int) -> int:
    """How many different draws of `shots` photos from each class there are, 1,000,000 at most."""
    return min(prod(comb(pool, shots) for pool in pools), MOST_POSSIBLE)
