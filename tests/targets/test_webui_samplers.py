"""Samplers and schedulers of ComfyUI by the WebUI's names, and whether they mean the same.

The WebUI's noise levels are computed here by the formulae of its sources (1.10); ComfyUI's by
ComfyUI itself.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from manyshot.core.errors import InputError
from manyshot.driver.address import ServerAddress
from manyshot.driver.embedded.source import find_installed
from manyshot.driver.http import Http
from manyshot.driver.prepare import prepare
from manyshot.driver.targets.webui.dialect import read_dialect
from manyshot.driver.targets.webui.requests import find_requests
from manyshot.driver.targets.webui.samplers import (
    OWN_LEVELS,
    SAMPLERS,
    SCHEDULERS,
    webui_sampler,
    webui_scheduler,
)
from manyshot.driver.targets.webui.webui_client import WebUI as Client
from numpy.typing import NDArray

from ..fault_webui import FaultWebui, Installed
from ..support.webui_runs import BOTH, cats

Levels = NDArray[np.float64]
STEPS = (8, 20, 50)
CLOSE = 2e-6  # relative: what is left of float32


class WebUI:
    """The WebUI's noise levels from the highest on, of a model with the levels `base`, low first.

    Between two levels it interpolates their logarithms; all end at 0.
    """

    def __init__(self, base: Levels) -> None:
        self.base, self.least, self.most = base, base[0], base[-1]

    def at(self, times: Levels) -> Levels:
        return np.exp(np.interp(times, np.arange(len(self.base)), np.log(self.base)))

    def uniform(self, n: int) -> Levels:
        return self.at(np.linspace(999, 0, n))

    def sgm_uniform(self, n: int) -> Levels:
        return self.at(np.linspace(999, 0, n + 1)[:-1])

    def karras(self, n: int) -> Levels:
        return np.linspace(self.most ** (1 / 7), self.least ** (1 / 7), n) ** 7

    def exponential(self, n: int) -> Levels:
        return np.geomspace(self.most, self.least, n)

    def simple(self, n: int) -> Levels:
        return self.base[[999 - int(i * 1000 / n) for i in range(n)]]

    def ddim(self, n: int) -> Levels:
        return self.base[1 :: 1000 // n][::-1]


@pytest.fixture(scope="module")
def comfyui_says() -> dict[str, Any]:
    source = find_installed()
    if source is None:
        pytest.skip("ComfyUI is not installed: manyshot server install")
    pytest.importorskip("torch")
    script = Path(__file__).parents[1] / "support" / "comfyui_levels.py"
    command = [sys.executable, str(script), str(source.folder), *map(str, STEPS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


FORMULAE: dict[str, Callable[[WebUI, int], Levels]] = {
    "Uniform": WebUI.uniform,
    "SGM Uniform": WebUI.sgm_uniform,
    "Karras": WebUI.karras,
    "Exponential": WebUI.exponential,
    "Simple": WebUI.simple,
    "DDIM": WebUI.ddim,
}


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.parametrize("steps", STEPS)
def test_schedulers_have_the_same_levels(
    comfyui_says: dict[str, Any], name: str, steps: int
) -> None:
    webui = WebUI(np.array(comfyui_says["base"]))
    expected = np.append(FORMULAE[SCHEDULERS[name]](webui, steps), 0)
    np.testing.assert_allclose(comfyui_says["levels"][name][str(steps)], expected, rtol=CLOSE)


def test_the_refused_schedulers_have_others(comfyui_says: dict[str, Any]) -> None:
    """`Beta` spreads over the levels themselves, not over their times, so that it is still high
    where ComfyUI's is low already; `KL Optimal` does not end at 0."""
    stats = pytest.importorskip("scipy.stats")
    webui, levels = WebUI(np.array(comfyui_says["base"])), comfyui_says["levels"]
    shares = stats.beta.ppf(1 - np.linspace(0, 1, 20), 0.6, 0.6)
    beta = webui.least + shares * (webui.most - webui.least)
    assert levels["beta"]["20"][10] == pytest.approx(1.62, abs=0.01)
    assert beta[10] == pytest.approx(6.79, abs=0.01)
    angles = np.linspace(np.arctan(webui.most), np.arctan(webui.least), 21)
    assert np.tan(angles)[-1] == pytest.approx(0.029, abs=0.001)
    assert levels["kl_optimal"]["20"][-1] == 0


