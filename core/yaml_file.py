"""A YAML file as plain values, and what it says where YAML reads something other than text.

YAML 1.1 gives a meaning to words that people mean as they stand: `no` is false, 12:30 is 750, 010
is 8. What no recipe can mean is refused here; what is right for a switch or a number and wrong for
a text is told to those who know which was wanted (`Written`).
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError
from yaml.parser import ParserError
from yaml.scanner import ScannerError

from .counted import did_you_mean
from .errors import InputError
from .text_file import read_text_file

MAX_BYTES = 1_000_000
Place = tuple[str, ...]
Written = Mapping[Place, str]
"""Place of a value that is no text, such as ("classes", "0") -> the letters of the file there."""

_BLOCKS = ("|", ">")
_BOOL, _INT, _FLOAT, _NULL, _TEXT, _DATE = (
    f"tag:yaml.org,2002:{kind}" for kind in ("bool", "int", "float", "null", "str", "timestamp")
)
_TYPOGRAPHIC = re.compile(r"[“”„‟«‘’‚].*[“”‟»‘’]", re.DOTALL)


class _Loader(yaml.SafeLoader):
    """safe_load, minus aliases (a small file could grow without end), merges and repeated keys."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.events.AliasEvent):
            event = self.peek_event()
            raise ComposerError(
                None, None, "aliases (*name) are not allowed in a recipe", event.start_mark
            )
        return super().compose_node(parent, index)


def read_yaml(path: Path) -> tuple[Any, Written]:
    """The values of a YAML file, and what it says where they are no text.

    Line ends at the end of a block text (`|`, `>`) are no part of it; all else stays as written.
    Raises InputError for what cannot be read or would be read as something else than it looks.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(
                f"{path} is larger than {MAX_BYTES:,} bytes, more than a recipe may be."
            )
        return read_yaml_text(read_text_file(path, "recipe"))
    except FileNotFoundError:
        raise InputError(f"There is no recipe at {path}.{_neighbours(path)}") from None
    except OSError as error:
        raise InputError(f"The recipe {path} cannot be read: {error}.") from None
    except yaml.MarkedYAMLError as error:
        raise InputError(f"{path}{_position(error)}: {error.problem}.{_advice(error)}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InputError(f"{path} is not valid YAML: {str(error).splitlines()[0]}.") from None


def read_yaml_text(text: str) -> tuple[Any, Written]:
    """The value of a YAML text, and what the text says where it is no text, as of `read_yaml`.

    Raises yaml.YAMLError.
    """
    loader = _Loader(text)  # a SafeLoader: it makes plain values only
    try:
        node = loader.get_single_node()
        if node is None:
            return None, {}
        lines = text.splitlines()
        written = {place: scalar.value for place, scalar in _scalars(node, (), lines)}
        return loader.construct_document(node), written
    finally:
        loader.dispose()


def _scalars(node: yaml.Node, place: Place, lines: list[str]) -> Iterator[tuple[Place, Any]]:
    """The scalars below `node` that are no text, each of them checked."""
    if isinstance(node, yaml.MappingNode):
        _check_keys(node)
        for key, value in node.value:
            yield from _scalars(value, (*place, key.value), lines)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield from _scalars(value, (*place, str(number)), lines)
    elif isinstance(node, yaml.ScalarNode):
        _check_scalar(node, lines)
        if node.style in _BLOCKS:
            node.value = node.value.rstrip("\n")
        elif node.style is None and node.tag != _TEXT:
            yield place, node


def _check_keys(node: yaml.MappingNode) -> None:
    keys: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _fault(key, "a key must be plain text")
        if key.value == "<<":
            raise _fault(key, "merges (<<) are not allowed in a recipe")
        if key.style is None and key.tag in (_BOOL, _NULL, _DATE, _FLOAT):
            raise _fault(key, _other_meaning(key))
        if key.value in keys:
            raise _fault(key, f"the key {key.value!r} is written twice")
        keys.add(key.value)


def _check_scalar(node: yaml.ScalarNode, lines: list[str]) -> None:
    """Raises for what YAML reads as something that is right in no recipe."""
    if node.style is not None:
        return
    value = node.value
    if node.tag == _DATE or (node.tag in (_INT, _FLOAT) and _is_misread(value)):
        raise _fault(node, _other_meaning(node))
    if node.tag == _TEXT and _TYPOGRAPHIC.fullmatch(value):
        raise _fault(
            node,
            f"the quotes in {value} are not YAML quotes and would become part of the text. "
            f"Use straight ones: {quote(value[1:-1])}",
        )
    comment = _find_comment(node, lines)
    if comment:
        raise _fault(
            node,
            f"YAML reads {comment!r} after {value!r} as a comment. Quote the text, "
            f"{quote(f'{value} {comment}')}, or put a space after the # of a comment",
        )


def _is_misread(number: str) -> bool:
    """12:30 is 750 in YAML 1.1, and 010 is 8."""
    return ":" in number or re.fullmatch(r"[-+]?0[0-9_]+", number) is not None


def _find_comment(node: yaml.ScalarNode, lines: list[str]) -> str:
    """The `#1` of `a cat #1`, which YAML drops; "" for a usual comment, which has a space."""
    if node.tag != _TEXT or node.end_mark.line >= len(lines):
        return ""
    rest = lines[node.end_mark.line][node.end_mark.column :]
    match = re.match(r"\s+(#\w.*)", rest)
    return match[1].rstrip() if match else ""


def _other_meaning(node: yaml.ScalarNode) -> str:
    if not node.value:
        return "a key is empty; write its text"
    kinds = {_NULL: "nothing", _DATE: "a date"}
    plain = str(yaml.safe_load(node.value)).lower()
    number = plain if node.tag == _BOOL else f"the number {plain}"
    kind = kinds.get(node.tag, number)
    return f"YAML reads {node.value} as {kind}. Quote it if it is text: {quote(node.value)}"


def quote(text: str) -> str:
    """`text` as YAML takes it for text, on one line."""
    shown = text if len(text) <= 60 else text[:57] + "..."
    return "'" + shown.replace("'", "''") + "'"


def _fault(node: yaml.Node, problem: str) -> ConstructorError:
    return ConstructorError(None, None, problem, node.start_mark)


def _position(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark
    return f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""


def _advice(error: yaml.MarkedYAMLError) -> str:
    """The usual cause of a text that is no YAML."""
    if not isinstance(error, ParserError | ScannerError):
        return ""
    return " Text that begins with {, [ or another YAML symbol, or contains ': ', needs quotes."


def _neighbours(path: Path) -> str:
    names = [p.name for p in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
    return did_you_mean(path.name, names) if names else ""
