"""What a WebUI does wrong without a word, at HTTP 200: noticed, told, and never in the dataset."""

from pathlib import Path
from typing import Any

import pytest

from ..fault_webui.faults import What
from ..support.fault_runs import drive
from ..support.webui_runs import broken, cats, control_unit, is_whole

pytestmark = pytest.mark.usefixtures("hasty")
AGAIN: dict[What, str] = {
    "truncated base64": "incomplete",
    "no base64": "incomplete",
    "truncated png": "incomplete",
    "damaged png": "incomplete",
    "short": "incomplete",
    "empty": "incomplete",
    "null": "incomplete",
    "no info": "incomplete",
    "broken info": "incomplete",
    "info list": "incomplete",
    "interrupted": "incomplete",
    "skipped": "incomplete",
}
"""Faults of a moment: the job is drawn again."""


@pytest.mark.parametrize("what", AGAIN)
@pytest.mark.parametrize("batch", [1, 3])
def test_drawn_again(tmp_path: Path, what: What, batch: int) -> None:
    with broken(what, times=2, after=1) as webui:
        recipe = cats(tmp_path, [webui], batch_size=batch)
        summary = drive(recipe)
        assert (summary.exit_code, summary.stopped, summary.failures) == (0, None, [])
        assert dict(summary.progress.tries) == {AGAIN[what]: 2}
    is_whole(recipe)


INVALID: dict[What, str] = {
    "blank": "a single colour",
    "wrong model": "checkpoint 'another' instead of 'tiny'",
    "wrong seeds": "used the seeds",
    "wrong sampler": "sampler 'LMS' instead of 'DPM++ 2M'",
    "wrong prompt": "masterpiece' instead of",
    "wrong size": "72x64 pixels instead of 64x64",
    "jpeg": "arrived as JPEG, which is lossy",
    "webp": "arrived as WEBP, which is lossy",
}
"""Faults of the WebUI: its job fails and says why, the others are drawn."""


@pytest.mark.parametrize("what", INVALID)
@pytest.mark.parametrize("batch", [1, 3])
def test_fails_and_is_told(tmp_path: Path, what: What, batch: int) -> None:
    with broken(what) as webui:
        recipe = cats(tmp_path, [webui], batch_size=batch)
        summary = drive(recipe)
    assert (summary.exit_code, summary.stopped) == (1, None)
    [(_, reason, count)] = summary.failures
    assert count == 1
    assert INVALID[what] in reason
    is_whole(recipe, failed=1)


CALLED: dict[What, tuple[dict[str, Any], str]] = {
    "wrong vae": ({"vae": "tiny.vae.safetensors"}, "VAE 'another.vae.pt'"),
    "lora fails": ({"loras": [{"name": "flower"}]}, "without the LoRA 'flower'"),
    "control fails": ({"controlnet": [control_unit()]}, "ControlNet was not applied"),
}


@pytest.mark.parametrize("what", CALLED)
def test_what_was_called_takes_no_part(tmp_path: Path, what: What) -> None:
    settings, words = CALLED[what]
    with broken(what) as webui:
        recipe = cats(tmp_path, [webui], settings=settings)
        summary = drive(recipe)
    assert (summary.exit_code, summary.stopped) == (1, None)
    [(_, reason, count)] = summary.failures
    assert count == 1
    assert words in reason
    is_whole(recipe, failed=1)


HARMLESS: tuple[What, ...] = ("grid", "long")


@pytest.mark.parametrize("what", HARMLESS)
@pytest.mark.parametrize("batch", [1, 3])
def test_pictures_beside_those_that_were_asked_for(tmp_path: Path, what: What, batch: int) -> None:
    """A grid before them or something behind them is not taken for one of them."""
    with broken(what, times=None) as webui:
        recipe = cats(tmp_path, [webui], batch_size=batch)
        assert drive(recipe).exit_code == 0
    is_whole(recipe)
