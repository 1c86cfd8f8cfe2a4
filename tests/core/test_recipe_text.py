"""Text in recipes stays as written, and what YAML reads as something else is refused."""

from pathlib import Path
from typing import Any

import pytest
from manyshot.core.errors import InputError
from manyshot.core.recipe_file import read_recipe_file
from manyshot.driver.defaults import class_words, resolve_defaults
from manyshot.driver.recipe import Recipe
from manyshot.trainer.measure.measure_recipe import MeasureRecipe
from manyshot.trainer.subjects.subject_recipe import SubjectRecipe
from pydantic import BaseModel

RUN = "workflow: w\noutput: out\n"
MEASURE = "output: out\n"
LEARN = "output: out\n"
READ_AS = "YAML reads {} as {}, but text is expected. Quote it: '{}'."


def read(folder: Path, text: str, model: type[BaseModel] = Recipe) -> Any:
    path = folder / "r.yaml"
    path.write_text(text, encoding="utf-8")
    return read_recipe_file(model, path)


def refusal(folder: Path, text: str, model: type[BaseModel] = Recipe) -> str:
    with pytest.raises(InputError) as caught:
        read(folder, text, model)
    return str(caught.value)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("classes: [yes, no]", "'classes.1': " + READ_AS.format("no", "false", "no")),
        ("classes: [On, cat]", "'classes.0': " + READ_AS.format("On", "true", "On")),
        ("classes: [0, 1]", "'classes.1': " + READ_AS.format("1", "a number", "1")),
        ("classes: [1.0, cat]", READ_AS.format("1.0", "a number", "1.0")),
        ("classes: [1_000, cat]", READ_AS.format("1_000", "a number", "1_000")),
        ("classes: [null, cat]", READ_AS.format("null", "nothing", "null")),
        ("classes: [2024-01-02]", "YAML reads 2024-01-02 as a date. Quote it"),
        ("classes: [12:30]", "YAML reads 12:30 as the number 750. Quote it if it is text: '12:30'"),
        ("classes: [010]", "YAML reads 010 as the number 8. Quote it if it is text: '010'"),
        ("classes: {no: a, cat: b}", "YAML reads no as false. Quote it if it is text: 'no'"),
        ("classes: {cat: 7}", "'classes.cat': " + READ_AS.format("7", "a number", "7")),
        ("prompts: {negative: no}", READ_AS.format("no", "false", "no")),
        ("prompts: {contexts: [off]}", "'prompts.contexts.0': YAML reads off as false"),
        ("prompts: {templates: [12]}", "'prompts.templates.0': YAML reads 12 as a number"),
        ("prompts: {lists: {c: [on, red]}}", "'prompts.lists.c.0': YAML reads on as true"),
        ("prompts: {words: {cat: 1.5e+3}}", READ_AS.format("1.5e+3", "a number", "1.5e+3")),
        ("prompts: {negative: [blurry, ugly]}", "Write one, such as 'blurry, ugly'."),
        ("prompts: {templates: a cat}", "must be a valid list, such as ['a cat']."),
        ("prompts:\n  negative:\n", "there is no value. Write '' for an empty text"),
        ("prompts:\n  templates: [{class_name}]", "as in '{class_name}, a photo'."),
        ("prompts:\n  templates:\n  - {class_name} x", "Text that begins with {, ["),
        (
            "prompts:\n  templates:\n  - a cat #1\n",
            "Quote the text, 'a cat #1', or put a space after",
        ),
        ("prompts: {templates: [“a cat”]}", "Use straight ones: 'a cat'."),
        ("bind: {A.b: }", "'bind.A.b': there is no value. Write '' for an empty text"),
        ("bind: {A.b: 12:30}", "YAML reads 12:30 as the number 750."),
        ("sweep: {A.b: [null]}", READ_AS.format("null", "nothing", "null")),
        ("seed: 010", "YAML reads 010 as the number 8."),
        ("seed: 1\nseed: 2", "the key 'seed' is written twice"),
        ("<<: {seed: 1}", "merges (<<) are not allowed"),
        ("classes: 5", "must be a path; quote it if it is one: '5'"),
    ],
)
def test_what_yaml_reads_as_something_else_is_to_be_quoted(tmp_path, lines, sentence):
    assert sentence in refusal(tmp_path, RUN + lines)


