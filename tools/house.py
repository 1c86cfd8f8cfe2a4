"""Measure the house: names, rooms and arrows of the product, counted from its source by `ast`.

python tools/house.py             the table, beside where the code began and where it should be
python tools/house.py --names     placeholder names by file and line
python tools/house.py --functions functions named by a participle or as `x_of`
"""

import ast
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from statistics import median

from placeholder_names import Binding, bindings, is_placeholder

ROOT = Path(__file__).parents[1]
FOLDERS = (
    "core",
    "driver",
    "trainer",
    "cli",
    "library",
    "comfy_nodes",
    "webui",
    "recipes",
    "workflows",
)
SHORT = 40  # lines

# A function is named by a participle when its first word is one: in this list, or in -ed. Words
# that are verbs as well (cut, put, read, run, set, split, spread) are not in it.
IRREGULAR = frozenset(
    """
    begun bent bound broken brought built chosen come done drawn driven fed felt found given gone
    grown held hidden kept known laid left lent lost made meant met paid said seen sent shown sold
    spent spoken stood taken taught thrown told torn understood worn woven written
    """.split()  # noqa: SIM905 - read as a text
)
NOT_PARTICIPLES = {"embed", "exceed", "feed", "need", "proceed", "seed", "shed", "speed", "succeed"}
PROPERTIES = {"property", "cached_property", "computed_field", "fixture"}
Function = ast.FunctionDef | ast.AsyncFunctionDef
Graph = Mapping[str, set[str]]


@dataclass(frozen=True)
class Module:
    """A file of the product; `name` without the package's own, as in `driver.run`."""

    path: Path
    name: str

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def package(self) -> list[str]:
        """Where its relative imports start."""
        words = self.name.split(".")
        return words if self.path.name == "__init__.py" else words[:-1]


@dataclass(frozen=True)
class Row:
    """A line of the table: `began` and `target` as the plan of the rebuilding has them."""

    what: str
    began: str
    now: str
    target: str


@cache
def modules() -> tuple[Module, ...]:
    """All modules of the product in the order of their paths."""
    paths = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
    return tuple(Module(path, _module_name(path)) for path in paths)


def _module_name(path: Path) -> str:
    words = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(words[:-1] if words[-1] == "__init__" else words)


@cache
def all_bindings() -> tuple[tuple[Module, Binding], ...]:
    """Names that the product binds, with their modules."""
    return tuple((module, binding) for module in modules() for binding in bindings(module.tree))


@cache
def functions() -> tuple[tuple[Module, Function], ...]:
    """Functions and methods, without dunder methods and properties, which are read like data."""
    nodes = ((module, node) for module in modules() for node in ast.walk(module.tree))
    return tuple((m, n) for m, n in nodes if isinstance(n, Function) and _is_called(n))


def _is_called(function: Function) -> bool:
    marks = (mark.func if isinstance(mark, ast.Call) else mark for mark in function.decorator_list)
    names = {getattr(mark, "attr", getattr(mark, "id", "")) for mark in marks}
    return not function.name.startswith("__") and not names & PROPERTIES


def is_participle(name: str) -> bool:
    """Whether the first word of a function's name is a past participle."""
    word = name.strip("_").split("_")[0]
    return word in IRREGULAR or (word.endswith("ed") and word not in NOT_PARTICIPLES)


def is_x_of(name: str) -> bool:
    return name.endswith("_of") and not is_participle(name)


def import_graph(nodes: Callable[[ast.AST], Iterator[ast.AST]]) -> Graph:
    """Module -> the modules of the product it imports, at those `nodes` of its tree."""
    names = {module.name for module in modules()}
    return {m.name: set(_imports(m, nodes, names)) - {m.name} for m in modules()}


