"""Where manyshot keeps what can be fetched or computed again, such as the hashes of large files."""

import os
from hashlib import sha256
from pathlib import Path

from platformdirs import user_cache_path

from .files import hash_file, write_text_atomic


def cache_folder() -> Path:
    """MANYSHOT_CACHE where it is set, else the platform's cache folder for the user."""
    override = os.environ.get("MANYSHOT_CACHE")
    return Path(override).expanduser().absolute() if override else user_cache_path("manyshot")


SMALL = 1_000_000  # bytes: read faster than remembered


def hash_file_once(path: Path) -> str:
    """Hex sha256 of a file's content, kept in manyshot's cache between runs."""
    stat = path.stat()
    if stat.st_size < SMALL:
        return hash_file(path)
    key = f"{path.resolve()} {stat.st_size} {stat.st_mtime_ns}"
    cache_file = (
        cache_folder() / "sha256" / sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
    )
    try:
        digest = cache_file.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        digest = ""
    if len(digest) != 64:
        digest = hash_file(path)
        try:
            write_text_atomic(cache_file, digest)
        except OSError:
            return digest  # a cache that cannot be written is none
    return digest
