"""The measurements that manyshot brings are recipes, and name images that another one makes."""

from pathlib import Path

import pytest

pytest.importorskip("torchmetrics")

import yaml
from manyshot.core.recipe_file import parse_recipe_data, read_recipe_file
from manyshot.driver.recipe import read_recipe
from manyshot.trainer.measure.measure_recipe import MeasureRecipe
from manyshot.trainer.subjects.subject_recipe import SubjectRecipe

RECIPES = Path(__file__).parents[2] / "recipes"
FILES = sorted(RECIPES.rglob("*.yaml"))
MEASURED = [path for path in FILES if "arms" in yaml.safe_load(path.read_text())]
MADE = [path for path in FILES if {"workflow", "webui"} & yaml.safe_load(path.read_text()).keys()]
STARTER = RECIPES / "subject.yaml"  # to be edited: its pictures are the user's
LEARNED = [path for path in FILES if path not in (*MEASURED, *MADE, STARTER)]


def named(path: Path) -> str:
    return path.relative_to(RECIPES).as_posix()


@pytest.mark.parametrize("path", MEASURED, ids=named)
def test_a_measurement_is_one(path: Path) -> None:
    found = read_recipe_file(MeasureRecipe, path)
    outputs = [read_recipe(made).output for made in MADE]
    own = found.synthetic is None or found.task == "segmentation"  # pairs are the user's own
    assert own or found.synthetic in outputs


@pytest.mark.parametrize("path", MADE, ids=named)
def test_a_run_is_one(path: Path) -> None:
    assert read_recipe(path).images_per_class


@pytest.mark.parametrize("path", LEARNED, ids=named)
def test_a_training_is_one_and_pictures_are_drawn_by_it(path: Path) -> None:
    found = read_recipe_file(SubjectRecipe, path)
    file = found.output / f"{found.together}.safetensors"
    assert file in [read_recipe(made).subjects for made in MADE]


@pytest.mark.parametrize(
    "path", [path for path in MEASURED if path.parent.name == "thesis"], ids=named
)
def test_an_experiment_of_the_thesis_stands_beside_its_figures(path: Path) -> None:
    given = yaml.safe_load(path.read_text())
    found = parse_recipe_data(MeasureRecipe, given, path.name)
    assert found.published
    assert found.published.figures
    assert found.protocol == "fair"
    if found.task == "classification" and not any(arm.policy != "none" for arm in found.arms):
        assert parse_recipe_data(MeasureRecipe, given | {"protocol": "thesis"}, path.name)
