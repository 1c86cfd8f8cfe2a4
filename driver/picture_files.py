"""The picture files that the jobs of a class take in turn, and what servers know them as."""

import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from ..core.errors import InputError, read_each
from ..core.files import read_regular
from ..core.image_files import SHOWN, is_hidden, visible_folders
from ..core.images import image_size, open_image_file

UPLOADS = "manyshot"  # a server's input subfolder for uploaded pictures
PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".bmp"}


def check_pictures(paths: Iterable[str]) -> None:
    """Raises InputError, naming all, for files that are no pictures by their headers.

    A recipe may come from anybody: what it names is sent to its server.
    """
    read_each(lambda path: image_size(Path(path), "picture"), dict.fromkeys(paths))


def list_pictures(folder: Path, class_name: str) -> list[str]:
    """Those of its subfolder <class_name>, or of the folder itself where there is none, by name.

    Raises InputError when there is no picture.
    """
    names = {
        unicodedata.normalize("NFC", folder_path.name): folder_path
        for folder_path in visible_folders(folder)
    }
    place = names.get(class_name, folder)
    files = (p for p in place.iterdir() if p.suffix.lower() in PICTURES and not is_hidden(p.name))
    paths = sorted(str(p) for p in files if p.is_file())
    if not paths:
        raise InputError(
            f"{place} has no picture for the class {class_name!r}; a picture ends in "
            f"{', '.join(sorted(PICTURES))}."
        )
    return paths


def pair_by_name(listed: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Picture files of several folders, so that those at one place have one name without suffix.

    `listed`: the files of each folder, by what it is bound to; the first one's order stays. Raises
    InputError for a name that one of the folders lacks, or has twice.
    """
    if len(listed) < 2:
        return dict(listed)
    stems = {address: _by_stem(address, paths) for address, paths in listed.items()}
    all_stems = dict.fromkeys(stem for by_stem in stems.values() for stem in by_stem)
    alone = [stem for stem in all_stems if not all(stem in by_stem for by_stem in stems.values())]
    if alone:
        more = f" and {len(alone) - SHOWN} more" if len(alone) > SHOWN else ""
        raise InputError(
            f"Pictures of several folders ({', '.join(listed)}) are paired by name, and "
            f"these are not in all of them: {', '.join(alone[:SHOWN])}{more}. Add them, "
            "remove them, or bind one picture for all with 'file'."
        )
    order = next(iter(stems.values()))
    return {address: [by_stem[stem] for stem in order] for address, by_stem in stems.items()}


def _by_stem(address: str, paths: list[str]) -> dict[str, str]:
    by_stem: dict[str, str] = {}
    for path in paths:
        stem = unicodedata.normalize("NFC", Path(path).stem)
        if stem in by_stem:
            raise InputError(
                f"{address}: {by_stem[stem]} and {path} have the same name, by which pictures "
                "of several folders are paired. Rename one of them."
            )
        by_stem[stem] = path
    return by_stem


@lru_cache(maxsize=200_000)
def upload_name(path: str) -> str:
    """The name of an uploaded picture: a hash of its content, so that equal ones go once."""
    try:
        data = read_regular(Path(path))
    except OSError as error:
        raise InputError(f"The picture {path} cannot be read: {error.strerror}.") from None
    with open_image_file(
        data, f"picture {path}"
    ):  # a ledger may name other files than the recipe does
        return sha256(data).hexdigest()[:32] + Path(path).suffix.lower()
