"""The silent failures of WebUIs, one row each, on the stand-in and on a real one.

Name a real one, with the checkpoint manyshot-tiny and started with --api, in the environment:
MANYSHOT_WEBUI=http://127.0.0.1:7860 pytest -v tests/test_webui_real.py. Whatever would be refused
beforehand is sent all the same here, past the driver's checks, so that the reply must tell.
"""

import os
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import requests
from manyshot.core.errors import InputError
from manyshot.driver.address import ServerAddress
from manyshot.driver.http import Http, Refused
from manyshot.driver.job import Failure
from manyshot.driver.prepare import prepare
from manyshot.driver.webui.call import refused
from manyshot.driver.webui.client import WebUI
from manyshot.driver.webui.request import Request
from manyshot.driver.webui.verdict import verdict

from .fault_runs import drive
from .fault_webui import Checkpoint, Fault, FaultWebui, Installed
from .webui_runs import SIDE, cats, control_unit, files, red_picture

pytestmark = pytest.mark.usefixtures("hasty")
TINY = Installed(checkpoints=(Checkpoint("manyshot-tiny.safetensors"),))
SETTINGS: dict[str, Any] = {
    "checkpoint": "manyshot-tiny",
    "sampler": "Euler",
    "scheduler": "Karras",
    "steps": 2,
    "options": {"sd_vae_decode_method": "TAESD", "sd_vae_encode_method": "TAESD"},
}


@dataclass(frozen=True)
class Tried:
    """A WebUI that is tried: where it is, and the stand-in itself if it is that."""

    url: str
    stand_in: FaultWebui | None = None

    @property
    def client(self) -> WebUI:
        return WebUI(Http(ServerAddress(url=f"webui+{self.url}"), 10, 600))

    def post(self, path: str, data: Any = None) -> None:
        requests.post(f"{self.url}/sdapi/v1/{path}", json=data, timeout=600).raise_for_status()

    def slow(self, steps: int) -> int:
        """As many steps as take about a second; the stand-in takes its time for fewer."""
        if self.stand_in is None:
            return steps
        self.stand_in.breaks(Fault("slow", times=1, amount=0.15))
        return 8


@pytest.fixture(params=["stand-in", "real"])
def tried(request: pytest.FixtureRequest) -> Iterator[Tried]:
    if request.param == "stand-in":
        with FaultWebui(installed=TINY) as webui:
            yield Tried(webui.url, webui)
        return
    url = os.environ.get("MANYSHOT_WEBUI")
    if not url:
        pytest.skip("no real WebUI: its address is to be in MANYSHOT_WEBUI")
    yield Tried(url.rstrip("/"))


def plain(folder: Path, tried: Tried, images: int = 1, **settings: Any) -> Request:
    """What the driver sends for a job."""
    wanted = {**SETTINGS, "width": SIDE, "height": SIDE, **settings}
    plan = prepare(cats(folder, [f"webui+{tried.url}"], 1, wanted, batch_size=images), None)
    return plan.requests.request(next(iter(plan)))


def changed(request: Request, told: dict[str, Any], **payload: Any) -> Request:
    """Other fields sent, and other things expected of the reply."""
    override = payload.pop("override", {})
    fields = {**request.payload, **payload}
    fields["override_settings"] = {**request.payload["override_settings"], **override}
    return replace(request, payload=fields, **told)


def unit(**more: Any) -> dict[str, Any]:
    red = b64encode(red_picture().read_bytes()).decode()
    whole = {"enabled": True, "module": "none", "model": "x", "image": red, **more}
    return {"controlnet": {"args": [whole]}}


