"""How good a classifier is: accuracy and its kin, by class, and how honest its confidence is."""

from typing import Any

import numpy as np
import torch
from scipy.special import log_softmax, softmax
from sklearn.metrics import balanced_accuracy_score, precision_recall_fscore_support
from torchmetrics.functional.classification import multiclass_calibration_error

from .learner import Outcome

BINS = 15  # of Guo et al. 2017, "On Calibration of Modern Neural Networks"


def classification_outcome(scores: np.ndarray, labels: np.ndarray) -> Outcome:
    """From logits (n, classes) and true labels (n); every class is among the labels."""
    predictions, classes = scores.argmax(axis=1), scores.shape[1]
    zero: Any = 0  # sklearn's stubs know only its "warn"
    _, by_class, f1, _ = precision_recall_fscore_support(
        labels, predictions, labels=range(classes), zero_division=zero
    )
    metrics = {
        "accuracy": float((predictions == labels).mean()),
        "balanced accuracy": float(balanced_accuracy_score(labels, predictions)),
        "macro F1": float(np.mean(f1)),
        "calibration error": calibration_error(scores, labels),
    }
    shares = tuple(float(share) for share in np.asarray(by_class))
    losses = -log_softmax(scores.astype(np.float64), axis=1)[np.arange(len(labels)), labels]
    return Outcome(metrics, shares, predictions == labels, losses)


def calibration_error(scores: np.ndarray, labels: np.ndarray) -> float:
    """Expected calibration error: mean gap of confidence and accuracy over 15 equal bins."""
    shares = torch.from_numpy(softmax(scores.astype(np.float64), axis=1))
    error = multiclass_calibration_error(
        shares, torch.from_numpy(labels), num_classes=scores.shape[1], n_bins=BINS, norm="l1"
    )
    return float(error)
