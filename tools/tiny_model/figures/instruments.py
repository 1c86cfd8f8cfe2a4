"""What generated images are held against: real pets, and a probe that learned from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from manyshot.core.begun import digest
from manyshot.core.pets import Entry, read_split
from manyshot.core.subsets import pool_split
from manyshot.core.tiny_sizes import IMAGE_SIZE
from manyshot.trainer.backbone import features, find_backbone_file, open_backbone
from manyshot.trainer.probe import train_probe
from manyshot.trainer.tensor_files import cache_rows
from onnxruntime import InferenceSession
from sklearn.linear_model import LogisticRegression

from ..pets import RealPets
from ..photo_data import centre_crop, pixel_hash, read_images
from .dataset_images import DatasetImages


@dataclass(frozen=True)
class Instruments:
    """`names` and `species` (classes) are in the order of the labels."""

    session: InferenceSession
    pool: RealPets
    test: RealPets
    probe: LogisticRegression
    names: tuple[str, ...]
    species: np.ndarray

    @property
    def photos(self) -> str:
        """A digest of all real images."""
        return digest(pixel_hash(image) for real in (self.pool, self.test) for image in real.images)

    def features(self, dataset: DatasetImages) -> np.ndarray:
        """Features (n, 1024) of a dataset folder's images, kept beside them."""
        path = dataset.folder / "features.npz"
        return cache_rows(path, dataset.names, lambda: features(self.session, list(dataset.images)))

    def log_chances(self, dataset: DatasetImages) -> np.ndarray:
        """The probe's log probabilities (n, classes)."""
        return self.probe.predict_log_proba(self.features(dataset))

    def labels(self, class_names: Sequence[str]) -> np.ndarray:
        """The label of each name (n)."""
        return np.array([self.names.index(name) for name in class_names])


def open_instruments(data: Path, store: Path, threads: int) -> Instruments:
    """Read the real images and train the probe on the pool; features are kept in `store`.

    The reserved and the test images are not in the pool.
    """
    session = open_backbone(find_backbone_file(), threads)
    trainval = pool_split(read_split(data))
    pool = _real(session, data, trainval.pool, store / "pool.npz")
    test = _real(session, data, read_split(data, "test"), store / "test.npz")
    firsts = {entry.label: entry for entry in trainval.pool}
    ordered = [firsts[label] for label in sorted(firsts)]
    return Instruments(
        session,
        pool,
        test,
        train_probe(pool.features, pool.labels),
        tuple(entry.class_name for entry in ordered),
        np.array([entry.species for entry in ordered]),
    )


def _real(session: InferenceSession, data: Path, entries: Sequence[Entry], store: Path) -> RealPets:
    images = [centre_crop(i, IMAGE_SIZE) for i in read_images(data, entries, IMAGE_SIZE)]
    names = [entry.name for entry in entries]
    keys = [f"{name} {pixel_hash(image)}" for name, image in zip(names, images, strict=True)]
    rows = cache_rows(store, keys, lambda: features(session, images))
    return RealPets(entries, np.stack(images), rows, np.array([e.label for e in entries]))


def matched(labels: np.ndarray, counted_labels: np.ndarray, skip: int = 0) -> np.ndarray:
    """Indices of real images, as many of each class as `counted_labels` has.

    `skip` 1 gives others than `skip` 0, as long as there are enough.
    """
    indices: list[int] = []
    for label, count in zip(*np.unique(counted_labels, return_counts=True), strict=True):
        of_class = np.flatnonzero(labels == label)
        indices.extend(of_class[skip * count : (skip + 1) * count])
    return np.array(indices)
