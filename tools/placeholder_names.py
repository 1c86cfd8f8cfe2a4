"""Refuse new placeholder names: a name says what a value is, not that there is one.

    python tools/placeholder_names.py           fails where a file has more than its baseline
    python tools/placeholder_names.py --update  writes what is there as the baseline

The baseline (placeholder_names.json) holds how many each file still has. Its sum never grows: new
files have none, and files that move take theirs along by --update.
"""

import ast
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
BASELINE = Path(__file__).with_suffix(".json")
FOLDERS = ("core", "driver", "trainer", "cli", "library", "comfy_nodes", "webui", "tools")
PLACEHOLDERS = frozenset(
    """
    asked came data2 drawn found given got held kept known left made one others own part said seen
    stuff taken tell thing things told wanted
    """.split()  # noqa: SIM905 - read as a text
)
BESIDE_LEFT = {"right", "top", "upper"}  # a side of a box, not what is left
Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef | ast.Module


@dataclass(frozen=True)
class Binding:
    """A name that a scope binds, once however often it does; `siblings`: all that it binds."""

    name: str
    line: int
    siblings: frozenset[str]


def bindings(tree: ast.Module) -> Iterator[Binding]:
    """Variables, parameters and fields; not functions, classes and imports."""
    lines: dict[tuple[int, str], int] = {}
    names: dict[int, set[str]] = defaultdict(set)
    for scope, name, line in _bound(tree, 0):
        names[scope].add(name)
        lines[scope, name] = min(line, lines.get((scope, name), line))
    for (scope, name), line in lines.items():
        yield Binding(name, line, frozenset(names[scope]))


def _bound(node: ast.AST, scope: int) -> Iterator[tuple[int, str, int]]:
    """(scope, name, line) of each name that is bound under `node`."""
    for child in ast.iter_child_nodes(node):
        inner = id(child) if isinstance(child, Scope) else scope
        match child:
            case ast.Name(id=name, ctx=ast.Store()):
                yield scope, name, child.lineno
            case ast.arg(arg=name):
                yield scope, name, child.lineno
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                yield scope, name, child.lineno
            case ast.MatchStar(name=str(name)):
                yield scope, name, child.lineno
        yield from _bound(child, inner)


def is_placeholder(binding: Binding) -> bool:
    """Whether a name says nothing of what it holds; `left` beside `right` or `top` does."""
    if binding.name == "left" and binding.siblings & BESIDE_LEFT:
        return False
    return binding.name.strip("_") in PLACEHOLDERS


def count_placeholders() -> dict[str, list[Binding]]:
    """File -> the placeholder names in it; only files that have some."""
    paths = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
    places = {path.relative_to(ROOT).as_posix(): _placeholders(path) for path in paths}
    return {name: bound for name, bound in places.items() if bound}


def _placeholders(path: Path) -> list[Binding]:
    return list(filter(is_placeholder, bindings(ast.parse(path.read_text(encoding="utf-8")))))


def complaints(places: Mapping[str, list[Binding]], baseline: Mapping[str, int]) -> Iterator[str]:
    """A sentence for each file that has more than the baseline allows."""
    for name, bound in places.items():
        allowed = baseline.get(name, 0)
        if len(bound) > allowed:
            words = Counter(binding.name for binding in bound)
            listed = ", ".join(f"{word} x{count}" for word, count in words.most_common())
            yield (
                f"{name}:{bound[-1].line}: {len(bound)} placeholder names ({listed}), {allowed} "
                "allowed. Name what the value is, as in matches, label_map, image_paths."
            )


def main(update: bool = False) -> int:
    places = count_placeholders()
    baseline: dict[str, int] = json.loads(BASELINE.read_text())
    counts = {name: len(bound) for name, bound in places.items()}
    if update and sum(counts.values()) <= sum(baseline.values()):
        BASELINE.write_text(json.dumps(counts, indent=1) + "\n")
        return 0
    sentences = list(complaints(places, baseline))
    print("\n".join(sentences), end="\n" * bool(sentences))  # noqa: T201 - its output
    return bool(sentences)


if __name__ == "__main__":
    sys.exit(main("--update" in sys.argv))
