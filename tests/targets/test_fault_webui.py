"""The stand-in for a WebUI is as silent as the real one, and breaks as it is told.

What a real AUTOMATIC1111 1.10.1 answers to the same requests was measured; these are its answers.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from ..fault_webui import Checkpoint, Fault, FaultWebui, Installed
from ..support.webui_requests import ask, drawn, encoded

TWO = Installed(checkpoints=(Checkpoint("tiny.safetensors"), Checkpoint("b.ckpt", hashed=False)))


@pytest.fixture
def webui() -> Iterator[FaultWebui]:
    with FaultWebui(installed=TWO) as webui:
        yield webui


def unit(**more: Any) -> dict[str, Any]:
    """A request's field with one ControlNet unit."""
    whole = {"enabled": True, "model": "tiny_seg [0123abcd]", "image": encoded("red"), **more}
    return {"alwayson_scripts": {"ControlNet": {"args": [whole]}}}


def test_what_is_equal_is_drawn_equally(webui: FaultWebui) -> None:
    [first], info = drawn(webui)
    [again], _ = drawn(webui)
    [other], _ = drawn(webui, seed=8)
    assert first.tobytes() == again.tobytes() != other.tobytes()
    assert first.info["parameters"] == info["infotexts"][0] == (
        "a cat\nSteps: 4, Sampler: Euler, Schedule type: Automatic, CFG scale: 7.0, Seed: 7, "
        f"Size: 64x64, Model hash: {info['sd_model_hash']}, Model: tiny, Version: v1.10.1"
    )  # fmt: skip


SILENT: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "unknown field": ({"nonsense": 1}, {}),
    "unknown checkpoint": (
        {"override_settings": {"sd_model_checkpoint": "x"}}, {"sd_model_name": "tiny"},
    ),
    "unknown VAE": ({"override_settings": {"sd_vae": "x"}}, {"sd_vae_name": None}),
    "unknown sampler": ({"sampler_name": "x"}, {"sampler_name": "DPM++ 2M"}),
    "unknown schedule": ({"scheduler": "x"}, {"sampler_name": "Euler"}),
    "unknown style": ({"styles": ["x"]}, {"styles": ["x"]}),
    "missing LoRA": ({"prompt": "a <lora:x:1>"}, {"all_prompts": ["a <lora:x:1>"]}),
    "no LoRA wanted": ({"prompt": "a"}, {"extra_generation_params": {}}),
}  # fmt: skip


@pytest.mark.parametrize("what", SILENT)
def test_silent(webui: FaultWebui, what: str) -> None:
    more, told = SILENT[what]
    _, info = drawn(webui, **more)
    assert {name: info[name] for name in told} == told


def test_a_missing_lora_leaves_no_trace(webui: FaultWebui) -> None:
    [plain], _ = drawn(webui, prompt="a ")
    [missing], _ = drawn(webui, prompt="a <lora:x:1>")
    [there], info = drawn(webui, prompt="a <lora:flower:1>")
    assert plain.tobytes() == missing.tobytes() != there.tobytes()
    assert info["extra_generation_params"]["Lora hashes"].startswith("flower: ")


def test_sizes_are_cut_and_the_text_does_not_say_so(webui: FaultWebui) -> None:
    [image], info = drawn(webui, width=65, height=127)
    assert image.size == (64, 120)
    assert "Size: 65x127" in info["infotexts"][0]


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "unknown setting": ({"override_settings": {"x": 1}}, 500, "KeyError"),
    "unknown script": ({"script_name": "x"}, 422, "Script 'x' not found"),
    "unknown extension": ({"alwayson_scripts": {"x": {}}}, 422, "Script 'x' not found"),
    "wrong type": ({"steps": "x"}, 422, "type_error.integer"),
    "no steps": ({"steps": 0}, 500, "ZeroDivisionError"),
    "unknown refiner": ({"refiner_checkpoint": "x"}, 500, "Could not find checkpoint"),
    "unknown upscaler": (
        {"enable_hr": True, "denoising_strength": 0.5, "hr_upscaler": "x"}, 500, "upscaler named x",
    ),
    "wrong unit": (unit(module="x"), 500, "ValidationError"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_refused(webui: FaultWebui, what: str) -> None:
    more, status, words = REFUSED[what]
    answered, reply = ask(webui, **more)
    assert answered == status
    assert words in json.dumps(reply)


@pytest.mark.parametrize("more", [{"model": "x"}, {"image": None}, {"model": "None"}])
def test_a_unit_that_fails_is_named_all_the_same(webui: FaultWebui, more: dict[str, Any]) -> None:
    [plain], _ = drawn(webui)
    [image], info = drawn(webui, **unit(**more))
    assert "ControlNet 0" in info["extra_generation_params"]
    [whole, map_], _ = drawn(webui, **unit())
    assert whole.tobytes() not in (image.tobytes(), plain.tobytes())
    assert map_.convert("RGB").getpixel((0, 0)) == (255, 0, 0)


def test_maps_of_a_job_that_failed_come_with_the_next(webui: FaultWebui) -> None:
    webui.breaks(Fault("raise"))
    assert ask(webui, **unit())[0] == 500
    images, _ = drawn(webui, **unit(model="x"))
    assert len(images) == 2


def test_a_grid_comes_first_where_images_are_saved(webui: FaultWebui) -> None:
    images, info = drawn(webui, batch_size=2, save_images=True)
    assert [image.size for image in images] == [(128, 64), (64, 64), (64, 64)]
    assert (info["index_of_first_image"], len(info["infotexts"])) == (1, 3)
    assert info["all_seeds"] == [7, 8]


def test_another_checkpoint_is_loaded_and_stays_where_it_is_to(webui: FaultWebui) -> None:
    other = {"override_settings": {"sd_model_checkpoint": "b.ckpt"}}
    assert drawn(webui, **other)[1]["sd_model_name"] == "b"
    assert drawn(webui)[1]["sd_model_name"] == "tiny"
    assert webui.diary.loads == ["b", "tiny"]
    drawn(webui, **other, override_settings_restore_afterwards=False)
    assert drawn(webui)[1]["sd_model_name"] == "b"
    titles = [one["title"] for one in requests.get(f"{webui.url}/sdapi/v1/sd-models").json()]
    assert titles[1].startswith("b.ckpt [")


def test_a_setting_that_is_in_no_file_is_never_put_back() -> None:
    with FaultWebui(installed=Installed(unsaved=("CLIP_stop_at_last_layers",))) as webui:
        drawn(webui, override_settings={"CLIP_stop_at_last_layers": 2})
        assert drawn(webui)[1]["clip_skip"] == 2


@pytest.mark.parametrize(("n_iter", "batch", "come"), [(4, 1, 2), (1, 4, 4), (2, 2, 2)])
def test_an_interrupt_is_kept_silent(webui: FaultWebui, n_iter: int, batch: int, come: int) -> None:
    webui.breaks(Fault("interrupted", amount=1 if n_iter == 4 else 0))
    images, info = drawn(webui, n_iter=n_iter, batch_size=batch)
    assert len(images) == len(info["infotexts"]) == come
    assert info["all_seeds"] == [7, 8, 9, 10]
    assert webui.diary.drawn[-1].half
    assert webui.life.state.shown()["interrupted"]
    [whole], _ = drawn(webui, seed=6 + come)
    assert images[-1].tobytes() != whole.tobytes()
