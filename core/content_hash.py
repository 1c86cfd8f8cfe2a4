"""sha256 of large files, computed once while a file keeps its size and its time of change."""

from hashlib import sha256
from pathlib import Path

from .cache import cache_folder
from .files import file_sha256, write_text_whole

SMALL = 1_000_000  # bytes: read faster than remembered


def remembered_sha256(path: Path) -> str:
    """Hex sha256 of a file's content, kept in manyshot's cache between runs."""
    stat = path.stat()
    if stat.st_size < SMALL:
        return file_sha256(path)
    what = f"{path.resolve()} {stat.st_size} {stat.st_mtime_ns}"
    kept = cache_folder() / "sha256" / sha256(what.encode("utf-8", "surrogateescape")).hexdigest()
    try:
        known = kept.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        known = ""
    if len(known) != 64:
        known = file_sha256(path)
        try:
            write_text_whole(kept, known)
        except OSError:
            return known  # a cache that cannot be written is none
    return known
