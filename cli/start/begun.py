"""What a folder of `start` was begun with: it goes on with nothing else."""

import json
from dataclasses import asdict
from pathlib import Path

from ...core.errors import InputError
from ...core.files import write_text_atomic
from ...core.json_text import read_json
from .setup import Setup

FILE = "start.json"
MOST_BYTES = 1_000_000


def check_begun(setup: Setup) -> None:
    """Raises InputError where the output was begun with other options or other photos."""
    path, now = setup.output / FILE, _facts(setup)
    if not path.exists():
        _refuse_others(setup.output)
        return
    try:
        before = read_json(path, MOST_BYTES)
    except (ValueError, OSError) as error:
        raise InputError(f"{path} cannot be read: {error}. Choose another --output.") from None
    if not isinstance(before, dict):
        raise InputError(f"{path} was not written by `manyshot start`. Choose another --output.")
    changed = [name for name, value in now.items() if before.get(name) != value]
    if changed:
        raise InputError(
            f"{setup.output} was started with different {' and '.join(changed)}. Use the "
            "same again to resume, or choose another --output for a separate answer."
        )


def keep_begun(setup: Setup) -> None:
    """Write the facts down, once."""
    path = setup.output / FILE
    if not path.exists():
        write_text_atomic(path, json.dumps(_facts(setup), indent=2, ensure_ascii=False) + "\n")


def _facts(setup: Setup) -> dict[str, object]:
    """By what the user calls them; `comfyui` may have moved, and changes nothing of the answer."""
    options = {
        name: _plain(value)
        for name, value in asdict(setup.options).items()
        if name not in ("output", "comfyui")
    }
    return {**options, "photos": setup.photos.digest}


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
    return value if value is None or isinstance(value, bool | int) else str(value)


def _refuse_others(output: Path) -> None:
    """Raises InputError for a folder that holds things of somebody else."""
    if output.is_file():
        raise InputError(f"{output} is a file. Choose another --output.")
    if output.is_dir() and any(not path.name.startswith(".") for path in output.iterdir()):
        raise InputError(
            f"{output} is not empty and was not started by `manyshot start`. Choose another "
            "--output, or empty it."
        )
