"""Every workflow that manyshot brings, driven on the real ComfyUI."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from manyshot.core.errors import InputError
from manyshot.core.records import read_records
from manyshot.core.subject_file import Method, read_subject_file
from manyshot.core.tiny_files import TINY_CONTROLNETS
from manyshot.driver.embedded import EmbeddedServer
from manyshot.driver.recipe import parse_recipe, read_recipe
from manyshot.driver.run import run
from PIL import Image

from ..support.fault_runs import Scenes

pytestmark = pytest.mark.server
ROOT = Path(__file__).parents[2]


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


def test_prompts_of_the_webui(tmp_path: Path, comfyui: EmbeddedServer) -> None:
    given = {
        "workflow": "webui_prompt",
        "output": str(tmp_path / "out"),
        "classes": ["Beagle", "Pug"],
        "images_per_class": 2,
        "bind": {"Sampler.steps": 3, "WebUI Prompt.steps": 3},
        "servers": [comfyui.url],
    }
    assert run(parse_recipe(given, "recipe"), Scenes()).exit_code == 0
    records = list(read_records(tmp_path / "out"))
    assert {str(record.prompt).partition(" of a ")[0] for record in records} == {
        "a (photo:1.2)",
        "a [picture:close-up:0.4]",
    }
    pictures = [Image.open(tmp_path / "out" / record.file_name) for record in records]
    assert len({picture.tobytes() for picture in pictures}) == 4


@pytest.fixture
def controlnets(comfyui: EmbeddedServer) -> Iterator[None]:
    """ControlNets under the names that the workflows have: those that manyshot brings, else ones
    that know nothing."""
    folder = comfyui.folder / "models" / "controlnet"
    absent = [folder / path.name for path in TINY_CONTROLNETS.values() if not path.is_file()]
    for path in absent:
        _write_untrained(path)
    yield
    for path in absent:
        path.unlink()


def _write_untrained(path: Path) -> None:
    pytest.importorskip("diffusers")
    from manyshot.core.tiny_sizes import TINY
    from manyshot.trainer.stable_diffusion.architecture import build_controlnet, build_unet
    from tiny_model.export_controlnet import ControlNetFacts, export_controlnet

    facts = ControlNetFacts("canny", "", {})
    export_controlnet(path, build_controlnet(build_unet(TINY)), TINY, facts)


@pytest.mark.usefixtures("controlnets")
@pytest.mark.parametrize(
    ("workflow", "picture"),
    [
        ("control_segmentation", "Control Image.image"),
        ("control_canny", "Photo.image"),
        ("autoencoder", "Photo.image"),
    ],
)
def test_workflows_that_take_pictures(
    tmp_path: Path, comfyui: EmbeddedServer, workflow: str, picture: str
) -> None:
    folder = tmp_path / "pictures" / "Beagle"
    folder.mkdir(parents=True)
    for number, colour in enumerate(["#0060ff", "#808080"]):
        Image.new("RGB", (128, 128), colour).save(folder / f"{number}.png")
    given = {
        "workflow": workflow,
        "output": str(tmp_path / "out"),
        "classes": ["Beagle"],
        "images_per_class": 2,
        "bind": {picture: {"folder": str(folder.parent)}},
        "servers": [comfyui.url],
    }
    if workflow != "autoencoder":
        given["bind"]["Sampler.steps"] = 2
    summary = run(parse_recipe(given, "recipe"), Scenes())
    assert summary.exit_code == 0
    records = list(read_records(tmp_path / "out"))
    assert [Path(str(record.source_image)).name for record in records] == ["0.png", "1.png"]
    blue, grey = (Image.open(tmp_path / "out" / record.file_name) for record in records)
    assert blue.size == grey.size == (128, 128)
    assert blue.tobytes() != grey.tobytes()


@pytest.mark.parametrize(
    ("workflow", "method"),
    [
        ("subject_lora", "lora"),
        ("subject_embedding", "textual_inversion"),
        ("subject_dreambooth", "dreambooth"),
        ("train_subject", "lora"),
    ],
)
def test_workflows_of_subjects_take_each_class_with_its_own(
    tmp_path: Path,
    comfyui: EmbeddedServer,
    trained_subjects: dict[Method, Path],
    workflow: str,
    method: Method,
) -> None:
    """A recipe's subjects take the place of what was chosen on the canvas, training included."""
    file = trained_subjects[method]
    given = {
        "workflow": workflow,
        "output": str(tmp_path / "out"),
        "subjects": {"Spot": str(file), "Dot": str(file)},
        "images_per_class": 2,
        "bind": {"Sampler.steps": 2},
        "servers": [comfyui.url],
    }
    summary = run(parse_recipe(given, "recipe"), Scenes())
    assert summary.exit_code == 0
    word = read_subject_file(file).subjects[0].word
    records = list(read_records(tmp_path / "out"))
    assert sorted(r.class_name for r in records) == ["Dot", "Dot", "Spot", "Spot"]
    assert all(str(r.prompt).endswith(f" of a {word}") for r in records)
    pictures = [Image.open(tmp_path / "out" / record.file_name) for record in records]
    assert len({picture.tobytes() for picture in pictures}) == 4


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
