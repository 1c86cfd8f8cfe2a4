"""`manyshot recipe`: recipes by name, new ones with their schema, and what is wrong with one."""

import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from manyshot.core.file_kinds import KINDS, RUN, RecipeKind
from manyshot.core.recipe_names import describe_recipe, shipped_recipes
from manyshot.core.recipe_schema import MARK, read_schema
from manyshot.core.recognise import recognise

ROOT = Path(__file__).parents[2]
SHIPPED = shipped_recipes()
Manyshot = Callable[..., tuple[int, str]]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_recipe_names_its_schema_and_obeys_it(name: str) -> None:
    path = SHIPPED[name]
    first = path.read_text("utf-8").splitlines()[0]
    assert first.startswith(MARK)
    kind = recognise(path)
    assert isinstance(kind, RecipeKind)
    schema = path.parent / first.removeprefix(MARK)
    assert schema.read_text("utf-8") == read_schema(kind)
    Draft202012Validator(json.loads(read_schema(kind))).validate(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_recipe_is_described_in_a_sentence(name: str) -> None:
    words = describe_recipe(SHIPPED[name])
    assert 10 < len(words) < 200
    assert "recipes/" not in SHIPPED[name].read_text("utf-8"), "a name is found from any folder"


def test_the_schemas_are_those_of_the_recipes() -> None:
    schema_text = runpy.run_path(str(ROOT / "tools" / "recipe_schemas.py"))["schema_text"]
    for kind in KINDS:
        assert read_schema(kind) == schema_text(kind), "run: make docs"


@pytest.mark.parametrize(
    ("kind", "recipe", "accepted"),
    [
        ("measure", {"data": "photos", "output": "o", "shots": 5, "model": "opennsfw"}, True),
        ("measure", {"data": {"kind": "elpv"}, "output": "o", "shots": [1, 5]}, True),
        ("run", {"output": "o", "workflow": "w", "servers": ["http://a:1", {"url": "b"}]}, True),
        ("subject", {"output": "o", "settings": {"method": "lora"}}, True),
        ("measure", {"data": "photos", "output": "o", "shot": 5}, False),
        ("run", {"workflow": "w"}, False),
        ("subject", {"output": "o", "settings": {"method": "lor"}}, False),
    ],
)
def test_editors_take_what_commands_take(
    kind: str, recipe: dict[str, Any], accepted: bool, manyshot: Manyshot
) -> None:
    code, schema = manyshot("recipe", "schema", kind)
    assert code == 0
    assert Draft202012Validator(json.loads(schema)).is_valid(recipe) is accepted


@pytest.mark.parametrize("kind", [kind.key for kind in KINDS])
def test_a_new_recipe_is_right_and_nothing_is_overwritten(
    kind: str, manyshot: Manyshot, tmp_path: Path
) -> None:
    path = tmp_path / "deep" / "mine.yaml"
    code, sentence = manyshot("recipe", "new", kind, path)
    assert (code, f"Wrote {path}. Edit it, then: manyshot" in sentence) == (0, True)
    address = path.read_text().splitlines()[0].removeprefix(MARK)
    assert json.loads((path.parent / address).read_text())["properties"]["output"]
    assert manyshot("recipe", "check", path)[0] == 0
    path.write_text("mine: 1\n")
    code, sentence = manyshot("recipe", "new", kind, path)
    assert code == 2
    assert "already exists and was not overwritten" in sentence
    assert path.read_text() == "mine: 1\n"


def test_a_new_recipe_is_named_as_the_one_it_copies(
    manyshot: Manyshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert manyshot("recipe", "new", "thesis/images")[0] == 0
    text = Path("images.yaml").read_text().splitlines()
    assert text[0] == f"{MARK}.manyshot/run.schema.json"
    assert text[1:] == SHIPPED["thesis/images"].read_text().splitlines()[1:]


def test_recipes_are_listed_shown_and_found_by_name(
    manyshot: Manyshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, listed = manyshot("recipe", "list")
    assert code == 0
    for name in SHIPPED:
        assert f" {name} " in listed
    assert manyshot("recipe", "show", "webui")[1].startswith(MARK)
    (tmp_path / "webui").mkdir()  # a folder of that name is no recipe
    code, planned = manyshot("plan", "webui", "--show", 1)
    assert (code, "200 jobs" in planned or "50 jobs" in planned) == (0, True), planned


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("plan", "webu"), "There is no recipe 'webu', neither as a file nor among those that"),
        (("plan", "webu"), "Did you mean 'webui'? `manyshot recipe list` shows them."),
        (
            ("plan", "webui.yaml"),
            "write 'webui' alone, or copy it with `manyshot recipe new",
        ),
        (("run", "recipes/thesis/images.yaml"), "`manyshot recipe new thesis/images`"),
        (("recipe", "new", "wbui"), "manyshot brings no recipe 'wbui'. Did you mean 'webui'?"),
        (("recipe", "schema", "subjects"), "no kind of recipe 'subjects'. Did you mean 'subject'?"),
        (("recipe", "check", "w.yaml"), "There is no workflow 'class_promts'"),
        (("recipe", "check", "x.yaml"), "Unknown key 'shoots'. Did you mean 'shots'?"),
        (("recipe", "check", "y.yaml"), "has none of the keys by which a recipe's kind is known"),
        (("recipe", "show", "results.json"), "is the results of a measurement, not a recipe"),
    ],
)
def test_wrong_names_are_told(
    words: tuple[str, ...],
    sentence: str,
    manyshot: Manyshot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("w.yaml").write_text("workflow: class_promts\noutput: a\nclasses: [cat]\n")
    Path("x.yaml").write_text("data: photos\noutput: a\nshoots: 5\nsynthetic: b\n")
    Path("y.yaml").write_text("colour: red\n")
    Path("results.json").write_text('{"runs": [], "gains": []}')
    code, told = manyshot(*words)
    assert code == 2
    assert sentence in told


def test_kinds_have_short_names() -> None:
    assert [kind.key for kind in KINDS] == ["run", "measure", "subject"]
    assert RUN.advise(Path("a b.yaml")) == "`manyshot run a b.yaml` runs it."
