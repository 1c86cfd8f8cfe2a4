"""Names of model files, as WebUIs write them in their different places."""

from pathlib import PurePosixPath

SUFFIXES = (".safetensors", ".ckpt", ".pt", ".pth")


def same_file(name: str, other: str) -> bool:
    """Whether two names are of one model file: folders, endings and hashes are left out."""
    return _stem(name) == _stem(other)


def _stem(name: str) -> str:
    bare = name.replace("\\", "/").partition(" [")[0]
    path = PurePosixPath(bare)
    return path.stem if path.suffix in SUFFIXES else path.name
