"""Folders of a measurement's draws, named <shots>-<draw>: 5-0, 5-1, 10-0."""

import re
from pathlib import Path

from .errors import InputError
from .image_files import list_names, visible_folders

_NAME = re.compile(r"[1-9][0-9]{0,8}-(?:0|[1-9][0-9]{0,8})")


def draw_folder(shots: int, draw: int) -> str:
    """The name of a draw's folder."""
    return f"{shots}-{draw}"


def draw_folders(folder: Path, advice: str) -> list[Path]:
    """The folders of draws in a folder, by shots and draw.

    `advice`: how to make them, as a sentence. Raises InputError when there is none, and for other
    folders beside them, which no draw would use.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder} with a folder for each draw. {advice}")
    inner = visible_folders(folder)
    strangers = [path for path in inner if not _NAME.fullmatch(path.name)]
    if strangers:
        raise InputError(
            f"'each_draw' needs one folder per draw, such as {folder / '5-0'}, but {folder} "
            f"has others: {list_names(strangers, folder)}. {advice}"
        )
    if not inner:
        raise InputError(f"{folder} has no folder of a draw, such as 5-0. {advice}")
    return sorted(inner, key=_numbers)


def _numbers(folder: Path) -> tuple[int, int]:
    shots, draw = folder.name.split("-")
    return int(shots), int(draw)
