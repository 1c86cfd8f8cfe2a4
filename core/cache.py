"""Where manyshot keeps what can be fetched or computed again."""

import os
from pathlib import Path

from platformdirs import user_cache_path


def cache_folder() -> Path:
    """MANYSHOT_CACHE where it is set, else the platform's cache folder for the user."""
    override = os.environ.get("MANYSHOT_CACHE")
    return Path(override).expanduser().absolute() if override else user_cache_path("manyshot")
