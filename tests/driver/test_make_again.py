"""A dataset folder's manyshot.json is a recipe that makes the folder again."""

import json
from pathlib import Path

import pytest
from manyshot.core.dataset_files import MANIFEST
from manyshot.core.errors import InputError
from manyshot.driver.dataset import write_manifest
from manyshot.driver.plan import Plan
from manyshot.driver.prepare import prepare
from manyshot.driver.recipe import parse_recipe, read_recipe

GRAPH = {
    "1": {
        "class_type": "PaintText",
        "inputs": {"width": 8, "height": 8, "text": "", "color": 3},
        "_meta": {"title": "Paper"},
    },
    "9": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
}


def write_folder(folder: Path, **keys: object) -> Plan:
    """manyshot.json of a folder, whose workflow's file is gone afterwards."""
    file = folder / "paper.json"
    file.write_text(json.dumps(GRAPH))
    data = {
        "workflow": str(file),
        "output": str(folder / "out"),
        "classes": ["cat", "dog"],
        "images_per_class": {"cat": 2, "dog": 1},
        "seed": 2**64 - 1,
        "bind": {"Paper.text": "$prompt", "Paper.color": "$seed"},
        **keys,
    }
    plan = prepare(parse_recipe(data, "r.yaml"), None)
    (folder / "out").mkdir()
    write_manifest(folder / "out", plan, [])
    file.unlink()
    return plan


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"sweep": {"zip": {"Paper.width": [8, 16], "Paper.height": [8, 16]}}},
        {"sweep": {"Paper.width": {"from": 8, "to": 24, "step": 8}}},
        {
            "bind": {
                "Paper.text": "$prompt",
                "Paper.color": "$seed",
                "Paper.width": {"cat": 8, "dog": 16},
            }
        },
        {"prompts": {"templates": ["a {class_name}"], "negative": "blurry"}},
        {"servers": [{"url": "http://127.0.0.1:1", "bearer": "${MANYSHOT_TOKEN}"}]},
    ],
)
def test_the_same_jobs_come_from_the_manifest(tmp_path: Path, keys: dict[str, object]) -> None:
    before = write_folder(tmp_path, **keys)
    moved = (tmp_path / "out").rename(tmp_path / "moved")
    again = prepare(read_recipe(moved / MANIFEST), None)
    assert [job.id for job in again] == [job.id for job in before]
    assert again.recipe.output == moved
    assert again.workflow == GRAPH


def test_another_output_can_be_named(tmp_path: Path) -> None:
    write_folder(tmp_path)
    recipe = read_recipe(tmp_path / "out" / MANIFEST, ["seed=5"], output=tmp_path / "other")
    assert (recipe.output, recipe.seed) == (tmp_path / "other", 5)


def test_a_workflow_that_was_changed_is_refused(tmp_path: Path) -> None:
    write_folder(tmp_path)
    file = tmp_path / "out" / MANIFEST
    content = json.loads(file.read_text())
    content["workflow"]["prompt"]["1"]["inputs"]["color"] = 4
    file.write_text(json.dumps(content))
    with pytest.raises(InputError, match="was changed since the images were drawn"):
        read_recipe(file)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is part of the dataset folder .*, not a run recipe"),
        ("[]", "is part of the dataset folder .*, not a run recipe"),
        ("{}", "is part of the dataset folder .*, not a run recipe"),
        ('{"recipe": 3, "servers": [], "jobs": 1}', "The recipe in .* cannot be read"),
        ('{"recipe": {}, "servers": [], "jobs": 1, "workflow": 3}', "The workflow in .* cannot"),
    ],
)
def test_other_files_of_that_name_are_refused(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(InputError, match=sentence):
        read_recipe(tmp_path / MANIFEST)
