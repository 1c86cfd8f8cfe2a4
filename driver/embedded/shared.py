"""Runs on the server that `manyshot server start` left running, in place of one of their own."""

import os
from collections.abc import Mapping
from pathlib import Path

from ...core.paths import inside, safe_name
from ...core.version import read_version
from .background import BackgroundServer, find_background
from .base_directory import link_file
from .server_settings import Progress

OWN = "this run starts its own"


def share_background(models: Mapping[str, Path], progress: Progress) -> BackgroundServer | None:
    """The background server with `models` (name below models/ -> file) among its files.

    None, and a sentence to `progress`, when it cannot be used: it does not answer, is of another
    manyshot, or may remember another content of one of the files.
    """
    running = find_background()
    if running is None:
        return None
    problem = _problem(running, models)
    if problem:
        progress(f"The server at {running.url} {problem}; {OWN}.")
        return None
    for name, path in models.items():
        link = _link(running, name)
        if not os.path.lexists(link):
            link_file(link, path.absolute())
    progress(f"Using the ComfyUI that runs at {running.url}")
    return running


def _problem(running: BackgroundServer, models: Mapping[str, Path]) -> str | None:
    if running.manyshot != read_version():
        return f"runs the nodes of manyshot {running.manyshot or 'of an earlier version'}"
    if running.facts() is None:
        return "does not answer"
    changed = [name for name, path in models.items() if _is_stale(_link(running, name), path)]
    return f"may have cached another version of {', '.join(changed)}" if changed else None


def _link(running: BackgroundServer, name: str) -> Path:
    """Where the server finds the model file `name` ("loras/rex.safetensors"), linked or not."""
    kind, _, file_name = name.rpartition("/")
    return inside(running.folder / "models", kind) / safe_name(file_name, "file name")


def _is_stale(link: Path, path: Path) -> bool:
    """Whether the server may have read something else than `path` under this name: ComfyUI keeps
    LoRA and results in memory by name."""
    if not os.path.lexists(link):
        return False
    linked = link.lstat()
    if link.is_symlink() and link.resolve() != path.resolve():
        return True
    return path.stat().st_mtime > linked.st_mtime