def test_every_sampler_has_a_name_or_a_nearest(comfyui_says: dict[str, Any]) -> None:
    named = [name for name in comfyui_says["samplers"] if name in SAMPLERS]
    assert len(named) == len(SAMPLERS)
    for name in set(comfyui_says["samplers"]) - set(named):
        with pytest.raises(InputError, match=f"{name!r}. The nearest is '(\\w+)'") as refused:
            webui_sampler(name)
        assert str(refused.value).split("'")[-2] in SAMPLERS
    for name in set(comfyui_says["levels"]) - set(SCHEDULERS):
        with pytest.raises(InputError, match=r"The nearest is '(\w+)'") as refused:
            webui_scheduler(name)
        assert str(refused.value).split("'")[-2] in SCHEDULERS


@pytest.mark.parametrize(
    ("sampler", "scheduler", "expected"),
    [
        ("euler", "normal", ("Euler", "Uniform")),
        ("euler_ancestral", "karras", ("Euler a", "Karras")),
        ("dpmpp_2m", "karras", ("DPM++ 2M", "Karras")),
        ("dpmpp_2m_sde_gpu", "exponential", ("DPM++ 2M SDE", "Exponential")),
        ("dpm_2_ancestral", "sgm_uniform", ("DPM2 a", "SGM Uniform")),
        ("ddim", "ddim_uniform", ("DDIM", "Automatic")),
        ("uni_pc", "normal", ("UniPC", "Automatic")),
    ],
)
def test_names(sampler: str, scheduler: str, expected: tuple[str, str]) -> None:
    assert (webui_sampler(sampler), webui_scheduler(scheduler, sampler)) == expected


@pytest.mark.parametrize("sampler", OWN_LEVELS)
def test_a_sampler_that_heeds_no_scheduler_loses_none(sampler: str) -> None:
    with pytest.raises(InputError, match="'karras' would be lost") as refused:
        webui_scheduler("karras", sampler)
    assert OWN_LEVELS[sampler] in str(refused.value)


def test_names_of_nowhere() -> None:
    with pytest.raises(InputError, match="Did you mean 'euler_ancestral'"):
        webui_sampler("euler_ancestrall")


@pytest.mark.parametrize(
    ("sampler", "scheduler", "expected"),
    [
        ("Euler", "Uniform", "Euler"),
        ("Euler", "Automatic", "Euler"),
        ("DPM++ 2M", "Uniform", "DPM++ 2M"),
        ("DPM++ 2M", "Karras", "DPM++ 2M Karras"),
        ("DPM++ 2M", "Automatic", "DPM++ 2M Karras"),
        ("DPM2", "Automatic", "DPM2 Karras"),
        ("DPM++ 2M SDE", "Automatic", "DPM++ 2M SDE Exponential"),
    ],
)
def test_before_1_9_a_schedule_is_part_of_the_samplers_name(
    tmp_path: Path, sampler: str, scheduler: str, expected: str
) -> None:
    sent = _sent(tmp_path, "1.8.0", {"sampler": sampler, "scheduler": scheduler})
    assert sent["sampler_name"] == expected
    assert "scheduler" not in sent


def test_before_1_9_other_schedules_are_lacking(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no sampler 'Euler Simple'"):
        _sent(tmp_path, "1.8.0", {"sampler": "Euler", "scheduler": "Simple"})


def test_a_setting_that_is_not_its_default_is_sent_in_any_case(tmp_path: Path) -> None:
    """A server's file lacks those that came with an upgrade, and /options with it."""
    name = "img2img_fix_steps"
    for value in (True, False):
        options = {"options": {name: value}}
        sent = _sent(tmp_path / str(value), "1.10.1", options, unsaved=(name,))
        assert sent["override_settings"].get(name, False) is value


def _sent(
    folder: Path, version: str, settings: dict[str, Any], unsaved: tuple[str, ...] = ()
) -> Mapping[str, Any]:
    """The first request of a recipe with `settings`, in a WebUI's own words."""
    with FaultWebui(version, Installed(BOTH.checkpoints, unsaved=unsaved)) as webui:
        plan = prepare(cats(folder, [webui], 1, settings), None)
        client = Client(Http(ServerAddress(url=webui.webui_url), 10, 10))
        return read_dialect(client).adapt(find_requests(plan).request(next(iter(plan)))).payload
