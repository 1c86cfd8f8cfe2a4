"""How good manyshot-tiny is: its autoencoder on test images, and whether its classes are read."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from onnxruntime import InferenceSession
from sklearn.linear_model import LogisticRegression

from ...core.files import write_text_whole
from ...core.tiny_sizes import IMAGE_SIZE
from ..backbone import features, installed_backbone, open_backbone
from .autoencoder import psnr, reconstruct
from .captions import captions
from .data import Entry, centre_crop, pool_split, read_images, read_split, watched_pixels
from .pictures import to_bytes, write_grid
from .sample import Networks, draw

log = logging.getLogger(__name__)
TEST_IMAGES = 500
BATCH = 8


@dataclass(frozen=True)
class EvaluationOptions:
    """`each`: generated images of each class. `cfg`: the guidance strengths that are tried."""

    each: int = 8
    steps: int = 20
    cfg: tuple[float, ...] = (3.0,)
    seed: int = 0


@dataclass(frozen=True)
class Agreement:
    """Shares (0 to 1) of images whose class is the probe's first guess, or among its five."""

    top1: float
    top5: float


def agreement(scores: np.ndarray, labels: np.ndarray) -> Agreement:
    """From scores (n, classes) and true labels (n)."""
    order = np.argsort(-scores, axis=1)
    hits = order == labels[:, None]
    return Agreement(float(hits[:, 0].mean()), float(hits[:, :5].any(axis=1).mean()))


def evaluate_run(
    data: Path, run: Path, networks: Networks, options: EvaluationOptions
) -> dict[str, float]:
    """Measure and write `run`/evaluation.json and a contact sheet for each guidance strength.

    The probe is trained on the pool images, which the reserved and the test images are not in.
    """
    pool = pool_split(read_split(data)).pool
    test = evenly(read_split(data, "test"), TEST_IMAGES)
    shown = read_images(data, test, IMAGE_SIZE)
    pixels = watched_pixels(shown, len(shown))
    found = {"autoencoder_psnr_db": psnr(reconstruct(networks.vae, pixels), pixels)}
    session = open_backbone(installed_backbone(), torch.get_num_threads())
    probe = _probe(session, _squares(read_images(data, pool, IMAGE_SIZE)), pool)
    real = features(session, _squares(shown))
    found |= _named("real_test", agreement(probe.decision_function(real), _labels(test)))
    for cfg in options.cfg:
        drawn = _draw_classes(networks, pool, cfg, options)
        write_grid(run / f"contact-sheet-cfg{cfg:g}.png", drawn, columns=options.each * 2)
        rows = features(session, list(to_bytes(drawn).numpy()))
        labels = np.repeat(np.unique(_labels(pool)), options.each)
        found |= _named(f"cfg_{cfg:g}", agreement(probe.decision_function(rows), labels))
    write_text_whole(run / "evaluation.json", json.dumps(found, indent=2) + "\n")
    return found


def evenly(entries: Sequence[Entry], count: int) -> list[Entry]:
    """`count` of the entries, or all, evenly chosen in their order."""
    count = min(count, len(entries))
    return [entries[len(entries) * i // count] for i in range(count)]


def _squares(images: Sequence[np.ndarray]) -> list[np.ndarray]:
    return [centre_crop(image, IMAGE_SIZE) for image in images]


def _probe(
    session: InferenceSession, images: Sequence[np.ndarray], entries: Sequence[Entry]
) -> LogisticRegression:
    log.info("training the probe on %d images", len(images))
    probe = LogisticRegression(C=30.0, max_iter=300)
    return probe.fit(features(session, images), _labels(entries))


def _labels(entries: Sequence[Entry]) -> np.ndarray:
    return np.array([entry.label for entry in entries])


def _named(name: str, found: Agreement) -> dict[str, float]:
    log.info("%s: top-1 %.1f %%, top-5 %.1f %%", name, 100 * found.top1, 100 * found.top5)
    return {f"{name}_top1": found.top1, f"{name}_top5": found.top5}


def _draw_classes(
    networks: Networks, entries: Sequence[Entry], cfg: float, options: EvaluationOptions
) -> torch.Tensor:
    """Pixels (classes x each, 3, 128, 128), the classes in the order of their labels."""
    firsts = {entry.label: captions(entry)[0] for entry in entries}
    prompts = [firsts[label] for label in sorted(firsts) for _ in range(options.each)]
    parts = [prompts[i : i + BATCH] for i in range(0, len(prompts), BATCH)]
    return torch.cat(
        [
            draw(networks, part, options.seed + number, steps=options.steps, cfg=cfg)
            for number, part in enumerate(parts)
        ]
    )
