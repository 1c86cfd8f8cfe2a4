"""The files of a dataset folder and their names; what a record says is in records.py.

manyshot.json        resolved recipe, versions, servers and model names, counts
metadata.jsonl       one record a line
images/<class_name>/<job_id>_<i>.png
masks/<class_name>/<job_id>_<i>.png

Needs nothing but Python, as all that the WebUI's extension takes does (its pydantic is older).
"""

import re
from pathlib import Path
from typing import Any

from .paths import inside

MANIFEST = "manyshot.json"
METADATA = "metadata.jsonl"
LEDGER = ".manyshot.sqlite"


def image_name(class_name: str, job_id: str, index: int) -> str:
    """Path of an image inside the dataset folder; the caller has checked `class_name`."""
    return f"images/{class_name}/{job_id}_{index}.png"


def mask_name(class_name: str, job_id: str, index: int) -> str:
    """Path of a mask inside the dataset folder."""
    return f"masks/{class_name}/{job_id}_{index}.png"


def manifest(recipe: dict[str, Any], versions: dict[str, str], **facts: Any) -> dict[str, Any]:
    """The content of manyshot.json."""
    return {"format": 1, "recipe": recipe, "versions": versions, **facts}


def next_number(root: Path, class_name: str, name: str) -> int:
    """The number behind those of all files of this name and class, as *Save Image* has it.

    Letters' case makes no difference, as on some disks.
    """
    numbered = re.compile(re.escape(name) + r"_([0-9]+)\.png", re.IGNORECASE)
    folders = [inside(root, kind, class_name) for kind in ("images", "masks")]
    files = [path.name for folder in folders if folder.is_dir() for path in folder.iterdir()]
    numbers = [int(match[1]) for file in files if (match := numbered.fullmatch(file))]
    return max(numbers, default=-1) + 1
