"""A linear probe that reads classes from a backbone's features, and how often it agrees."""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression


@dataclass(frozen=True)
class Agreement:
    """Shares (0 to 1) of images whose class is the probe's first guess, or among its five.

    `error1` and `error5` are their standard errors, see `class_error`.
    """

    top1: float
    top5: float
    error1: float
    error5: float


def train_probe(
    features: np.ndarray, labels: np.ndarray, balanced: bool = False
) -> LogisticRegression:
    """Multinomial logistic regression on features (n, d) of unit length.

    `balanced`: classes weigh the same however many images they have.

    `probe.decision_function(features)` gives the scores (n, classes) that the functions here read;
    the classes must be 0, 1, 2, … without a gap for them to line up with labels.
    """
    weights = "balanced" if balanced else None
    return LogisticRegression(C=30.0, max_iter=300, class_weight=weights).fit(features, labels)


def agreement(scores: np.ndarray, labels: np.ndarray) -> Agreement:
    """From scores (n, classes) and true labels (n)."""
    first, five = hits(scores, labels, 1), hits(scores, labels, 5)
    return Agreement(
        float(first.mean()),
        float(five.mean()),
        class_error(first, labels),
        class_error(five, labels),
    )


def hits(scores: np.ndarray, labels: np.ndarray, among: int) -> np.ndarray:
    """For each image whether its class is among the `among` best scores: bool (n)."""
    order = np.argsort(-scores, axis=1, kind="stable")
    return (order[:, :among] == labels[:, None]).any(axis=1)


def class_shares(right: np.ndarray, labels: np.ndarray) -> dict[int, float]:
    """For each label the share of its images that are `right` (bool, n), 0 to 1."""
    return {int(label): float(right[labels == label].mean()) for label in np.unique(labels)}


def class_error(right: np.ndarray, labels: np.ndarray) -> float:
    """The standard error of the mean of `right`, from the spread within each class.

    sqrt(sum of n_c^2 * p_c (1 - p_c) / (n_c - 1)) / n: the classes are given, not drawn, so that
    their differences do not count (stratified sampling, Cochran 1977, equation 5.12 without the
    finite population correction). A class of one image adds nothing.
    """
    groups = [right[labels == label] for label in np.unique(labels)]
    sums = [len(group) * group.var(ddof=1) for group in groups if len(group) > 1]
    return float(np.sqrt(sum(sums))) / len(labels)


def species_agreement(scores: np.ndarray, labels: np.ndarray, species: np.ndarray) -> np.ndarray:
    """For each image whether the first guess is of its class's species; bool (n).

    `species` (classes) names the species of each class.
    """
    return species[scores.argmax(axis=1)] == species[labels]