def _imports(
    module: Module, nodes: Callable[[ast.AST], Iterator[ast.AST]], names: set[str]
) -> Iterator[str]:
    for node in nodes(module.tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = module.package[: len(module.package) - node.level + 1]
            source = ".".join([*base, *([node.module] if node.module else [])])
            members = (f"{source}.{alias.name}".lstrip(".") for alias in node.names)
            yield from (name if name in names else source for name in members if name or source)


def at_import(tree: ast.AST) -> Iterator[ast.AST]:
    """The statements that run when a module is imported: what is inside functions and under
    TYPE_CHECKING does not."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function) or (
            isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        ):
            continue
        yield node
        yield from at_import(node)


def circles(graph: Graph) -> int:
    """Modules that lie on a circle of imports."""
    return sum(name in reachable(graph, name) for name in graph)


def reachable(graph: Graph, start: str) -> set[str]:
    """Modules that `start` imports, directly or through others."""
    reached: set[str] = set()
    open_names = list(graph.get(start, ()))
    while open_names:
        name = open_names.pop()
        if name not in reached:
            reached.add(name)
            open_names.extend(graph.get(name, ()))
    return reached


def longest_chain(graph: Graph) -> list[str]:
    """The longest way along imports. The graph has no circles."""

    @cache
    def chain(name: str) -> tuple[str, ...]:
        return (name, *max(map(chain, graph.get(name, ())), key=len, default=()))

    return list(max(map(chain, graph), key=len))


def repeated_names() -> Counter[str]:
    """File name -> how many modules have it, where there are several; without __init__."""
    counts = Counter(m.path.name for m in modules() if m.path.name != "__init__.py")
    return Counter({name: count for name, count in counts.items() if count > 1})


def rows() -> Iterator[Row]:
    """The table."""
    yield from _name_rows()
    yield from _file_rows()
    yield from _import_rows()
    saved = (ROOT / "workflows").rglob("*.json")
    lines = sum(len(path.read_text().splitlines()) for path in saved)
    yield Row("lines of saved workflows", "42,800", f"{lines:,}", "generated")


def _name_rows() -> Iterator[Row]:
    names = [binding for _, binding in all_bindings()]
    placeholders = sum(map(is_placeholder, names))
    count = sum(binding.name == "found" for binding in names)
    yield Row("bindings with placeholder names", "8.6 %", _share(placeholders, len(names)), "< 1 %")
    yield Row("`found`", "332", str(count), "0")
    verbs = [function.name for _, function in functions()]
    participles = _share(sum(map(is_participle, verbs)), len(verbs))
    yield Row("functions named by a participle", "10.2 %", participles, "< 2 % with the next")
    yield Row("functions named x_of", "2.5 %", _share(sum(map(is_x_of, verbs)), len(verbs)), "")


def _file_rows() -> Iterator[Row]:
    lengths = [len(module.text.splitlines()) for module in modules()]
    short = _share(sum(length < SHORT for length in lengths), len(lengths))
    repeated = repeated_names()
    named = sum(module.path.name != "__init__.py" for module in modules())
    worst = ", ".join(f"{name} {count}" for name, count in repeated.most_common(4))
    yield Row("files", "468", str(len(lengths)), "about 330")
    yield Row(f"files under {SHORT} lines", "14 %", short, "< 5 %")
    yield Row("lines of a file, median", "-", f"{median(lengths):g}", "about 110")
    what = f"files whose name repeats ({worst})"
    yield Row(what, "153 of 440", f"{repeated.total()} of {named}", "few")


def _import_rows() -> Iterator[Row]:
    graph, every = import_graph(at_import), import_graph(ast.walk)
    # What a run loads by name: the kinds of servers, and what ComfyUI's does.
    starts = ("driver.run", "driver.targets.comfyui.comfyui_target", "driver.targets.webui")
    passed = {*starts, *(name for start in starts for name in reachable(graph, start))}
    in_driver = sum(name.startswith("driver") for name in passed)
    yield Row("longest import chain", "23", str(len(longest_chain(graph))), "<= 14")
    yield Row("modules on import circles", "0", str(circles(every)), "0")
    yield Row("modules that a recipe's run imports", "", str(len(passed)), "")
    yield Row("  those of driver/", "46", str(in_driver), "<= 20")


def _share(count: int, total: int) -> str:
    return f"{100 * count / total:.1f} % ({count:,} of {total:,})"


def _lines(argument: str) -> Iterator[str]:
    if argument == "--names":
        for module, binding in all_bindings():
            if is_placeholder(binding):
                yield f"{module.path.relative_to(ROOT)}:{binding.line} {binding.name}"
    elif argument == "--functions":
        for module, function in functions():
            if is_participle(function.name) or is_x_of(function.name):
                yield f"{module.path.relative_to(ROOT)}:{function.lineno} {function.name}"
    else:
        table = [Row("", "began", "now", "target"), *rows()]
        widths = [max(len(getattr(row, name)) for row in table) for name in ("what", "began")]
        for row in table:
            what, began = row.what.ljust(widths[0]), row.began.rjust(widths[1])
            yield f"{what}  {began}  {row.now:<24}  {row.target}".rstrip()


if __name__ == "__main__":
    print("\n".join(_lines(*sys.argv[1:2] or [""])))  # noqa: T201 - its output
