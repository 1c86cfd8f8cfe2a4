"""How near generated images are to real ones as a whole, from features (n, d) of both."""

from dataclasses import dataclass

import numpy as np
from sklearn.metrics.pairwise import euclidean_distances, polynomial_kernel

from ..core.errors import InputError

PRECISION_K, DENSITY_K = 3, 5  # what their papers use


@dataclass(frozen=True)
class Fidelity:
    """All measures of this file, 0 to 1, but for two: `kid` is 0 at best, `density` may pass 1.

    `kid_deviation`: over the subsets. `precision_k` and `density_k`: which neighbour bounds a
    neighbourhood, of precision and recall, and of density and coverage.
    """

    kid: float
    kid_deviation: float
    precision: float
    recall: float
    density: float
    coverage: float
    precision_k: int = PRECISION_K
    density_k: int = DENSITY_K


def fidelity(real: np.ndarray, generated: np.ndarray, seed: int = 0) -> Fidelity:
    """All measures at once, of features (n, d) of unit length (hence KID's gamma of 1)."""
    mean, deviation = kid(real, generated, gamma=1.0, seed=seed)
    precision, recall = precision_recall(real, generated)
    density, coverage = density_coverage(real, generated)
    return Fidelity(mean, deviation, precision, recall, density, coverage)


def kid(
    real: np.ndarray,
    generated: np.ndarray,
    subsets: int = 100,
    size: int = 500,
    gamma: float | None = None,
    seed: int = 0,
) -> tuple[float, float]:
    """Kernel Inception Distance: its mean and standard deviation over random subsets.

    Binkowski et al. 2018, section 4: the squared maximum mean discrepancy (without bias, so that
    equal distributions give 0 on average and may fall below it) under the kernel
    (gamma x.y + 1)^3. `gamma` is 1/d as in the paper when None; features of unit length want 1.
    `size`: images of each kind in a subset; at most half of them, so that subsets differ.
    """
    least = min(len(real), len(generated))
    if least < 2:
        raise InputError("KID needs at least two real and two generated images.")
    size = max(2, min(size, least // 2))
    rng = np.random.default_rng(seed)
    kernels = _kernels(real, generated, gamma)
    estimates = [
        _discrepancy(
            *_part(
                kernels, _draw_subset(len(real), size, rng), _draw_subset(len(generated), size, rng)
            )
        )
        for _ in range(subsets)
    ]
    return float(np.mean(estimates)), float(np.std(estimates))


def squared_discrepancy(first: np.ndarray, second: np.ndarray, gamma: float | None = None) -> float:
    """Maximum mean discrepancy, squared, without bias: Gretton et al. 2012, equation 3."""
    return _discrepancy(*_kernels(first, second, gamma))


def _kernels(first: np.ndarray, second: np.ndarray, gamma: float | None) -> list[np.ndarray]:
    """Within the first (n, n), within the second (m, m), across (n, m)."""
    pairs = ((first, first), (second, second), (first, second))
    return [polynomial_kernel(a, b, degree=3, gamma=gamma) for a, b in pairs]


def _part(kernels: list[np.ndarray], rows: np.ndarray, cols: np.ndarray) -> list[np.ndarray]:
    """The kernels of some rows of the first and of the second."""
    pairs = ((rows, rows), (cols, cols), (rows, cols))
    return [kernel[np.ix_(a, b)] for kernel, (a, b) in zip(kernels, pairs, strict=True)]


def _draw_subset(count: int, size: int, rng: np.random.Generator) -> np.ndarray:
    return rng.choice(count, size, replace=False)


def _discrepancy(first: np.ndarray, second: np.ndarray, across: np.ndarray) -> float:
    return float(_off_diagonal_mean(first) + _off_diagonal_mean(second) - 2 * across.mean())


def _off_diagonal_mean(kernel: np.ndarray) -> float:
    count = len(kernel)
    return (kernel.sum() - np.trace(kernel)) / (count * (count - 1))


def precision_recall(
    real: np.ndarray, generated: np.ndarray, k: int = PRECISION_K
) -> tuple[float, float]:
    """Improved precision and recall: Kynkaanniemi et al. 2019, equations 1 and 2.

    Precision: the share of generated images that lie in the neighbourhood (the ball that reaches
    to the `k`-th other real one) of any real image. Recall: the same with the two exchanged.
    """
    between = euclidean_distances(real, generated)
    precision = (between <= _radii(real, k)[:, None]).any(axis=0).mean()
    recall = (between <= _radii(generated, k)[None]).any(axis=1).mean()
    return float(precision), float(recall)


def density_coverage(
    real: np.ndarray, generated: np.ndarray, k: int = DENSITY_K
) -> tuple[float, float]:
    """Density and coverage: Naeem et al. 2020, section 3.

    Density: in how many real neighbourhoods a generated image lies, over `k`, on average.
    Coverage: the share of real images whose neighbourhood holds any generated image.
    """
    inside = euclidean_distances(real, generated) <= _radii(real, k)[:, None]
    return float(inside.sum(axis=0).mean() / k), float(inside.any(axis=1).mean())


def _radii(rows: np.ndarray, k: int) -> np.ndarray:
    """For each row the distance to its `k`-th nearest other row (n)."""
    if len(rows) <= k:
        raise InputError(f"A neighbourhood of {k} needs {k + 1} images; there are {len(rows)}.")
    distances = euclidean_distances(rows)
    np.fill_diagonal(distances, -1)  # itself first, even among exact duplicates
    return np.partition(distances, k, axis=1)[:, k]
