"""A file of another kind where a recipe belongs: the sentence says what it is and what runs it."""

from pathlib import Path

import pytest
from manyshot.core.errors import InputError
from manyshot.core.file_kinds import KINDS, MEASUREMENT, RUN, SUBJECT, RecipeKind
from manyshot.core.recipe_file import read_recipe_file
from manyshot.driver.recipe import Recipe
from manyshot.trainer.measure.recipe import MeasureRecipe
from manyshot.trainer.subjects.recipe import SubjectRecipe
from pydantic import BaseModel

ROOT = Path(__file__).parents[1]
MODELS = {RUN: Recipe, MEASUREMENT: MeasureRecipe, SUBJECT: SubjectRecipe}
RECIPES = sorted((ROOT / "recipes").rglob("*.yaml"))
WORKFLOWS = sorted((ROOT / "workflows").rglob("*.json"))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.command)
def test_a_kind_has_keys_that_no_other_has(kind: RecipeKind) -> None:
    assert kind.keys <= MODELS[kind].model_fields.keys()
    for other in KINDS:
        if other is not kind:
            assert kind.keys & MODELS[other].model_fields.keys() == set()


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_is_taken_by_one_command_and_the_others_name_it(path: Path) -> None:
    takers, sentences = [], []
    for kind, model in MODELS.items():
        try:
            read_recipe_file(model, path)
            takers.append(kind)
        except InputError as error:
            sentences.append(str(error))
    assert len(takers) == 1
    for sentence in sentences:
        assert "which this command does not take" in sentence
        assert f"`{takers[0].command} {path}`" in sentence


@pytest.mark.parametrize("model", MODELS.values())
@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_workflow_is_named_as_one(path: Path, model: type[BaseModel]) -> None:
    with pytest.raises(InputError, match="is a ComfyUI workflow, not a recipe"):
        read_recipe_file(model, path)


def test_pictures_folders_and_results_are_named(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text('{"runs": [], "gains": [], "data": {}}')
    for path, sentence in (
        (ROOT / "docs" / "pictures" / "canvas.png", "is an image, but a recipe is a YAML file"),
        (tmp_path, "is a folder, but a recipe is a YAML file"),
        (tmp_path / "results.json", f"`manyshot report {tmp_path}` shows it"),
    ):
        with pytest.raises(InputError, match=sentence):
            read_recipe_file(Recipe, path)


def test_a_recipe_with_a_wrong_key_is_still_corrected(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("workflow: a.json\noutput: b\nclases: [cat]\n")
    with pytest.raises(InputError, match="Unknown key 'clases'. Did you mean 'classes'"):
        read_recipe_file(Recipe, path)
