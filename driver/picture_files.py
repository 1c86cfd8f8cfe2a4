"""The picture files of a folder that the jobs of a class take in turn."""

from pathlib import Path

from ..core.errors import InputError

PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".bmp"}


def in_folder(folder: Path, class_name: str) -> list[str]:
    """Those of its subfolder <class_name>, or of the folder itself where there is none, by name.

    Raises InputError when there is no picture.
    """
    own = folder / class_name
    place = own if own.is_dir() else folder
    found = sorted(str(p) for p in place.iterdir() if p.suffix.lower() in PICTURES)
    if not found:
        raise InputError(
            f"{place} holds no picture for the class {class_name!r}; "
            f"a picture ends in {', '.join(sorted(PICTURES))}."
        )
    return found
