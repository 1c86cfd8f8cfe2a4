"""How near generated images are to real ones as a whole, from features (n, d) of both."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Fidelity:
    """All measures of this file. `kid` with its deviation over subsets; the others 0 to 1.

    (`density` may pass 1.) `precision_k` and `density_k` say which neighbour bounds a
    neighbourhood: of precision and recall, and of density and coverage.
    """

    kid: float
    kid_deviation: float
    precision: float
    recall: float
    density: float
    coverage: float
    precision_k: int
    density_k: int


def fidelity(real: np.ndarray, generated: np.ndarray, seed: int = 0) -> Fidelity:
    """All measures at once, of features (n, d) of unit length."""
    raise NotImplementedError


def kid(
    real: np.ndarray,
    generated: np.ndarray,
    subsets: int = 100,
    size: int = 500,
    gamma: float | None = None,
    seed: int = 0,
) -> tuple[float, float]:
    """Kernel Inception Distance (Binkowski et al. 2018): its mean and deviation over subsets."""
    raise NotImplementedError


def precision_recall(real: np.ndarray, generated: np.ndarray, k: int = 3) -> tuple[float, float]:
    """Improved precision and recall (Kynkaanniemi et al. 2019, equations 1 and 2)."""
    raise NotImplementedError


def density_coverage(real: np.ndarray, generated: np.ndarray, k: int = 5) -> tuple[float, float]:
    """Density and coverage (Naeem et al. 2020, equations 4 and 6)."""
    raise NotImplementedError
