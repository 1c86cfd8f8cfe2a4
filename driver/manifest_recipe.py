"""manyshot.json of a dataset folder as the recipe, with its workflow, that makes it again."""

from hashlib import sha256
from pathlib import Path
from typing import Any

from ..core.dataset_files import MANIFEST
from ..core.errors import InputError
from ..core.json_text import read_json
from .workflow.graph import Graph, canonical


def describe_workflow(graph: Graph) -> dict[str, Any]:
    """What manyshot.json holds of a workflow: API format, and its SHA-256 in hex."""
    return {"sha256": _digest(graph), "prompt": graph}


def has_recipe(path: Path) -> bool:
    """Whether it is the manyshot.json of a folder that a run made."""
    keys = _content(path).keys()
    return {"recipe", "servers", "jobs"} <= keys and "curated" not in keys


def has_workflow(path: Path) -> bool:
    """Whether it is a manyshot.json with a workflow."""
    return "workflow" in _content(path) and has_recipe(path)


def _content(path: Path) -> dict[str, Any]:
    """What a manyshot.json holds; nothing of other files, and of those that cannot be read."""
    if path.name != MANIFEST or not path.is_file():
        return {}
    try:
        content = read_json(path)
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def read_manifest_recipe(path: Path) -> dict[str, Any]:
    """The keys of the recipe that made the folder of the manyshot.json at `path`.

    Its output is that folder, wherever it lies now, and its workflow the one inside. Raises
    InputError for a recipe that is none, and a workflow that was changed.
    """
    manifest = _content(path)
    recipe, workflow = manifest.get("recipe"), manifest.get("workflow")
    if not isinstance(recipe, dict):
        raise InputError(f"The recipe in {path} cannot be read.")
    within = {"workflow": str(path)} if workflow is not None else {}
    if workflow is not None:
        _check_workflow(workflow, path)
    return {**recipe, **within, "output": str(path.parent)}


def _check_workflow(workflow: Any, path: Path) -> None:
    graph = workflow.get("prompt") if isinstance(workflow, dict) else None
    if not isinstance(graph, dict):
        raise InputError(f"The workflow in {path} cannot be read.")
    if _digest(graph) != workflow.get("sha256"):
        raise InputError(
            f"The workflow in {path} was changed since the images were drawn: its SHA-256 is "
            "another. Run the recipe with your own workflow instead."
        )


def _digest(graph: Graph) -> str:
    return sha256(canonical(graph).encode()).hexdigest()