RED = (b"",)
Change = tuple[dict[str, Any], dict[str, Any], str]
SILENT: dict[str, Change] = {
    "unknown field": ({}, {"tilling": True}, "does not know the field 'tilling'"),
    "unknown checkpoint": (
        {"checkpoint": "nope"}, {"override": {"sd_model_checkpoint": "nope"}},
        "with the checkpoint 'manyshot-tiny' and not with 'nope'",
    ),
    "unknown VAE": ({"vae": "nope.pt"}, {"override": {"sd_vae": "nope.pt"}}, "not 'nope.pt'"),
    "unknown sampler": (
        {}, {"sampler_name": "euler"}, "sampler 'DPM++ 2M' and not with 'euler'",
    ),
    "unknown schedule": ({}, {"scheduler": "Karas"}, "schedule 'Automatic' and not 'Karas'"),
    "missing LoRA": (
        {"prompt": "a <lora:nope:1>", "loras": ("nope",)}, {"prompt": "a <lora:nope:1>"},
        "without the LoRA 'nope'",
    ),
    "missing embedding": (
        {"prompt": "a nope", "embeddings": ("nope",)}, {"prompt": "a nope"},
        "without the embedding 'nope'",
    ),
    "rounded size": ({"size": (68, SIDE)}, {"width": 68}, "64x64 pixels and not 68x64"),
    "seed that is drawn": ({}, {"seed": -1}, "with the seeds"),
    "ControlNet model that is missing": (
        {"units": RED}, {"alwayson_scripts": unit()}, "1 units were sent, and 0 maps came",
    ),
    "ControlNet without a picture": (
        {"units": RED}, {"alwayson_scripts": unit(image=None)}, "and 0 maps came",
    ),
    "ControlNet that is not switched on": (
        {"units": RED}, {"alwayson_scripts": unit(enabled=False)}, "and 0 maps came",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", SILENT)
def test_silent(tmp_path: Path, tried: Tried, what: str) -> None:
    """HTTP 200, and not what was asked for."""
    told, payload, words = SILENT[what]
    request = changed(plain(tmp_path, tried), told, **payload)
    outcome = verdict(request, tried.client.draw(request.endpoint, request.payload))
    assert isinstance(outcome, Failure)
    assert words in outcome.reason


def test_nothing_is_wrong(tmp_path: Path, tried: Tried) -> None:
    request = plain(tmp_path, tried, 2)
    outcome = verdict(request, tried.client.draw(request.endpoint, request.payload))
    assert not isinstance(outcome, Failure)
    assert len(outcome) == 2


def test_a_grid_is_not_taken_for_an_image(tmp_path: Path, tried: Tried) -> None:
    request = plain(tmp_path, tried, 2)
    saved = changed(request, {}, save_images=True, override={"samples_save": False})
    reply = tried.client.draw(saved.endpoint, saved.payload)
    assert len(reply["images"]) == 3
    again = tried.client.draw(request.endpoint, request.payload)
    alone, beside = verdict(request, again), verdict(saved, reply)
    assert isinstance(alone, tuple)
    assert alone == beside


def test_another_file_format(tmp_path: Path, tried: Tried) -> None:
    request = plain(tmp_path, tried)
    tried.post("options", {"samples_format": "jpg"})
    try:
        outcome = verdict(request, tried.client.draw(request.endpoint, request.payload))
    finally:
        tried.post("options", {"samples_format": "png"})
    assert isinstance(outcome, Failure)
    assert "came as JPEG, with losses" in outcome.reason


LOUD: dict[str, tuple[dict[str, Any], str]] = {
    "unknown setting": ({"override": {"nope": 1}}, "The WebUI failed: 'nope' (KeyError)"),
    "wrong type": ({"steps": "x"}, "refused the job: steps: value is not a valid integer"),
    "unknown script": ({"script_name": "nope"}, "refused the job: Script 'nope' not found"),
    "unknown upscaler": (
        {"enable_hr": True, "denoising_strength": 0.5, "hr_upscaler": "nope"},
        "could not find upscaler named nope",
    ),
    "unknown refiner": ({"refiner_checkpoint": "nope"}, "Could not find checkpoint with name nope"),
    "unknown preprocessor": ({"alwayson_scripts": unit(module="nope")}, "module(nope) not found"),
}  # fmt: skip


@pytest.mark.parametrize("what", LOUD)
def test_loud(tmp_path: Path, tried: Tried, what: str) -> None:
    """An error with its reason, in one sentence."""
    payload, words = LOUD[what]
    request = changed(plain(tmp_path, tried), {}, **payload)
    with pytest.raises(Refused) as raised:
        tried.client.draw(request.endpoint, request.payload)
    failure = refused(raised.value)
    assert failure is not None
    assert words in failure.reason


@contextmanager
def pressed(tried: Tried, button: str, after: tuple[int, int]) -> Iterator[None]:
    """Somebody presses `button` once that image and that step of it are drawn."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.01):
            url = f"{tried.url}/sdapi/v1/progress?skip_current_image=true"
            state = requests.get(url, timeout=60).json()["state"]
            if state["job"] and (state["job_no"], state["sampling_step"]) >= after:
                tried.post(button)
                return

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("button", ["interrupt", "skip"])
@pytest.mark.parametrize("images", [1, 2])
def test_an_interrupt(tmp_path: Path, tried: Tried, button: str, images: int) -> None:
    """Images half drawn, and nothing in the reply says so."""
    settings = {**SETTINGS, "steps": tried.slow(60), "width": SIDE, "height": SIDE}
    recipe = cats(tmp_path, [f"webui+{tried.url}"], images, settings, batch_size=images,
                  retries={"incomplete": 0})  # fmt: skip
    with pressed(tried, button, (0, 3)):
        summary = drive(recipe)
    assert (summary.exit_code, summary.counts.done) == (1, 0)
    [(_, reason, _)] = summary.failures
    assert "interrupted in the WebUI by somebody" in reason
    assert files(recipe) == {}


def test_a_short_batch(tmp_path: Path, tried: Tried) -> None:
    """An interrupt between images: as if fewer had been asked for."""
    request = plain(tmp_path, tried, 3, steps=tried.slow(40))
    several = changed(request, {}, batch_size=1, n_iter=3)
    with pressed(tried, "interrupt", (1, 1)):
        outcome = verdict(several, tried.client.draw(several.endpoint, several.payload))
    assert isinstance(outcome, Failure)
    assert "2 images came and 3 were expected" in outcome.reason


def test_a_client_that_hangs_up_stops_nothing(tmp_path: Path, tried: Tried) -> None:
    """A run that follows waits for what an earlier one has left there, and is whole."""
    request = plain(tmp_path, tried, steps=tried.slow(60))
    with pytest.raises(requests.Timeout):
        requests.post(f"{tried.url}/sdapi/v1/txt2img", json=dict(request.payload), timeout=0.3)
    assert tried.client.progress().busy
    recipe = cats(tmp_path, [f"webui+{tried.url}"], 2, {**SETTINGS, "width": 64, "height": 64})
    assert drive(recipe).exit_code == 0
    assert not tried.client.progress().spoiled


BEFOREHAND: dict[str, tuple[dict[str, Any], str]] = {
    "unknown field": ({"fields": {"tilling": True}}, "no field 'tilling'"),
    "unknown setting": ({"options": {"nope": 1}}, "no setting 'nope'"),
    "unknown checkpoint": ({"checkpoint": "nope"}, "no checkpoint 'nope'"),
    "unknown VAE": ({"vae": "nope"}, "no VAE 'nope'"),
    "unknown sampler": ({"sampler": "nope"}, "no sampler 'nope'"),
    "unknown schedule": ({"scheduler": "nope"}, "no scheduler 'nope'"),
    "missing LoRA": ({"loras": [{"name": "nope"}]}, "no LoRA 'nope'"),
    "unknown upscaler": ({"hires": {"upscaler": "nope"}}, "no upscaler 'nope'"),
    "ControlNet model": ({"controlnet": [control_unit(model="nope")]}, "no ControlNet"),
}


@pytest.mark.parametrize("what", BEFOREHAND)
def test_refused_beforehand(tmp_path: Path, tried: Tried, what: str) -> None:
    settings, words = BEFOREHAND[what]
    wanted = {**SETTINGS, "width": SIDE, "height": SIDE, **settings}
    before = tried.client.progress()
    with pytest.raises(InputError, match=words):
        drive(cats(tmp_path, [f"webui+{tried.url}"], 2, wanted))
    assert tried.client.progress().started == before.started


def test_a_run_twice_gives_the_same_bytes(tmp_path: Path, tried: Tried) -> None:
    both = []
    for name in ("first", "second"):
        wanted = {**SETTINGS, "width": SIDE, "height": SIDE}
        recipe = cats(tmp_path / name, [f"webui+{tried.url}"], 3, wanted)
        assert drive(recipe).exit_code == 0
        both.append(files(recipe))
    assert both[0] == both[1]
    assert len(both[0]) == 3


def test_its_settings_are_put_back(tmp_path: Path, tried: Tried) -> None:
    """But for the models, which stay as if they were chosen on its page."""
    tried.post("options", {"eta_noise_seed_delta": 31337, "CLIP_stop_at_last_layers": 2})
    before = tried.client.options()
    try:
        wanted = {**SETTINGS, "width": SIDE, "height": SIDE}
        recipe = cats(tmp_path, [f"webui+{tried.url}"], 2, wanted)
        assert drive(recipe).exit_code == 0
        after = tried.client.options()
    finally:
        tried.post("options", {"eta_noise_seed_delta": 0, "CLIP_stop_at_last_layers": 1})
    other = {name for name in before if before[name] != after.get(name)}
    assert other <= {"sd_model_checkpoint", "sd_checkpoint_hash", "sd_vae"}
