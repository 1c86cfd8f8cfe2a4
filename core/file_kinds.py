"""What a file is that was given where a recipe of some kind belongs, and what to do with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PICTURES = frozenset({".png", ".webp", ".jpg", ".jpeg"})


@dataclass(frozen=True)
class RecipeKind:
    """A kind of recipe: how a sentence names it, who runs it, and the keys that it alone has."""

    name: str
    command: str
    keys: frozenset[str]


RUN = RecipeKind(
    "a run recipe",
    "manyshot run",
    frozenset(
        [
            "workflow",
            "webui",
            "prompts",
            "bind",
            "servers",
            "sweep",
            "images_per_class",
            "transport",
        ]
    ),
)
MEASUREMENT = RecipeKind(
    "a measurement recipe",
    "manyshot measure",
    frozenset(
        ["data", "synthetic", "arms", "shots", "draws", "protocol", "segmenter", "published"]
    ),
)
SUBJECT = RecipeKind(
    "a subject recipe",
    "manyshot subject train",
    frozenset({"settings", "together", "keep_looks", "samples"}),
)
KINDS = (RUN, MEASUREMENT, SUBJECT)


def explain_mismatch(path: Path, data: Mapping[str, Any], fields: frozenset[str]) -> str | None:
    """A sentence when the mapping `data` of the file `path` is not what its reader takes.

    `fields`: the keys that the reader knows. None when it may well be that kind of recipe.
    """
    if _is_workflow(data):
        return (
            f"{path} is a ComfyUI workflow, not a recipe. A recipe is a YAML file that says "
            f"what to draw with it, in lines such as 'workflow: {path.name}', 'output: "
            "my_images' and 'classes: [cat, dog]'. `manyshot run` runs it."
        )
    if "runs" in data and "gains" in data:
        return (
            f"{path} holds the results of a measurement: `manyshot report {path.parent}` shows it."
        )
    kind = max(KINDS, key=lambda each: len(each.keys & data.keys()))
    if not kind.keys & data.keys() or kind.keys & fields:
        return None
    return f"{path} is {kind.name}, which this command does not take. Use `{kind.command} {path}`."


def explain_path(path: Path) -> str | None:
    """A sentence for a folder or a picture where a recipe is wanted; None for other files."""
    if path.is_dir():
        return (
            f"{path} is a folder, but a recipe is a YAML file. `manyshot status {path}` "
            "shows the progress of a dataset folder."
        )
    if path.suffix.lower() in PICTURES and path.is_file():
        return (
            f"{path} is an image, but a recipe is a YAML file. A recipe can name an image "
            f"that contains ComfyUI's workflow, as 'workflow: {path.name}'."
        )
    return None


def _is_workflow(data: Mapping[str, Any]) -> bool:
    """Whether it is a graph as ComfyUI's canvas saves it, or as its API takes it."""
    if isinstance(data.get("nodes"), list) and "links" in data:
        return True
    values = data.values()
    return bool(data) and all(isinstance(each, dict) and "class_type" in each for each in values)
