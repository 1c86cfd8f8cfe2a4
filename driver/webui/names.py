"""Names of model files, as WebUIs write them in their different places."""

from pathlib import PurePosixPath

SUFFIXES = (".safetensors", ".ckpt", ".pt", ".pth")


def same_file(name: str, other: str) -> bool:
    """Whether two names may be of one model file: folders and hashes are left out, and the ending
    where one has none."""
    (stem, suffix), (other_stem, other_suffix) = _split_name(name), _split_name(other)
    return stem == other_stem and ("" in (suffix, other_suffix) or suffix == other_suffix)


def _split_name(name: str) -> tuple[str, str]:
    """Bare name and ending of "folder/name.safetensors [hash]"."""
    path = PurePosixPath(name.replace("\\", "/").partition(" [")[0])
    return (path.stem, path.suffix) if path.suffix in SUFFIXES else (path.name, "")
