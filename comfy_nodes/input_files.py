"""Files and folders below ComfyUI's input folder, by names that come from the canvas."""

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from ..core.errors import InputError
from ..core.nearest import did_you_mean
from ..core.paths import relative_name


def input_folder() -> Path:
    """ComfyUI's input folder."""
    from folder_paths import get_input_directory

    return Path(get_input_directory())


def input_path(name: str, what: str) -> Path:
    """The path of a file or folder there; a link in the input folder is followed.

    `what` names it in messages ("folder"). Raises InputError for a name that leads out of the
    input folder, and for one that is not there.
    """
    root = input_folder()
    path = root.joinpath(*relative_name(name.rstrip("/"), what).parts)
    if not path.exists():
        beside = root if not path.parent.is_dir() else path.parent
        known = [one.relative_to(root).as_posix() for one in beside.iterdir()]
        near = did_you_mean(name, [one for one in known if not one.startswith(".")])
        raise InputError(f"ComfyUI's input folder has no {what} {name!r}.{near}")
    return path


def stamp(paths: Iterable[Path]) -> str:
    """A text that is new when a file is: ComfyUI's cache knows only names."""
    found = sha256()
    for path in paths:
        stat = path.stat()
        found.update(f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return found.hexdigest()
