"""`manyshot doctor`: is all here that a run, a training and a measurement need?"""

import shutil
import socket
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import psutil
from pydantic import ValidationError

from ..core.errors import InputError, ManyshotError
from ..core.extras import Extra, extra_requirements, install_command, missing_requirements
from ..core.tiny_files import TINY_CONTROLNETS, TINY_MODEL
from .address import ServerAddress
from .embedded.cache_folders import cache_folder
from .embedded.ports import kept_port
from .gpu import list_gpus, torch_build
from .targets.target import Check, load_target

PYTHON = (3, 11)
LEAST_DISK = 2  # GiB: ComfyUI, features of photos, pictures
LEAST_MEMORY = 4  # GiB: ComfyUI and a training with the small model
PURPOSES = {
    Extra.SERVER: "the embedded ComfyUI",
    Extra.TRAINER: "subjects, measurements and curation",
    Extra.EXPORT: "`manyshot export` as COCO, WebDataset and Hugging Face",
    Extra.OCR: "`manyshot subject evaluate --word`",
    Extra.NOTEBOOK: "tables and figures in notebooks",
    Extra.LOGGING: "`manyshot subject train --log`",
}


def check_machine(embedded: bool) -> Iterator[Check]:
    """Python, packages, GPU, memory, disk, ports and fonts. `embedded`: whether ComfyUI is to run
    here, rather than on a server that is there."""
    yield _python()
    for extra in PURPOSES:
        required = extra is Extra.TRAINER or (extra is Extra.SERVER and embedded)
        yield _extra(extra, required)
    yield _device()
    yield _weights(embedded)
    yield _memory()
    yield from _disk()
    yield _port()
    yield _fonts()


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    fix = "" if sys.version_info >= PYTHON else "Install Python 3.11 or newer, and manyshot in it."
    return Check("python", not fix, f"{version} at {sys.executable}", fix)


def _extra(extra: Extra, needed: bool) -> Check:
    name = f"extra {extra.value}"
    missing = list(dict.fromkeys(missing_requirements(extra_requirements(extra))))
    if not missing:
        return Check(name, True, f"installed, for {PURPOSES[extra]}", needed=needed)
    shown = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
    return Check(name, False, f"{PURPOSES[extra]}: {shown}", install_command(extra), needed)


def _device() -> Check:
    build, gpus = torch_build(), list_gpus()
    if build is None:
        return Check("torch", False, "not installed", install_command(Extra.TRAINER))
    version, built_for = build
    text = f"{version}, built for {built_for or 'the CPU alone'}; GPU: {', '.join(gpus) or 'none'}"
    if gpus and built_for is None:
        fix = "This torch does not use the GPU: choose another build at https://pytorch.org."
        return Check("torch", False, text, fix, needed=False)
    return Check("torch", True, text)


def _weights(embedded: bool) -> Check:
    files = (TINY_MODEL, *TINY_CONTROLNETS.values())
    missing = [path.name for path in files if not path.is_file()]
    if missing:
        fix = "Install manyshot anew: they are a part of it."
        return Check("small model", False, f"no {', '.join(missing)}", fix, embedded)
    return Check("small model", True, f"{len(files)} files in {TINY_MODEL.parents[1]}")


def _memory() -> Check:
    memory = psutil.virtual_memory()
    text = f"{memory.available / 2**30:.1f} of {memory.total / 2**30:.1f} GiB free"
    if memory.available >= LEAST_MEMORY * 2**30:
        return Check("memory", True, text)
    fix = f"Close other programs: ComfyUI and a training take about {LEAST_MEMORY} GiB."
    return Check("memory", False, text, fix, needed=False)


def _disk() -> Iterator[Check]:
    """The cache's folder and the one that the command runs in."""
    fixes = {
        "disk of the cache": (cache_folder(), "Make room, or name another by MANYSHOT_CACHE."),
        "disk here": (Path.cwd(), "Make room, or work in another folder."),
    }
    for name, (folder, fix) in fixes.items():
        free = shutil.disk_usage(_existing(folder)).free / 2**30
        enough = free >= LEAST_DISK
        yield Check(name, enough, f"{free:,.1f} GiB free at {folder}", "" if enough else fix)


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(path for path in (folder, *folder.parents) if path.exists())


def _port() -> Check:
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as free:
            free.bind(("127.0.0.1", 0))
            free.listen()
    except OSError as error:
        fix = "The embedded server listens on 127.0.0.1: allow that."
        return Check("ports", False, f"no port of 127.0.0.1 can be opened: {error}", fix)
    previous = kept_port()
    server = f"; `manyshot server start` used {previous} last" if previous else ""
    return Check("ports", True, f"ports of 127.0.0.1 can be opened{server}")


def _fonts() -> Check:
    """Contact sheets are labelled with Pillow's own font, which FreeType draws."""
    if find_spec("PIL._imagingft"):
        return Check("fonts", True, "Pillow draws text with FreeType")
    fix = 'pip install --force-reinstall "pillow"'
    return Check("fonts", False, "this Pillow has no FreeType: labels are coarse", fix, False)


def check_server(url: str) -> list[Check]:
    """A server by its address, as recipes have it. Raises InputError for no address."""
    try:
        address = ServerAddress(url=url)
    except ValidationError:
        raise InputError(
            f"{url!r} is not a server address. Write it as http://host:port of a "
            "ComfyUI, or webui+http://host:port of a WebUI."
        ) from None
    checks: list[Check] = []
    try:
        checks.extend(load_target(address.kind).diagnose(address))
    except ManyshotError as error:
        fix = "Start it, or give another address; a WebUI must be started with --api."
        checks.append(Check("server", False, str(error).rstrip("."), fix))
    return checks
