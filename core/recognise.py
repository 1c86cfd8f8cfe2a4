"""Which kind of file or folder a path leads to, by its content."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import file_kinds as kinds
from .dataset_files import LEDGER, MANIFEST, METADATA
from .errors import InputError
from .file_kinds import FileKind, RecipeKind
from .image_files import SUFFIXES
from .json_text import read_json
from .yaml_file import read_yaml

BY_NAME = {
    **dict.fromkeys([MANIFEST, METADATA, LEDGER], kinds.RECORDS),
    **dict.fromkeys(["report.html", "report.md"], kinds.REPORT),
}
BY_SUFFIX = {
    **dict.fromkeys(SUFFIXES, kinds.PICTURE),
    **dict.fromkeys([".safetensors", ".ckpt", ".pt", ".pth", ".bin"], kinds.WEIGHTS),
    **dict.fromkeys([".zip", ".tar", ".gz", ".tgz", ".7z"], kinds.ARCHIVE),
    **dict.fromkeys([".txt", ".csv", ".tsv"], kinds.TEXT),
    **dict.fromkeys([".html", ".md", ".pdf", ".docx", ".xlsx"], kinds.DOCUMENT),
}


def recognise(path: Path) -> FileKind | None:
    """The kind of what is at `path`; None for what is not there or of no kind that is known."""
    try:
        if path.is_dir():
            return _folder(path)
        return _file(path) if path.is_file() else None
    except (OSError, ValueError, InputError):  # cannot be read: its reader says why
        return None


def recognise_data(data: Any) -> FileKind | None:
    """The kind of a file by its parsed YAML or JSON."""
    if not isinstance(data, dict):
        return None
    if _is_workflow(data):
        return kinds.WORKFLOW
    if "runs" in data and "gains" in data:
        return kinds.RESULTS
    if {"format", "recipe", "versions"} <= data.keys():
        return kinds.RECORDS
    if "$defs" in data and "properties" in data:
        return kinds.SCHEMA
    if data and all(isinstance(each, dict) and "input" in each for each in data.values()):
        return kinds.OBJECT_INFO
    return recipe_kind(data)


def recipe_kind(data: Mapping[str, Any]) -> RecipeKind | None:
    """The kind of recipe that has most keys of `data` for itself; None where none has any."""
    kind = max(kinds.KINDS, key=lambda each: len(each.keys & data.keys()))
    return kind if kind.keys & data.keys() else None


def _file(path: Path) -> FileKind | None:
    if path.name in BY_NAME:
        return BY_NAME[path.name]
    match path.suffix.lower():
        case ".json":
            return recognise_data(read_json(path))
        case ".yaml" | ".yml":
            return recognise_data(read_yaml(path)[0])
        case suffix:
            return BY_SUFFIX.get(suffix)


def _folder(path: Path) -> FileKind:
    if any((path / name).exists() for name in (LEDGER, METADATA, MANIFEST)):
        return kinds.DATASET
    if (path / "results.json").is_file():
        return kinds.MEASUREMENT_FOLDER
    entries = [*path.iterdir()]
    if not entries:
        return kinds.EMPTY_FOLDER
    if any(entry.suffix == ".safetensors" for entry in entries):
        return kinds.SUBJECT_FOLDER
    folders = [path, *(entry for entry in entries if entry.is_dir())]
    if any(entry.suffix.lower() in SUFFIXES for folder in folders for entry in folder.iterdir()):
        return kinds.PHOTOS
    return kinds.FOLDER


def _is_workflow(data: Mapping[str, Any]) -> bool:
    """Whether it is a graph as ComfyUI's canvas saves it, or as its API takes it."""
    if isinstance(data.get("nodes"), list) and "links" in data:
        return True
    values = data.values()
    return bool(data) and all(isinstance(each, dict) and "class_type" in each for each in values)
