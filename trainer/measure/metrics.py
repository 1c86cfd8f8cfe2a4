"""How good a run is: accuracy and its kin, by class, and how honest its confidence is."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.special import softmax
from sklearn.metrics import balanced_accuracy_score, precision_recall_fscore_support
from torchmetrics.functional.classification import multiclass_calibration_error

BINS = 15  # of Guo et al. 2017, "On Calibration of Modern Neural Networks"


@dataclass(frozen=True)
class Metrics:
    """All from 0 to 1. `by_class`: accuracy on the images of each class, in the classes' order."""

    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    calibration_error: float
    by_class: tuple[float, ...]


def metrics(scores: np.ndarray, labels: np.ndarray) -> Metrics:
    """From logits (n, classes) and true labels (n); every class is among the labels."""
    found, classes = scores.argmax(axis=1), scores.shape[1]
    zero: Any = 0  # sklearn's stubs know only its "warn"
    _, by_class, f1, _ = precision_recall_fscore_support(
        labels, found, labels=range(classes), zero_division=zero
    )
    return Metrics(
        float((found == labels).mean()),
        float(balanced_accuracy_score(labels, found)),
        float(np.mean(f1)),
        calibration_error(scores, labels),
        tuple(float(share) for share in np.asarray(by_class)),
    )


def calibration_error(scores: np.ndarray, labels: np.ndarray) -> float:
    """Expected calibration error: mean gap of confidence and accuracy over 15 equal bins."""
    shares = torch.from_numpy(softmax(scores.astype(np.float64), axis=1))
    found = multiclass_calibration_error(
        shares, torch.from_numpy(labels), num_classes=scores.shape[1], n_bins=BINS, norm="l1"
    )
    return float(found)
