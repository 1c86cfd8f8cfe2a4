"""`--set`: a change from the command line is what the same change of the file would be."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from manyshot.core.errors import InputError
from manyshot.core.recipe_file import read_recipe_file
from manyshot.driver.prepare import prepare
from manyshot.driver.recipe import Recipe, read_recipe
from manyshot.trainer.measure.measure_recipe import MeasureRecipe
from manyshot.trainer.subjects.subject_recipe import SubjectRecipe
from pydantic import BaseModel

Manyshot = Callable[..., tuple[int, str]]
MEASURE = {"data": "photos", "output": "o", "synthetic": "s", "arms": [{"add": "synthetic"}]}
RUN = {
    "workflow": "class_prompts",
    "output": "o",
    "classes": {"cat": "a cat", "dog": ""},
    "bind": {"Sampler.cfg": 5.0},
    "prompts": {"templates": ["a {class_name}", "the {class_name}"]},
}
SUBJECT = {"output": "o", "classes": {"folder": "photos", "noun": "dog"}}
NEGATIVE: dict[str, Any] = {"negative": "text"}


def write(path: Path, recipe: dict[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(recipe))
    return path


@pytest.mark.parametrize(
    ("model", "recipe", "changes", "edited"),
    [
        (
            MeasureRecipe,
            MEASURE,
            ["arms.0.ratio=200"],
            {"arms": [{"add": "synthetic", "ratio": 200}]},
        ),
        (MeasureRecipe, MEASURE, ["shots=[1, 5]", "seeds=2"], {"shots": [1, 5], "seeds": 2}),
        (
            MeasureRecipe,
            MEASURE,
            ["data={path: photos, test: t}"],
            {"data": {"path": "photos", "test": "t"}},
        ),
        (MeasureRecipe, MEASURE, ["model.views=4"], {"model": {"views": 4}}),
        (
            MeasureRecipe,
            {**MEASURE, "arms": None},
            ["arms.0.ratio=50"],
            {"arms": [{"add": "synthetic", "ratio": 50}]},
        ),
        (Recipe, RUN, ["bind.Sampler.cfg=2"], {"bind": {"Sampler.cfg": 2}}),
        (Recipe, RUN, ["bind.Other.x.y=3"], {"bind": {"Sampler.cfg": 5.0, "Other.x.y": 3}}),
        (Recipe, RUN, ["classes.cat=a=b"], {"classes": {"cat": "a=b", "dog": ""}}),
        (Recipe, RUN, ["classes=[bird]"], {"classes": ["bird"]}),
        (
            Recipe,
            RUN,
            ["prompts.templates.1=one {class_name}"],
            {"prompts": {"templates": ["a {class_name}", "one {class_name}"]}},
        ),
        (Recipe, {**RUN, "prompts": None}, ["prompts.negative=text"], {"prompts": NEGATIVE}),
        (Recipe, RUN, ["retries.memory=7"], {"retries": {"memory": 7}}),
        (Recipe, RUN, ["servers.0.url=http://a:1"], {"servers": ["http://a:1"]}),
        (Recipe, RUN, ["sweep.Sampler.steps=[1, 2]"], {"sweep": {"Sampler.steps": [1, 2]}}),
        (Recipe, RUN, ["seed=1", "seed=2"], {"seed": 2}),
        (
            SubjectRecipe,
            SUBJECT,
            ["settings.method=dreambooth"],
            {"settings": {"method": "dreambooth"}},
        ),
    ],
)
def test_a_change_is_that_of_the_file(
    model: type[BaseModel],
    recipe: dict[str, Any],
    changes: list[str],
    edited: dict[str, Any],
    tmp_path: Path,
) -> None:
    plain = {key: value for key, value in recipe.items() if value is not None}
    changed = read_recipe_file(model, write(tmp_path / "a.yaml", plain), changes)
    assert changed == read_recipe_file(model, write(tmp_path / "b.yaml", {**plain, **edited}))


@pytest.mark.parametrize("changes", [["seed=7"], ["bind.Sampler.cfg=2"], ["classes=[bird]"]])
def test_jobs_are_those_of_the_edited_file(changes: list[str], tmp_path: Path) -> None:
    data: dict[str, Any] = {**RUN, "images_per_class": 2}
    changed = prepare(read_recipe(write(tmp_path / "a.yaml", data), changes), None)
    key, _, value = changes[0].partition("=")
    top = key.partition(".")[0]
    data[top] = {"Sampler.cfg": 2} if top == "bind" else yaml.safe_load(value)
    edited = prepare(read_recipe(write(tmp_path / "b.yaml", data)), None)
    unchanged = prepare(
        read_recipe(write(tmp_path / "c.yaml", {**RUN, "images_per_class": 2})), None
    )
    assert [job.id for job in changed] == [job.id for job in edited]
    assert [job.id for job in changed] != [job.id for job in unchanged]


@pytest.mark.parametrize(
    ("model", "recipe", "change", "sentence"),
    [
        (
            MeasureRecipe,
            MEASURE,
            "arms.0.ration=1",
            "Unknown key 'arms.0.ration'. Did you mean 'ratio'?",
        ),
        (MeasureRecipe, MEASURE, "arm.0.ratio=1", "Unknown key 'arm'. Did you mean 'arms'?"),
        (
            MeasureRecipe,
            MEASURE,
            "arms.1.ratio=1",
            "'1' is not an index of that list; the last is 0.",
        ),
        (MeasureRecipe, MEASURE, "arms.x.ratio=1", "'x' is not an index of that list"),
        (MeasureRecipe, MEASURE, "data.test=t", "Set 'data' as a whole: --set 'data={test: ...}'."),
        (MeasureRecipe, MEASURE, "seeds=[1", "--set seeds=[1: the value is not valid YAML"),
        (MeasureRecipe, MEASURE, "seeds", "--set seeds is not of the form KEY"),
        (MeasureRecipe, MEASURE, "=1", "is not of the form KEY=VALUE"),
        (MeasureRecipe, MEASURE, "arms..ratio=1", "is not of the form KEY=VALUE"),
        (MeasureRecipe, MEASURE, "seeds=yes", "YAML reads true here, but a number is expected"),
        (MeasureRecipe, MEASURE, "shots=yes", "'shots'"),
        (MeasureRecipe, MEASURE, "output=no", "quote it if it is one: 'no'"),
        (MeasureRecipe, MEASURE, "seeds=", "'seeds': there is no value"),
        (MeasureRecipe, MEASURE, "seeds=*x", "aliases (*name) are not allowed"),
        (Recipe, RUN, "images_per_clas=3", "Did you mean 'images_per_class'?"),
        (Recipe, RUN, "prompts.negative=yes", "YAML reads yes as true, but text is expected"),
    ],
)
def test_a_wrong_change_is_told(
    model: type[BaseModel], recipe: dict[str, Any], change: str, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as wrong:
        read_recipe_file(model, write(tmp_path / "a.yaml", recipe), [change])
    assert sentence in str(wrong.value)
    assert f"--set {change}" in str(wrong.value)


def test_commands_take_changes(manyshot: Manyshot, tmp_path: Path) -> None:
    path = write(tmp_path / "a.yaml", {**RUN, "images_per_class": 2})
    assert "8 jobs" in manyshot("plan", path, "--set", "images_per_class=4")[1]
    for words in (("run", path), ("plan", path)):
        code, text = manyshot(*words, "--set", "sed=1")
        assert (code, "Unknown key 'sed'. Did you mean 'seed'?" in text) == (2, True)
    for verb, recipe in ((("measure",), MEASURE), (("subject", "train"), SUBJECT)):
        code, text = manyshot(*verb, write(tmp_path / "b.yaml", recipe), "--set", "outputs=1")
        assert (code, "Unknown key 'outputs'. Did you mean 'output'?" in text) == (2, True)
