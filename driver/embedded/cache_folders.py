"""The folder that keeps what is fetched once: ComfyUI, its base directories, models, logs."""

import os
from pathlib import Path

from ...core.cache import cache_folder
from ...core.errors import InputError


def usable_folder(folder: Path) -> Path:
    """`folder`, made when missing. Raises InputError when nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"The folder {folder} cannot be used: {error.strerror}. Choose another one "
            "(MANYSHOT_CACHE sets the cache folder)."
        ) from None
    if not os.access(folder, os.W_OK):
        raise InputError(f"The folder {folder} cannot be written to. Choose another one.")
    return folder


def models_folder() -> Path:
    """Where the user's own model files go, laid out as ComfyUI's models/."""
    return cache_folder() / "models"


def background_folder() -> Path:
    """Base directory of the server that `manyshot server start` leaves running."""
    return cache_folder() / "server"