@pytest.mark.parametrize(
    ("model", "text", "sentence"),
    [
        (
            SubjectRecipe,
            LEARN + "subjects: [{token: no, noun: dog, photos: [a]}]",
            "Quote it: 'no'",
        ),
        (SubjectRecipe, LEARN + "subjects: [{token: a, noun: 12, photos: [a]}]", "Quote it: '12'"),
        (SubjectRecipe, LEARN + "classes: {folder: f, noun: {cat: yes}}", "Quote it: 'yes'"),
        (MeasureRecipe, MEASURE + "data: {path: p}\nsynthetic: {no: a}", "Quote it if it is text"),
        (MeasureRecipe, MEASURE + "data: {path: 12}", "quote it if it is one: '12'"),
        (MeasureRecipe, MEASURE + "data: {path: p}\nmodel: {name: 1}", "Quote it: '1'"),
    ],
)
def test_the_same_in_all_recipes(tmp_path, model, text, sentence):
    assert sentence in refusal(tmp_path, text, model)


def test_switches_and_numbers_stay_what_they_are(tmp_path):
    found = read(tmp_path, RUN + "any_base: yes\nseed: 1_000\nbind: {A.a: off, B.b: 1.5e+3}")
    assert (found.any_base, found.seed, found.bind) == (True, 1000, {"A.a": False, "B.b": 1500.0})


def test_text_keeps_its_spaces(tmp_path):
    lines = """
prompts:
  templates: ["a {class_name}{context}"]
  contexts: [" in the snow", "", " # 1 "]
  lists: {end: [" !"]}
  negative: >
    blurry,
    ugly
bind: {A.b: " x "}
sweep: {C.d: [" y"]}
"""
    found = read(tmp_path, RUN + lines)
    assert found.prompts.contexts == [" in the snow", "", " # 1 "]
    assert found.prompts.lists == {"end": [" !"]}
    assert found.prompts.negative == "blurry, ugly"
    assert (found.bind, found.sweep) == ({"A.b": " x "}, {"C.d": [" y"]})


def test_usual_comments_and_quoted_text_are_fine(tmp_path):
    found = read(tmp_path, RUN + "classes: ['no', \"010\", it's, cat] # two\nseed: 3 #four\n")
    assert found.classes == ["no", "010", "it's", "cat"]


def test_windows_line_ends_and_the_mark_of_byte_order(tmp_path):
    (tmp_path / "r.yaml").write_bytes(b"\xef\xbb\xbf" + (RUN + "classes: [cat]\n").encode())
    assert read_recipe_file(Recipe, tmp_path / "r.yaml").classes == ["cat"]
    (tmp_path / "c.txt").write_bytes(b"\xef\xbb\xbfcat\r\n dog\r\n")
    found = read(tmp_path, RUN.replace("\n", "\r\n") + f"classes: {tmp_path / 'c.txt'}\r\n")
    assert class_words(resolve_defaults(found, {})) == {"cat": "", "dog": ""}


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("cat, dog", r"are written as a list: 'classes: \[cat, dog\]'\."),
        ("cat", r"are written as a list: 'classes: \[cat\]'\."),
    ],
)
def test_classes_as_one_text_are_no_file(tmp_path, written, sentence):
    with pytest.raises(InputError, match=sentence):
        resolve_defaults(read(tmp_path, RUN + f"classes: {written}"), {})


@pytest.mark.parametrize(
    ("text", "model", "key", "value"),
    [
        (RUN + "images_per_class: yes\n", Recipe, "images_per_class", "true"),
        (RUN + "seed: off\n", Recipe, "seed", "false"),
        (RUN + "timeouts: {stall: on}\n", Recipe, "timeouts.stall", "true"),
        (
            MEASURE + "data: {path: d}\nsynthetic: s\nshots: [yes]\n",
            MeasureRecipe,
            "shots.0",
            "true",
        ),
        (MEASURE + "data: {path: d}\nsynthetic: s\nseeds: true\n", MeasureRecipe, "seeds", "true"),
    ],
)
def test_yes_and_no_are_no_numbers(
    tmp_path: Path, text: str, model: type[BaseModel], key: str, value: str
) -> None:
    sentence = f"{key!r}: YAML reads {value} here, but a number is expected."
    assert sentence in refusal(tmp_path, text, model)


def test_a_path_of_spaces_is_none(tmp_path: Path) -> None:
    assert "an empty text is not a path" in refusal(tmp_path, "workflow: w\noutput: '  '\n")
