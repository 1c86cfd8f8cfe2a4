"""Which model files a plan uses, for the record: names always, hashes where they can be had."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ...core.errors import ServerError
from ...core.files import file_sha256
from ..plan import Plan
from ..workflow.graph import Graph
from .client import Comfy

SUFFIXES = (".safetensors", ".sft", ".gguf", ".ckpt", ".pt", ".pth", ".bin")


def model_facts(plan: Plan, comfy: Comfy, folders: Iterable[Path]) -> list[dict[str, Any]]:
    """Name and, where known, hash of every model file that a job of the plan loads.

    `folders` are the server's models folders if they are on this machine: then the hash is the
    file's sha256. Otherwise it is what the file says of itself, if the server shows that.
    """
    names = {name for job in plan.samples() for name in model_files(plan.graphs.graph(job, "0"))}
    return [{"name": name, **_hash(name, comfy, folders)} for name in sorted(names)]


def model_files(graph: Graph) -> Iterator[str]:
    """The literals of a graph that name a model file."""
    for node in graph.values():
        for value in node["inputs"].values():
            if isinstance(value, str) and value.endswith(SUFFIXES):
                yield value


def _hash(name: str, comfy: Comfy, folders: Iterable[Path]) -> dict[str, str]:
    plain = ".." not in Path(name).parts and not Path(name).is_absolute()
    for path in (path for folder in folders if plain for path in folder.glob(f"*/{name}")):
        return {"sha256": file_sha256(path)}
    try:
        metadata = comfy.model_metadata(name)
    except ServerError:
        return {}
    found = [(key, metadata[key]) for key in sorted(metadata) if "hash" in key or "sha256" in key]
    return {key: value for key, value in found if isinstance(value, str) and len(value) <= 200}
