"""sha256 of large files, computed once while a file keeps its size and its time of change."""

from hashlib import sha256
from pathlib import Path

from .cache import cache_folder
from .files import hash_file, write_text_atomic

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
