"""Every workflow that manyshot brings, driven on the real ComfyUI."""

from pathlib import Path

import pytest
from manyshot.core.errors import InputError
from manyshot.core.records import read_records
from manyshot.driver.embedded import EmbeddedServer
from manyshot.driver.load import parse_recipe, read_recipe
from manyshot.driver.run import run
from PIL import Image

from .fault_runs import Scenes

pytestmark = pytest.mark.server
ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("transport", ["websocket", "view"])
def test_class_prompts_with_the_model_that_manyshot_brings(
    tmp_path: Path, comfyui: EmbeddedServer, transport: str
) -> None:
    out = tmp_path / "out"
    recipe = parse_recipe(
        {
            "workflow": "class_prompts",
            "output": str(out),
            "classes": {"Beagle": "Beagle dog", "Bombay": "Bombay cat"},
            "images_per_class": 3,
            "batch_size": 2,
            "bind": {"Sampler.steps": 2},
            "servers": [comfyui.url],
            "transport": transport,
        },
        "recipe",
    )
    summary = run(recipe, Scenes())
    assert summary.exit_code == 0
    records = list(read_records(out))
    assert [(r.class_name, r.label) for r in records].count(("Beagle", 0)) == 3
    assert [(r.class_name, r.label) for r in records].count(("Bombay", 1)) == 3
    pictures = [Image.open(out / record.file_name) for record in records]
    assert {picture.size for picture in pictures} == {(128, 128)}
    assert len({picture.tobytes() for picture in pictures}) == 6


def test_a_workflow_whose_checkpoint_is_missing_says_what_there_is(
    tmp_path: Path, comfyui: EmbeddedServer
) -> None:
    given = {"workflow": "class_prompts_sd15", "output": str(tmp_path), "servers": [comfyui.url]}
    with pytest.raises(InputError, match=r"v1-5-pruned-emaonly.*manyshot-tiny\.safetensors"):
        run(parse_recipe(given, "recipe"), Scenes())


def test_the_recipe_of_the_demo_names_all_breeds() -> None:
    recipe = read_recipe(ROOT / "recipes" / "demo_classes.yaml")
    assert isinstance(recipe.classes, dict)
    assert len(recipe.classes) == 37
