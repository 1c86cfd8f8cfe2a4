"""Which model files a plan uses, for the record: names always, hashes where they can be had."""

import json
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from ....core.cache import hash_file_once
from ....core.errors import ServerError
from ....core.paths import below
from ...model_use import SUFFIXES, find_prompt_networks, model_files
from ...plan import Plan
from .comfy_client import Comfy

FOLDERS = ("checkpoints", "loras", "controlnet", "vae", "diffusion_models", "embeddings",
           "text_encoders", "upscale_models", "clip_vision", "style_models",
           "hypernetworks")  # fmt: skip


def model_facts(plan: Plan, comfy: Comfy, folders: Iterable[Path]) -> list[dict[str, Any]]:
    """Name of every model file that a job of the plan loads, and what tells its content.

    `folders` are the server's models folders if they are on this machine: then that is the file's
    sha256. Otherwise it is what the server tells: the bytes of the file, the hashes that it says of
    itself, and a hash of all that it says.
    """
    graphs = [plan.graphs.graph(job, "0") for job in plan.samples()]
    names = {name for graph in graphs for name in model_files(graph)} | {
        *find_prompt_networks(plan)
    }
    local = {name: next(local_files(name, folders), None) for name in names}
    far = [name for name in names if name.endswith(SUFFIXES) and not local[name]]
    places = _places(far, comfy)
    return [{"name": name, **_content(name, comfy, local[name], places)} for name in sorted(names)]


def local_files(name: str, folders: Iterable[Path]) -> Iterator[Path]:
    """The files that may be meant by a loader's "x.safetensors" or a prompt's "loras/x"."""
    for folder in folders:
        places = [below(folder, f"{name}{suffix}") for suffix in ("", *SUFFIXES)]
        places += [below(kind, name) for kind in sorted(folder.glob("*/"))]
        yield from (place for place in places if place and place.is_file())


def _places(names: Iterable[str], comfy: Comfy) -> dict[str, tuple[str, int]]:
    """Name -> models folder and bytes, of the files that the server lists."""
    places: dict[str, tuple[str, int]] = {}
    for folder in FOLDERS:
        missing = [name for name in names if name not in places]
        if not missing:
            break
        try:
            sizes = comfy.model_sizes(folder)
        except ServerError:
            continue
        places |= {name: (folder, sizes[name]) for name in missing if name in sizes}
    return places


def _content(
    name: str, comfy: Comfy, path: Path | None, places: Mapping[str, tuple[str, int]]
) -> dict[str, str]:
    if path:
        return {"sha256": hash_file_once(path), "bytes": str(path.stat().st_size)}
    if not name.endswith(SUFFIXES):
        return {}  # as a prompt calls it
    folder, size = places.get(name, (None, None))
    try:
        metadata = comfy.model_metadata(name, folder)
    except ServerError:
        metadata = {}
    named = [(key, metadata[key]) for key in sorted(metadata) if "hash" in key or "sha256" in key]
    hashes = {key: value for key, value in named if isinstance(value, str) and len(value) <= 200}
    length = {} if size is None else {"bytes": str(size)}
    return hashes | length | ({"metadata": _digest(metadata)} if metadata else {})


def _digest(metadata: Mapping[str, Any]) -> str:
    """Of all that a file says of itself: two trainings seldom say the same."""
    return sha256(json.dumps(metadata, sort_keys=True).encode()).hexdigest()
