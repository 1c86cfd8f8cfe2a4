"""`manyshot recipe`: the recipes that manyshot brings, new ones, and what is wrong with one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:  # imported when a command runs, so that --help is instant
    from pydantic import BaseModel

    from ..core.file_kinds import RecipeKind

app = typer.Typer(
    no_args_is_help=True, help="Recipes: list, copy, show and check them, and their schemas."
)
Name = Annotated[
    Path,
    typer.Argument(
        help="A recipe file, or the name of one that comes with manyshot.", show_default=False
    ),
]
NEXT = {
    "run": "manyshot plan {file}, then manyshot run {file}",
    "measure": "manyshot measure {file}",
    "subject": "manyshot subject train {file}",
}


@app.command("list")
def list_recipes() -> None:
    """List the recipes that manyshot brings: each can be run, copied and shown by its name."""
    from rich.table import Table

    from ..core.file_kinds import KINDS
    from ..core.recipe_names import describe_recipe, shipped_recipes
    from .console import PlainConsole

    console, shipped = PlainConsole(soft_wrap=True), shipped_recipes()
    kinds = {name: _kind(path) for name, path in shipped.items()}
    for kind in KINDS:
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True)
        table.add_column()
        for name in (name for name in shipped if kinds[name] is kind):
            table.add_row(f"  {name}", describe_recipe(shipped[name]))
        console.print(f"For `{kind.command}`:")
        console.print(table, soft_wrap=False)
    console.print("`manyshot recipe new NAME` copies one, to edit it.")


@app.command()
def show(name: Name) -> None:
    """Print a recipe as it is written."""
    from ..core.recipe_names import find_recipe
    from ..core.text_file import read_text_file

    path = find_recipe(name)
    _kind(path)
    typer.echo(read_text_file(path, "recipe"), nl=False)


@app.command()
def new(
    name: Annotated[
        str,
        typer.Argument(
            help="run, measure or subject for a commented start, or another name of "
            "`manyshot recipe list`.",
            show_default=False,
        ),
    ],
    file: Annotated[
        Path | None, typer.Argument(help="Default: the name with .yaml, in this folder.")
    ] = None,
) -> None:
    """Write a new recipe to edit, with its schema for editors. Nothing is overwritten."""
    from ..core.errors import InputError
    from ..core.files import make_folder
    from ..core.recipe_names import shipped_recipe
    from ..core.recipe_schema import place_schema, with_schema
    from .console import PlainConsole

    source = shipped_recipe(name)
    kind = _kind(source)
    target = file or Path(f"{source.stem}.yaml")
    text = with_schema(source.read_text("utf-8"), kind)
    make_folder(target.parent)
    try:
        with target.open("x", encoding="utf-8") as written:
            written.write(text)
    except FileExistsError:
        raise InputError(
            f"{target} already exists and was not overwritten. Give the new recipe another name: "
            f"`manyshot recipe new {name} FILE`."
        ) from None
    place_schema(target.parent, kind)
    console = PlainConsole(soft_wrap=True)
    console.print(f"Wrote {target}. Edit it, then: {NEXT[kind.key].format(file=target)}")


@app.command()
def check(name: Name) -> None:
    """Validate a recipe of any kind; exit code 2 if anything is wrong."""
    from ..core.recipe_file import read_recipe_file
    from ..core.recipe_names import find_recipe
    from .console import PlainConsole

    path = find_recipe(name)
    kind = _kind(path)
    recipe = read_recipe_file(_model(kind), path)
    checked = "its keys and values are right"
    if kind.key == "run":
        checked = _checked_workflow(recipe)
    PlainConsole(soft_wrap=True).print(
        f"{name} is {kind.name}: {checked}. Next: {NEXT[kind.key].format(file=name)}"
    )


@app.command()
def schema(
    kind: Annotated[str, typer.Argument(help="Of recipes for: run, measure or subject.")] = "run",
) -> None:
    """Print the JSON schema of recipes, for editors that complete and validate YAML."""
    from ..core.recipe_schema import kind_named, read_schema

    typer.echo(read_schema(kind_named(kind)), nl=False)


def _kind(path: Path) -> "RecipeKind":
    """The kind of the recipe at `path`. Raises InputError for what is none."""
    from ..core.errors import InputError
    from ..core.file_kinds import KINDS, refuse_other
    from ..core.recognise import recipe_kind, recognise
    from ..core.yaml_file import read_yaml

    refuse_other(path, recognise(path), "a recipe", *KINDS)
    values = read_yaml(path)[0]
    if isinstance(values, dict) and (kind := recipe_kind(values)):
        return kind
    keys = "; ".join(f"{kind.name} has {', '.join(sorted(kind.keys)[:4])}" for kind in KINDS)
    raise InputError(
        f"{path} has none of the keys by which a recipe's kind is known: {keys}. `manyshot recipe "
        "new run` writes one to start from."
    )


def _model(kind: "RecipeKind") -> "type[BaseModel]":
    match kind.key:
        case "run":
            from ..driver.recipe import Recipe

            return Recipe
        case "measure":
            from ..trainer.measure.measure_recipe import MeasureRecipe

            return MeasureRecipe
        case _:
            from ..trainer.subjects.subject_recipe import SubjectRecipe

            return SubjectRecipe


def _checked_workflow(recipe: "BaseModel") -> str:
    """What was checked of a run recipe; raises InputError for a workflow that is not there."""
    from ..driver.prepare import find_workflow

    workflow = getattr(recipe, "workflow", None)
    if workflow is None:
        return "its keys and values are right"
    find_workflow(workflow)
    return "its keys and values are right, and its workflow is there"
