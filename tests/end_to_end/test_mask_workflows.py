"""The saved workflows of labelled photos on the real ComfyUI: what they keep is kept to the pixel,
and masks come back in step, naming their classes."""

import json
import uuid
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np
import pytest
import requests
from manyshot.core.data.labelled_image import read_pair
from manyshot.core.data.reader import read_folder
from manyshot.core.denoise import drawn_strength
from manyshot.core.masks.labelled_png import read_labelled
from manyshot.core.masks.regions import select_region
from manyshot.core.masks.scene import Scene, augment_scene
from manyshot.core.masks.variation import Variation
from manyshot.core.records import Record, read_records
from manyshot.driver.embedded import EmbeddedServer
from manyshot.driver.recipe import parse_recipe
from manyshot.driver.run import run
from manyshot.driver.workflow.catalogue import Catalogue
from manyshot.driver.workflow.convert_ui import convert_ui
from manyshot.driver.workflow.graph import Graph
from manyshot.driver.workflow.preflight import check
from PIL import Image
from templates import read_template, template_of, templates, workflow_name

from ..support.fault_runs import Scenes
from ..support.pair_folders import write_pairs
from ..support.patience import PATIENCE
from ..support.server_client import Client

pytestmark = pytest.mark.server
WORKFLOWS = Path(__file__).parents[2] / "workflows"
TINY = ["mask_segmentation", "photo_canny", "img2img", "img2img_control"]
TINY += ["keep_object", "keep_background"]
PUBLIC = sorted(path.stem for path in (WORKFLOWS / "api").glob("*_sd*.json"))
SIDE = 128


def twin(stem: str) -> Graph:
    return json.loads((WORKFLOWS / "api" / f"{stem}.json").read_text(encoding="utf-8"))


def inputs_of(graph: Graph, class_type: str) -> dict[str, Any]:
    (found,) = (node["inputs"] for node in graph.values() if node["class_type"] == class_type)
    return found


@pytest.fixture
def client(comfyui: EmbeddedServer) -> Iterator[Client]:
    made = Client(comfyui.url)
    made.socket.settimeout(PATIENCE)
    yield made
    made.socket.close()


@pytest.fixture
def photos(comfyui: EmbeddedServer) -> Iterator[Path]:
    """A Persian cat and a Beagle dog, in the server's input folder."""
    folder = comfyui.folder / "input" / f"test-{uuid.uuid4().hex}"
    yield write_pairs(folder, each=1)
    rmtree(folder)


class Made:
    """One image of a workflow, with the scene that Vary Mask must have shown for its seed."""

    def __init__(self, root: Path, record: Record, photos: Path, graph: Graph) -> None:
        self.record = record
        self.image = np.asarray(Image.open(root / record.file_name).convert("RGB"))
        mask = read_labelled(root / str(record.mask_file_name))
        assert mask is not None
        self.mask = mask
        self.photo = scene_of(photos, record, inputs_of(graph, "ManyshotVaryMask"))

    @property
    def source(self) -> np.ndarray:
        assert self.photo.image is not None
        return self.photo.image


def scene_of(photos: Path, record: Record, settings: dict[str, Any]) -> Scene:
    (pair,) = (one for one in read_folder(photos) if one.class_name == record.class_name)
    names = ("flip", "rotate", "shift", "shear", "crop", "visible", "cover")
    scale = (settings["scale_from"], settings["scale_to"])
    variation = Variation(scale=scale, **{name: settings[name] for name in names})
    return augment_scene(read_pair(pair), variation, record.seed or 0, (SIDE, SIDE))[0]


def on_the_canvas(
    client: Client, server: EmbeddedServer, stem: str, photos: Path, **changes: dict[str, Any]
) -> list[Made]:
    """Run a workflow as the canvas does, with few steps; `changes`: inputs by class of node."""
    graph = twin(stem)
    folder = f"manyshot/{photos.name}"
    given = {
        "ManyshotLoadLabelled": {"folder": photos.name, "count": 2},
        "ManyshotSaveLabelled": {"folder": folder},
        "KSampler": {"steps": 2},
    }
    for class_type, inputs in (*given.items(), *changes.items()):
        inputs_of(graph, class_type).update(inputs)
    done = client.run(dict(graph))
    assert done.error is None, done.error
    root = server.folder / "output" / folder
    made = [Made(root, record, photos, graph) for record in read_records(root)]
    rmtree(root)
    return made


