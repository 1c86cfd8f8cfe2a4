"""A recipe for WebUIs that names a workflow: what is not said under `webui` is read from there."""

import json
from pathlib import Path
from typing import Any

import pytest
from manyshot.core.errors import InputError
from manyshot.driver.prepare import prepare
from manyshot.driver.recipe import parse_recipe
from manyshot.driver.targets.webui.payload import Request
from manyshot.driver.targets.webui.requests import find_requests
from PIL import Image

from ..support.webui_graphs import Made

BIND = {"positive.text": "$prompt", "negative.text": "$negative", "sampler.seed": "$seed"}
SETTINGS: dict[str, Any] = {
    "checkpoint": "tiny.safetensors",
    "vae": "None",
    "clip_skip": 1,
    "loras": [],
    "sampler": "Euler",
    "scheduler": "Uniform",
    "steps": 9,
    "cfg_scale": 5.0,
    "width": 64,
    "height": 96,
    "controlnet": [],
}


def first_request(folder: Path, settings: dict[str, Any], **more: Any) -> Request:
    """The request for the first job of a recipe whose workflow says `settings`."""
    made = Made(settings)
    for node_id, node in made.graph.items():
        node["_meta"] = {"title": node_id}
        node["inputs"] = {k: "x.png" if v is None else v for k, v in node["inputs"].items()}
    (folder / "graph.json").write_text(json.dumps(made.graph))
    Image.new("RGB", (72, 80), "red").save(folder / "red.png")
    data = {
        "workflow": str(folder / "graph.json"),
        "output": str(folder / "out"),
        "classes": ["cat"],
        "prompts": {"templates": ["a [({class_name}:1.2)] and more"], "negative": "x"},
        "servers": ["http://127.0.0.1:1", "webui+http://127.0.0.1:2"],
        "bind": BIND,
    }
    plan = prepare(parse_recipe({**data, **more}, "recipe"), None)
    return find_requests(plan).request(next(iter(plan)))


def test_all_of_it_is_read(tmp_path: Path) -> None:
    request = first_request(tmp_path, SETTINGS)
    sent = request.payload
    assert sent["prompt"] == r"a \[(cat:1.2)\] and more"
    assert (sent["sampler_name"], sent["scheduler"], sent["steps"]) == ("Euler", "Uniform", 9)
    assert (sent["width"], sent["height"], sent["cfg_scale"]) == (64, 96, 5)
    assert sent["override_settings"]["sd_model_checkpoint"] == "tiny.safetensors"
    assert sent["override_settings"]["sd_vae"] == "None"


def test_the_recipe_has_the_last_word(tmp_path: Path) -> None:
    own = {"steps": 3, "scheduler": "Beta", "language": "webui"}
    sent = first_request(tmp_path, SETTINGS, webui=own).payload
    assert (sent["steps"], sent["scheduler"], sent["cfg_scale"]) == (3, "Beta", 5)
    assert sent["prompt"] == "a [(cat:1.2)] and more"


def test_image_to_image_keeps_the_pictures_size_and_its_steps(tmp_path: Path) -> None:
    photo = {"init_image": "@photo.image", "denoising_strength": 0.5}
    bind = {**BIND, "photo.image": {"file": str(tmp_path / "red.png")}}
    options = {"options": {"eta_noise_seed_delta": 1}}
    request = first_request(tmp_path, {**SETTINGS, **photo}, bind=bind, webui=options)
    assert (request.endpoint, request.size) == ("img2img", (72, 80))
    assert (request.payload["width"], request.payload["height"]) == (72, 80)
    settings = request.payload["override_settings"]
    assert (settings["img2img_fix_steps"], settings["eta_noise_seed_delta"]) == (True, 1)


def test_a_sweep_of_a_node_is_one_of_the_webui(tmp_path: Path) -> None:
    sent = first_request(tmp_path, SETTINGS, sweep={"sampler.steps": [4, 6]}).payload
    assert sent["steps"] == 4


def test_what_is_read_must_be_in_the_webuis_range(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'webui' with the workflow's: .*steps"):
        first_request(tmp_path, {**SETTINGS, "steps": 5000})


def test_a_workflow_that_a_webui_cannot_do(tmp_path: Path) -> None:
    made = {**SETTINGS, "hires": {"upscaler": "", "scale": 1.03, "steps": 1}}
    made["hires"]["denoising_strength"] = 0.5
    bind = {**BIND, "second.seed": "$seed"}
    with pytest.raises(InputError, match=r"^graph.json: node larger .* 'webui.hires'"):
        first_request(tmp_path, made, bind=bind)
