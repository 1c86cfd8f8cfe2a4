"""Interrupts, hang-ups and settings of WebUIs, on the stand-in and on a real one: see
test_webui_real.py."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from manyshot.driver.job import Failure
from manyshot.driver.targets.webui.verify_reply import SPOILED

from ..support.fault_runs import drive
from ..support.webui_runs import cats, files
from ..support.webui_tried import SETTINGS, Tried, changed, outcome, plain, tried_webui

pytestmark = pytest.mark.usefixtures("hasty")


@pytest.fixture(params=["stand-in", "real"])
def tried(request: pytest.FixtureRequest) -> Iterator[Tried]:
    with tried_webui(request.param) as tried:
        yield tried


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
    settings = {**SETTINGS, "steps": tried.slow(60)}
    recipe = cats(tmp_path, [f"webui+{tried.url}"], images, settings, batch_size=images,
                  retries={"incomplete": 0})  # fmt: skip
    with pressed(tried, button, (0, 3)):
        summary = drive(recipe)
    assert (summary.exit_code, summary.counts.done) == (1, 0)
    [(_, reason, _)] = summary.failures
    assert reason == SPOILED or "Someone may have interrupted the WebUI" in reason
    assert files(recipe) == {}


def test_a_short_batch(tmp_path: Path, tried: Tried) -> None:
    """An interrupt between images: as if fewer had been asked for."""
    request = plain(tmp_path, tried, 3, steps=tried.slow(40))
    several = changed(request, {}, batch_size=1, n_iter=3)
    with pressed(tried, "interrupt", (1, 1)):
        found = outcome(tried, several)
    assert isinstance(found, Failure)
    short = "2 images received, 3 expected"  # where the extension is installed, it is marked
    assert short in found.reason or "Someone may have interrupted the WebUI" in found.reason


def test_a_client_that_hangs_up_stops_nothing(tmp_path: Path, tried: Tried) -> None:
    """A run that follows waits for what an earlier one has left there, and is whole."""
    request = plain(tmp_path, tried, steps=tried.slow(60))
    with pytest.raises(requests.Timeout):
        requests.post(f"{tried.url}/sdapi/v1/txt2img", json=dict(request.payload), timeout=0.3)
    assert tried.client.progress().busy
    recipe = cats(tmp_path, [f"webui+{tried.url}"], 2, SETTINGS)
    assert drive(recipe).exit_code == 0
    assert not tried.client.progress().spoiled


def test_a_run_twice_gives_the_same_bytes(tmp_path: Path, tried: Tried) -> None:
    both = []
    for name in ("first", "second"):
        recipe = cats(tmp_path / name, [f"webui+{tried.url}"], 3, SETTINGS)
        assert drive(recipe).exit_code == 0
        both.append(files(recipe))
    assert both[0] == both[1]
    assert len(both[0]) == 3


def test_its_settings_are_put_back(tmp_path: Path, tried: Tried) -> None:
    """But for the models, which stay as if they were chosen on its page."""
    tried.post("options", {"eta_noise_seed_delta": 31337, "CLIP_stop_at_last_layers": 2})
    before = tried.client.options()
    try:
        recipe = cats(tmp_path, [f"webui+{tried.url}"], 2, SETTINGS)
        assert drive(recipe).exit_code == 0
        after = tried.client.options()
    finally:
        tried.post("options", {"eta_noise_seed_delta": 0, "CLIP_stop_at_last_layers": 1})
    other = {name for name in before if before[name] != after.get(name)}
    assert other <= {"sd_model_checkpoint", "sd_checkpoint_hash", "sd_vae"}
