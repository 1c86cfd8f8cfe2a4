"""What a WebUI would pass over without a word is refused before anything is queued there."""

from pathlib import Path
from typing import Any

import pytest
from manyshot.core.errors import InputError

from ..fault_webui import FaultWebui, Installed
from ..support.fault_runs import drive
from ..support.webui_runs import cats, control_unit

SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown checkpoint": ({"checkpoint": "tinny"}, "no checkpoint 'tinny'.*'tiny'"),
    "unknown VAE": ({"vae": "tiny.vae.pt"}, "no VAE 'tiny.vae.pt'.*'tiny.vae.safetensors'"),
    "missing LoRA": ({"loras": [{"name": "flowr"}]}, "no LoRA 'flowr'.*'flower'"),
    "unknown sampler": ({"sampler": "Eular"}, "sampler 'Eular'.*'Euler'"),
    "sampler in small letters": ({"sampler": "dpm++ 2m xyz"}, "sampler 'dpm"),
    "unknown schedule": ({"scheduler": "Karas"}, "'Karas'.*'Karras'"),
    "rounded width": ({"width": 65}, "webui.width.: must be a multiple of 8"),
    "rounded height": ({"height": 100}, "webui.height.: must be a multiple of 8"),
    "hires fix to a rounded size": ({"hires": {"scale": 1.3}}, "83.2 pixels long, which is not a"),
    "unknown upscaler": ({"hires": {"upscaler": "Latnt"}}, "no upscaler 'Latnt'.*'Latent'"),
    "unknown field": ({"fields": {"tilling": True}}, "no field 'tilling'.*'tiling'"),
    "unknown setting": ({"options": {"clip_skip": 2}}, "no setting 'clip_skip'"),
    "unknown ControlNet model": (
        {"controlnet": [control_unit(model="tiny_sgg")]}, "no ControlNet 'tiny_sgg'.*'tiny_seg",
    ),
    "unknown preprocessor": (
        {"controlnet": [control_unit(module="cany")]}, "no preprocessor 'cany'.*'canny'",
    ),
    "more units than slots": ({"controlnet": [control_unit()] * 4}, "3 ControlNet units.*4"),
}  # fmt: skip


@pytest.mark.parametrize("what", SETTINGS)
def test_refused(tmp_path: Path, what: str) -> None:
    settings, words = SETTINGS[what]
    with FaultWebui() as webui:
        with pytest.raises(InputError, match=words):
            drive(cats(tmp_path, [webui], settings=settings))
        assert webui.diary.begun == []


PROMPTS = {
    "missing LoRA in a prompt": ("a {class_name} <lora:flowr:0.8>", "no LoRA 'flowr'"),
    "missing embedding": ("a {class_name}, embedding:mysubjct", "no embedding 'mysubjct'"),
    "embedding for another model": (
        "a {class_name}, embedding:for-sdxl",
        "'for-sdxl' does not fit",
    ),
}


@pytest.mark.parametrize("what", PROMPTS)
def test_refused_prompts(tmp_path: Path, what: str) -> None:
    template, words = PROMPTS[what]
    with FaultWebui() as webui:
        with pytest.raises(InputError, match=words):
            drive(cats(tmp_path, [webui], prompts={"templates": [template]}))
        assert webui.diary.begun == []


def test_no_controlnet(tmp_path: Path) -> None:
    bare = Installed(always_on=("seed",))
    with FaultWebui(installed=bare) as webui:
        with pytest.raises(InputError, match="has no ControlNet: install sd-webui-controlnet"):
            drive(cats(tmp_path, [webui], settings={"controlnet": [control_unit()]}))
        assert webui.diary.begun == []


OPTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "JPEG": ({"samples_format": "jpg"}, "as jpg, which is lossy"),
    "WebP": ({"samples_format": "webp"}, "as webp, which is lossy"),
    "masks among the images": ({"return_mask": True}, "masks among the images"),
}


@pytest.mark.parametrize("what", OPTIONS)
def test_settings_of_the_server_that_spoil_replies(tmp_path: Path, what: str) -> None:
    options, words = OPTIONS[what]
    photo = control_unit()["image"]
    settings = {"init_image": photo, "mask": photo} if "mask" in what else {}
    with FaultWebui() as webui:
        webui.life.shelf.options.update(options)
        with pytest.raises(InputError, match=words):
            drive(cats(tmp_path, [webui], settings=settings))
        assert webui.diary.begun == []
