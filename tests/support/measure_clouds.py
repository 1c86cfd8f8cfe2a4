"""Feature clouds in place of images: what a measurement needs, in milliseconds."""

import numpy as np
from manyshot.trainer.measure.example_table import Table


def cloud(
    classes: int = 5,
    width: int = 16,
    real: int = 40,
    synthetic: int = 60,
    test: int = 60,
    distance: float = 0.5,
    shift: float = 0.0,
    reserved: int = 40,
    seed: int = 0,
) -> tuple[Table, np.ndarray]:
    """Normal clouds around one point a class, and their table; numbers are images a class.

    `shift` moves the synthetic images of all classes into one direction. Real images after the
    first `reserved` of a class count as seen by the generator.
    """
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, distance / np.sqrt(2), (classes, width))
    labels = np.concatenate([np.repeat(np.arange(classes), n) for n in (real, synthetic, test)])
    features = centres[labels] + rng.normal(0, 1, (len(labels), width))
    ends = np.cumsum([classes * real, classes * synthetic])
    rows, made, held_out = np.split(np.arange(len(labels)), ends)
    features[made] += shift * np.eye(width)[0]
    seen = np.zeros(len(labels), bool)
    seen[rows] = np.tile(np.arange(real) >= reserved, classes)
    names = tuple(f"class {label}" for label in range(classes))
    return Table(names, labels, rows, made, held_out, seen), features.astype(np.float32)
