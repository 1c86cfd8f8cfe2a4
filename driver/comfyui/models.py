"""Which model files a plan uses, for the record: names always, hashes where they can be had."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ...core.content_hash import remembered_sha256
from ...core.errors import ServerError
from ...core.paths import below
from ..model_use import SUFFIXES, called_in_text, model_files
from ..plan import Plan
from .client import Comfy


def model_facts(plan: Plan, comfy: Comfy, folders: Iterable[Path]) -> list[dict[str, Any]]:
    """Name and, where known, hash of every model file that a job of the plan loads.

    `folders` are the server's models folders if they are on this machine: then the hash is the
    file's sha256. Otherwise it is what the file says of itself, if the server shows that.
    """
    graphs = [plan.graphs.graph(job, "0") for job in plan.samples()]
    names = {name for graph in graphs for name in model_files(graph)} | {*called_in_text(plan)}
    return [{"name": name, **_hash(name, comfy, folders)} for name in sorted(names)]


def local_files(name: str, folders: Iterable[Path]) -> Iterator[Path]:
    """The files that may be meant by a loader's "x.safetensors" or a prompt's "loras/x"."""
    for folder in folders:
        places = [below(folder, f"{name}{suffix}") for suffix in ("", *SUFFIXES)]
        places += [below(kind, name) for kind in sorted(folder.glob("*/"))]
        yield from (place for place in places if place and place.is_file())


def _hash(name: str, comfy: Comfy, folders: Iterable[Path]) -> dict[str, str]:
    for path in local_files(name, folders):
        return {"sha256": remembered_sha256(path)}
    if not name.endswith(SUFFIXES):
        return {}  # as a prompt calls it
    try:
        metadata = comfy.model_metadata(name)
    except ServerError:
        return {}
    found = [(key, metadata[key]) for key in sorted(metadata) if "hash" in key or "sha256" in key]
    return {key: value for key, value in found if isinstance(value, str) and len(value) <= 200}
