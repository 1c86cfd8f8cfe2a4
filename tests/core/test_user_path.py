"""Paths in recipes: ~ and variables of the environment, the same in every kind."""

from pathlib import Path

import pytest
from manyshot.core.errors import InputError
from manyshot.core.recipe_file import parse_recipe_data, read_recipe_file
from manyshot.driver.inputs import FileInput
from manyshot.driver.recipe import Recipe
from manyshot.trainer.measure.measure_recipe import MeasureRecipe
from manyshot.trainer.subjects.subject_recipe import SubjectRecipe

RUN = {"workflow": "w"}
MEASURE = {"data": {"path": "p"}, "synthetic": "s"}
LEARN = {"subjects": [{"token": "t", "noun": "n", "photos": ["p"]}]}
KINDS = [(Recipe, RUN), (MeasureRecipe, MEASURE), (SubjectRecipe, LEARN)]


@pytest.fixture(autouse=True)
def surroundings(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("PLACE", "/data")
    monkeypatch.delenv("UNSET", raising=False)


@pytest.mark.parametrize(("model", "data"), KINDS)
@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("~/x", "/home/me/x"),
        ("$PLACE/x", "/data/x"),
        ("${PLACE}s/x", "/datas/x"),
        ("a$$b/5$", "a$b/5$"),
        ("out", "out"),
        ("a/~/b", "a/~/b"),
    ],
)
def test_paths_are_expanded_in_every_recipe(model, data, written, path):
    assert parse_recipe_data(model, {**data, "output": written}, "r").output == Path(path)
    made = parse_recipe_data(model, {**data, "output": Path(written)}, "r")
    assert made.output == Path(path)


@pytest.mark.parametrize(("model", "data"), KINDS)
def test_a_variable_that_is_not_set_is_named(model, data):
    with pytest.raises(InputError) as caught:
        parse_recipe_data(model, {**data, "output": "$UNSET/x"}, "r.yaml")
    assert "'output': the environment variable UNSET is not set." in str(caught.value)


@pytest.mark.parametrize(("model", "data"), KINDS)
def test_an_empty_path_is_not_the_current_folder(model, data):
    with pytest.raises(InputError) as caught:
        parse_recipe_data(model, {**data, "output": ""}, "r.yaml")
    assert "'output': an empty text is not a path; write . for the current folder" in str(
        caught.value
    )


def test_a_lone_tilde_is_told_to_be_quoted(tmp_path):
    (tmp_path / "r.yaml").write_text("workflow: w\noutput: ~\n")
    with pytest.raises(InputError) as caught:
        read_recipe_file(Recipe, tmp_path / "r.yaml")
    assert "quote it if it is one: '~'" in str(caught.value)


def test_every_path_of_a_run_is_expanded():
    given = {
        "workflow": "~/w.json",
        "output": "o",
        "classes": "~/c.txt",
        "subjects": {"cat": "$PLACE/s"},
        "pairs": {"folder": "~/f", "palette": "~/p"},
        "bind": {"A.b": {"file": "~/a.png"}, "C.d": "~/text $prompt"},
    }
    found = parse_recipe_data(Recipe, given, "r")
    home = Path("/home/me")
    assert found.workflow == "/home/me/w.json"
    assert (found.classes, found.subjects) == (home / "c.txt", {"cat": Path("/data/s")})
    assert found.pairs is not None
    assert (found.pairs.folder, found.pairs.palette) == (home / "f", home / "p")
    assert found.bind["A.b"] == FileInput(file=home / "a.png")
    assert found.bind["C.d"] == "~/text $prompt"


def test_every_path_of_the_others_is_expanded():
    given = {"data": {"path": "~/p", "test": "~/t"}, "synthetic": {"a": ["~/s"]}, "output": "o"}
    measured = parse_recipe_data(MeasureRecipe, given, "r")
    assert (measured.data.path, measured.data.test) == (Path("/home/me/p"), Path("/home/me/t"))
    assert measured.synthetic_folders == [Path("/home/me/s")]
    given = {"base": "~/b", "output": "o", "classes": {"folder": "$PLACE", "noun": "dog"}}
    learned = parse_recipe_data(SubjectRecipe, given, "r")
    assert learned.classes is not None
    assert (learned.base, learned.classes.folder) == (Path("/home/me/b"), Path("/data"))


def test_an_unset_variable_in_a_class_file_is_named():
    with pytest.raises(InputError, match="^r: 'classes': the environment variable UNSET is not"):
        parse_recipe_data(Recipe, {**RUN, "output": "o", "classes": "$UNSET/c"}, "r")


def test_an_unknown_home_is_named_and_the_advice_works():
    with pytest.raises(InputError, match="the user '~nobody-here' has no home folder"):
        parse_recipe_data(Recipe, {**RUN, "output": "~nobody-here/x"}, "r")
    recipe = parse_recipe_data(Recipe, {**RUN, "output": "./~nobody-here/x"}, "r")
    assert recipe.output == Path("~nobody-here/x")