@pytest.mark.parametrize("stem", TINY)
def test_images_follow_their_masks_which_name_their_classes(
    client: Client, comfyui: EmbeddedServer, photos: Path, stem: str
) -> None:
    made = on_the_canvas(client, comfyui, stem, photos)
    assert sorted(one.record.class_name for one in made) == ["Beagle", "Persian"]
    for one in made:
        shown = "dog" if one.record.class_name == "Beagle" else "cat"
        assert f"{one.record.class_name} {shown}" in str(one.record.prompt)
        assert one.mask.classes == ("background", "cat", "dog")
        assert np.array_equal(one.mask.labels, one.photo.mask.labels)
        assert [found["class"] for found in one.record.objects or []] == [shown]
        assert one.image.shape == (SIDE, SIDE, 3)
    check_kept(stem, made)


def check_kept(stem: str, made: list[Made]) -> None:
    """What a workflow promises to keep is equal to the photo, and the rest is not."""
    for one in made:
        differs = np.abs(np.subtract(one.image, one.source, dtype=float)).mean(axis=2)
        kept = np.zeros((SIDE, SIDE), bool)
        if stem.startswith("keep_object"):
            kept = select_region(one.mask, "objects")
        if stem.startswith("keep_background"):
            grow = inputs_of_region(stem)
            kept = select_region(one.mask, "background", grow=grow)
        assert not differs[kept].any()
        assert differs[~kept].mean() > 5


def inputs_of_region(stem: str) -> int:
    (found,) = (
        node["inputs"]["grow"]
        for node in twin(stem).values()
        if node.get("_meta", {}).get("title") == "Region to Keep"
    )
    return found


def test_each_image_loses_as_much_of_its_photo_as_its_strength_says(
    client: Client, comfyui: EmbeddedServer, photos: Path
) -> None:
    strengths = (0.05, 1.0)
    changes: dict[str, Any] = {"strengths": "0.05, 1.0"}
    made = on_the_canvas(
        client,
        comfyui,
        "img2img",
        photos,
        ManyshotMixedStrengths=changes,
        ManyshotLoadLabelled={"count": 2, "times": 4},
    )
    lost: dict[float, list[float]] = {strength: [] for strength in strengths}
    for one in made:
        drawn = drawn_strength(strengths, one.record.seed or 0)
        lost[drawn].append(float(np.abs(np.subtract(one.image, one.source, dtype=float)).mean()))
    assert len(made) == 8
    assert max(lost[0.05]) < min(lost[1.0])


@pytest.mark.parametrize("stem", ["keep_object", "mask_segmentation"])
def test_recipes_drive_them_from_photos_of_the_client(
    tmp_path: Path, comfyui: EmbeddedServer, stem: str
) -> None:
    photos = write_pairs(tmp_path / "photos", each=1)
    given = {
        "workflow": stem,
        "output": str(tmp_path / "out"),
        "pairs": {"folder": str(photos)},
        "images_per_class": 2,
        "bind": {"Sampler.steps": 2},
        "servers": [comfyui.url],
    }
    assert run(parse_recipe(given, "recipe"), Scenes()).exit_code == 0
    records = list(read_records(tmp_path / "out"))
    assert len(records) == 4
    made = [Made(tmp_path / "out", record, photos, twin(stem)) for record in records]
    for one in made:
        assert np.array_equal(one.mask.labels, one.photo.mask.labels)
        assert one.mask.classes == ("background", "cat", "dog")
    check_kept(stem, made)


@cache
def catalogue(url: str) -> Catalogue:
    return Catalogue.from_json(requests.get(f"{url}/object_info", timeout=120).json())


def test_there_is_a_variant_for_public_models_of_each() -> None:
    assert {f"{stem}_sd15" for stem in TINY} <= set(PUBLIC)
    assert {f"{stem}_sdxl" for stem in TINY if stem != "img2img"} <= set(PUBLIC)


@pytest.mark.parametrize("stem", PUBLIC)
def test_variants_for_public_models_lack_nothing_but_the_models(
    comfyui: EmbeddedServer, stem: str
) -> None:
    problems = check(twin(stem), catalogue(comfyui.url), stem)
    assert {problem.input for problem in problems} <= {"ckpt_name", "control_net_name"}
    assert all("the server has no" in problem.text for problem in problems)
    assert problems
    offered = {
        (node["id"], model["name"])
        for node in read_template(template_of(stem))["nodes"]
        for model in node["properties"].get("models", [])
    }
    for problem in problems:
        name = twin(stem)[problem.node_id or ""]["inputs"][problem.input or ""]
        assert (int(problem.node_id or 0), name) in offered


@pytest.mark.parametrize("path", templates(), ids=lambda path: path.stem)
def test_the_converter_makes_the_api_twin(comfyui: EmbeddedServer, path: Path) -> None:
    graph = read_template(path)
    stem = workflow_name(graph)
    assert convert_ui(graph, catalogue(comfyui.url), stem) == twin(stem)
