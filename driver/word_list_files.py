"""Word lists in files: one text file, or a folder of them as other tools keep their wildcards."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..core.errors import InputError
from ..core.image_files import is_hidden
from ..core.lines import content_lines
from ..core.text_file import read_text_file

MOST_FILES = 10_000


def read_word_lists(lists: Mapping[str, Sequence[str] | Path]) -> dict[str, list[str]]:
    """The lists of a recipe, those in files read: one value a line, # begins a comment line.

    A folder gives a list for each .txt in it and below, called name/file without the suffix.
    Raises InputError for what is not there, empty, or no text.
    """
    words: dict[str, list[str]] = {}
    for name, value in lists.items():
        if not isinstance(value, Path):
            words[name] = list(value)
        elif value.is_dir():
            words |= _read_folder(name, value)
        else:
            words[name] = _read_file(name, value)
    return words


def _read_folder(name: str, folder: Path) -> dict[str, list[str]]:
    paths = [path for path in sorted(folder.rglob("*.txt")) if _is_visible(path, folder)]
    if not paths:
        raise InputError(f"The folder {folder} of the list {name!r} has no .txt files.")
    if len(paths) > MOST_FILES:
        raise InputError(f"The folder {folder} has more than {MOST_FILES:,} .txt files.")
    return {
        f"{name}/{path.relative_to(folder).with_suffix('').as_posix()}": _read_file(name, path)
        for path in paths
    }


def _is_visible(path: Path, folder: Path) -> bool:
    return path.is_file() and not any(map(is_hidden, path.relative_to(folder).parts))


def _read_file(name: str, path: Path) -> list[str]:
    try:
        values = content_lines(read_text_file(path, "word list"))
    except FileNotFoundError:
        raise InputError(
            f"There is no file or folder {path} for the list {name!r}. Words in the recipe itself "
            f"are written as a list: '{name}: [red, blue]'."
        ) from None
    if not values:
        raise InputError(f"The word list {path} has no words.")
    return values
