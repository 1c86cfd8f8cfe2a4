"""JSON schemas of recipes, by which editors complete and check them, without a network.

A recipe names its schema in its first line, by an address relative to itself: that works offline,
on another machine and in a repository, where an absolute one would not.
"""

from pathlib import Path

from .counted import did_you_mean
from .errors import InputError
from .file_kinds import KINDS, RecipeKind
from .files import write_text_atomic
from .recipe_names import FOLDER

SCHEMAS = FOLDER / "schemas"
BESIDE = ".manyshot"  # the folder of schemas beside a user's recipe
MARK = "# yaml-language-server: $schema="


def kind_named(name: str) -> RecipeKind:
    """The kind of recipe called "run", "measure" or "subject". Raises InputError for others."""
    kinds = {kind.key: kind for kind in KINDS}
    if name not in kinds:
        raise InputError(f"There is no kind of recipe {name!r}.{did_you_mean(name, kinds)}")
    return kinds[name]


def read_schema(kind: RecipeKind) -> str:
    """The JSON schema of a kind of recipe."""
    return (SCHEMAS / f"{kind.key}.json").read_text("utf-8")


def with_schema(text: str, kind: RecipeKind) -> str:
    """The text of a recipe, its first line naming the schema that `place_schema` writes."""
    lines = text.splitlines(keepends=True)
    rest = "".join(lines[1:] if text.startswith(MARK) else lines)
    return f"{MARK}{BESIDE}/{kind.key}.schema.json\n{rest}"


def place_schema(folder: Path, kind: RecipeKind) -> Path:
    """Write the schema for the recipes in `folder`, in place of an earlier version's."""
    path = folder / BESIDE / f"{kind.key}.schema.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text_atomic(path, read_schema(kind))
    return path
