"""Copies that were searched once: the same pictures are not compared again."""

import json
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

from ...core.files import write_text_atomic
from ...core.json_text import read_json
from ..images import content_digest
from .copy_search import Copy, find_copies, find_doubles
from .signatures import Progress

METHOD = 1  # one more whenever the same pictures would be judged otherwise


def load_or_find_copies(
    images: Sequence[Path],
    references: Sequence[Path],
    cache: Path,
    progress: Progress = lambda done, of: None,
) -> list[Copy]:
    """`find_copies`, once for the same contents: `cache`/copies keeps what was found."""
    digests = [[content_digest(path) for path in paths] for paths in (images, references)]
    return _load_or_search(digests, cache, lambda: find_copies(images, references, progress))


def load_or_find_doubles(
    images: Sequence[Path], cache: Path, progress: Progress = lambda done, of: None
) -> list[Copy]:
    """`find_doubles`, once for the same contents."""
    digests = [content_digest(path) for path in images]
    return _load_or_search([digests], cache, lambda: find_doubles(images, progress))


def _load_or_search(
    digests: list[list[str]], cache: Path, search: Callable[[], list[Copy]]
) -> list[Copy]:
    key = sha256(json.dumps([METHOD, *digests]).encode()).hexdigest()[:32]
    path = cache / "copies" / f"{key}.json"
    copies = _read(path)
    if copies is None:
        copies = search()
        rows = [[copy.image, copy.reference, copy.agreement] for copy in copies]
        write_text_atomic(path, json.dumps(rows))
    return copies


def _read(path: Path) -> list[Copy] | None:
    """What the file says; None when it is not there or not whole."""
    try:
        return [Copy(*row) for row in read_json(path)]
    except (OSError, ValueError, TypeError):
        return None
