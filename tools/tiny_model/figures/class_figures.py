"""Whether images show the class that their prompt names, and how near to real ones they are."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from manyshot.trainer.fidelity import fidelity
from manyshot.trainer.probe import agreement, class_shares, hits, species_agreement

from .dataset_images import DatasetImages
from .instruments import Instruments, matched

Figures = dict[str, Any]


def agreement_figures(tools: Instruments, rows: np.ndarray, labels: np.ndarray) -> Figures:
    """How often the probe agrees with the class named, and with its species."""
    scores = tools.probe.decision_function(rows)
    right = species_agreement(scores, labels, tools.species)
    return {**asdict(agreement(scores, labels)), "species": float(right.mean())}


def class_figures(tools: Instruments, rows: np.ndarray, labels: np.ndarray) -> Figures:
    """Agreement and fidelity of features (n, 1024) whose prompts named `labels` (n).

    The reference are as many real test images of the same classes.
    """
    reference = tools.test.features[matched(tools.test.labels, labels)]
    return {
        "images": len(labels),
        **agreement_figures(tools, rows, labels),
        **asdict(fidelity(reference, rows)),
    }


def real_figures(tools: Instruments, labels: np.ndarray) -> Figures:
    """The same of real test images: what a perfect model would get.

    Agreement on all of them; fidelity of as many others as `labels` has.
    """
    whole = tools.test
    reference, compared = (whole.features[matched(whole.labels, labels, skip)] for skip in (0, 1))
    return {
        "images": len(whole.labels),
        **agreement_figures(tools, whole.features, whole.labels),
        **asdict(fidelity(reference, compared)),
    }


def fidelity_to(tools: Instruments, reference: DatasetImages, rows: np.ndarray) -> Figures:
    """Fidelity of features (n, 1024) to those of other images, in place of real ones.

    Beside test images that went through the autoencoder its blur no longer counts: what is left is
    what the UNet draws.
    """
    return asdict(fidelity(tools.features(reference), rows))


def class_table(tools: Instruments, rows: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Class name -> the share of its images that the probe takes for it."""
    right = hits(tools.probe.decision_function(rows), labels, 1)
    return {tools.names[label]: share for label, share in class_shares(right, labels).items()}


def swept_figures(
    tools: Instruments, dataset: DatasetImages, addresses: Sequence[str]
) -> list[Figures]:
    """`class_figures` for each combination of swept values, which stand in front."""
    rows = tools.features(dataset)
    labels = tools.labels([record.class_name for record in dataset.records])
    keys = list(zip(*(dataset.swept(address) for address in addresses), strict=True))
    figures = []
    for values in dict.fromkeys(keys):
        here = np.array([key == values for key in keys])
        swept = {a.rpartition(".")[2]: v.item() for a, v in zip(addresses, values, strict=True)}
        figures.append(swept | class_figures(tools, rows[here], labels[here]))
    return figures


def choose_guidance(rows: Sequence[Mapping[str, Any]]) -> float:
    """Of the strengths whose top-1 is within a standard error of the best: the smallest KID.

    KID sees fidelity and diversity at once, and is unbiased for few images; coverage is not sharp
    enough there to choose by.
    """
    best = max(rows, key=lambda row: row["top1"])
    good = [row for row in rows if row["top1"] >= best["top1"] - best["error1"]]
    return float(min(good, key=lambda row: row["kid"])["cfg"])
