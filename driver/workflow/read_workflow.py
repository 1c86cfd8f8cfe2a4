"""A workflow file of any kind becomes an API graph."""

import json
from pathlib import Path
from typing import Any

from ...core import json_text
from ...core.errors import InputError
from ...core.images import open_image_file
from ...core.text_file import decode_text
from .canvas import is_ui
from .catalogue import Catalogue
from .convert_ui import convert_ui
from .graph import Graph, parse_api

MAX_BYTES = 50_000_000
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


def read_workflow(path: Path, catalogue: Catalogue | None = None) -> Graph:
    """The API graph in `path`: API format, UI format, a PNG that ComfyUI saved, or manyshot.json of
    a dataset folder.

    UI format needs the catalogue of a server. Raises InputError, naming the file, for anything
    that is not such a workflow.
    """
    return to_graph(read_json(path), catalogue, str(path))


def to_graph(data: Any, catalogue: Catalogue | None, where: str) -> Graph:
    """A parsed file as an API graph; the body of a `POST /prompt` will do too."""
    if is_ui(data):
        if catalogue is None:
            raise InputError(
                f"{where} is in UI format, which can only be converted with a server's node "
                "list. Name a server, or save the workflow with Export (API)."
            )
        return convert_ui(data, catalogue, where)
    if isinstance(data, dict) and data.keys() >= {"format", "recipe", "workflow"}:
        data = data["workflow"]  # manyshot.json of a dataset folder
    if isinstance(data, dict) and isinstance(data.get("prompt"), dict) and "class_type" not in data:
        data = data["prompt"]
    if not _looks_like_api(data):
        raise InputError(
            f"{where} is not a ComfyUI workflow: neither nodes with class_type (API format) nor a "
            "list named nodes (UI format)."
        )
    return parse_api(data, where)


def read_json(path: Path) -> Any:
    """The JSON in a workflow file, or in the `prompt` text of a PNG. Raises InputError."""
    content = _content(path)
    text = _png_prompt(path) if content.startswith(PNG_MAGIC) else _decode(content, path)
    return parse_json(text, str(path))


def parse_json(text: str, where: str) -> Any:
    """`json_text.parse_json` with errors as sentences; NaN, which is no JSON, is read as null."""
    try:
        return json_text.parse_json(text, parse_constant=lambda _: None)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{where}, line {error.lineno}, column {error.colno}: broken JSON, {error.msg.lower()}."
        ) from None
    except ValueError as error:
        raise InputError(f"{where} is not a workflow:  {error}.") from None


def _content(path: Path) -> bytes:
    """The bytes of a plain file (a device or a pipe need never end)."""
    try:
        if path.exists() and not path.is_file():
            raise InputError(f"{path} is not a file.")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {_reason(error)}.") from None
    if len(content) > MAX_BYTES:
        raise InputError(
            f"{path} is larger than {MAX_BYTES // 1_000_000} MB, more than a workflow may be."
        )
    return content


def _decode(content: bytes, path: Path) -> str:
    if path.suffix == ".json":
        return decode_text(content, path, "workflow")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not a workflow: byte {error.start} is not UTF-8 text. A workflow is "
            "a .json file, or a .png that ComfyUI saved."
        ) from None


def _png_prompt(path: Path) -> str:
    """The API graph that ComfyUI writes into its PNGs."""
    with open_image_file(path, "workflow", formats=("PNG",)) as image:
        text = image.info.get("prompt")
    if not isinstance(text, str):
        raise InputError(f"{path} contains no workflow: the PNG lacks ComfyUI's text 'prompt'.")
    return text


def _looks_like_api(data: Any) -> bool:
    if not isinstance(data, dict):
        return False
    return any(isinstance(node, dict) and "class_type" in node for node in data.values())


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
