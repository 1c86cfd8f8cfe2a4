"""The one writer of tensor files."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from ..core.errors import ManyshotError
from ..core.files import atomic_path


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
