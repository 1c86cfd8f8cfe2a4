"""Features of image files, computed once for each content and kept on disk."""

import logging
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from ...core.files import read_regular, write_atomic
from ..images import content_digest, read_rgb
from .backbones import Backbone

CHUNK = 64  # images between two files of the cache: what an interruption can lose
SHORT_SIDE = 256  # larger images are shrunk to this first; the nets see 224
Progress = Callable[[int, int], None]  # (done, of)
log = logging.getLogger(__name__)


def file_features(
    paths: Sequence[Path],
    backbone: Backbone,
    cache: Path,
    progress: Progress = lambda done, of: None,
) -> tuple[np.ndarray, list[str]]:
    """Features (n, width) of image files and the digests of their contents.

    What `cache`/<backbone> holds is not computed again, whatever the file is called. Raises
    InputError for a file that cannot be read; what was computed before it stays in the cache.
    """
    digests = [content_digest(path) for path in paths]

    def compute(places: Sequence[int]) -> np.ndarray:
        return backbone.features([read_rgb(paths[place], SHORT_SIDE) for place in places])

    return cache_features(digests, compute, cache / backbone.id, progress), digests


def cache_features(
    digests: Sequence[str],
    compute: Callable[[Sequence[int]], np.ndarray],
    folder: Path,
    progress: Progress = lambda done, of: None,
) -> np.ndarray:
    """Features (n, width), a row for each of `digests` (sha256 of what decides the features).

    `compute` is given the places of those that `folder` does not hold, at most CHUNK at a time.
    """
    features = _read_cache(folder, set(digests))
    places = {digest: place for place, digest in enumerate(digests)}
    missing = [digest for digest in places if digest not in features]
    for start in range(0, len(missing), CHUNK):
        progress(start, len(missing))
        chunk = missing[start : start + CHUNK]
        rows = compute([places[digest] for digest in chunk])
        _keep(folder, chunk, rows)
        features.update(zip(chunk, rows, strict=True))
    progress(len(missing), len(missing))
    return np.stack([features[digest] for digest in digests]).astype(np.float32)


def _keep(folder: Path, digests: Sequence[str], rows: np.ndarray) -> None:
    numbers = np.stack([np.frombuffer(bytes.fromhex(digest), np.uint8) for digest in digests])
    data = save({"features": rows.astype(np.float32), "digests": numbers})
    write_atomic(folder / f"{sha256(data).hexdigest()[:16]}.safetensors", data)


def _read_cache(folder: Path, digests: set[str]) -> dict[str, np.ndarray]:
    """Those features of a cache folder that are wanted; a damaged file is passed over."""
    features: dict[str, np.ndarray] = {}
    for path in sorted(folder.glob("*.safetensors")):
        try:
            tensors = load(read_regular(path))
            names, rows = (row.tobytes().hex() for row in tensors["digests"]), tensors["features"]
        except (OSError, SafetensorError, KeyError) as error:
            log.warning(
                "The cached features %s cannot be read (%s); recomputing them.", path, error
            )
            continue
        features.update(
            (name, row) for name, row in zip(names, rows, strict=True) if name in digests
        )
    return features
