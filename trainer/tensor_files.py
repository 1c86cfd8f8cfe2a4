"""The one writer of tensor files, and rows of numbers that are computed once."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from ..core.errors import ManyshotError
from ..core.files import atomic_path, write_atomic


def write_tensors(
    path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, str] | None = None
) -> None:
    """Write a safetensors file, whole or not at all; its header holds `facts`.

    The library writes tensor by tensor, without a second copy of them in memory, into a file of
    its own (mode 0600 since 0.8) that replaces the one it was given.
    """
    with atomic_path(path) as temporary:
        try:
            save_file(dict(tensors), temporary, dict(facts) if facts else None)
        except SafetensorError as error:
            raise ManyshotError(
                f"Writing {path} failed: {error}. Free up space, or fix the disk, and run "
                "the same command again."
            ) from None


def content_hash(tensors: Mapping[str, Tensor]) -> str:
    """sha256 of all tensors' bytes in the order of their names: what the model is, in short."""
    digest = sha256()
    for name in sorted(tensors):
        digest.update(tensors[name].detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def cache_rows(path: Path, names: Sequence[str], compute: Callable[[], np.ndarray]) -> np.ndarray:
    """What `compute` gives for these names, which must tell all that decides it; read from `path`
    when it was computed before and that file is whole."""
    damaged = suppress(OSError, ValueError, LookupError, EOFError, BadZipFile)
    with damaged, np.load(path, allow_pickle=False) as stored:
        if stored["names"].tolist() == list(names):
            return stored["rows"]
    rows, stream = compute(), BytesIO()
    np.savez(stream, names=np.array(names), rows=rows)
    write_atomic(path, stream.getvalue())
    return rows
