"""Numbers of files in a dataset folder that count on, so that none is replaced."""

import re
from pathlib import Path

from .paths import inside


def next_number(root: Path, class_name: str, name: str) -> int:
    """The number behind those of all files of this name and class, as *Save Image* has it.

    Letters' case makes no difference, as on some disks.
    """
    numbered = re.compile(re.escape(name) + r"_([0-9]+)\.png", re.IGNORECASE)
    folders = [inside(root, kind, class_name) for kind in ("images", "masks")]
    files = [path.name for folder in folders if folder.is_dir() for path in folder.iterdir()]
    numbers = [int(match[1]) for file in files if (match := numbered.fullmatch(file))]
    return max(numbers, default=-1) + 1
