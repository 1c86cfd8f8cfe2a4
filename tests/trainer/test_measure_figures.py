"""What a report is drawn from: figures as text, scales, and samples of the images."""

import base64
from io import BytesIO
from pathlib import Path

import pytest

pytest.importorskip("jinja2")

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from manyshot.trainer.measure.report.gain_tables import facts
from manyshot.trainer.measure.report.sample_figures import (
    join_list,
    percent,
    points,
    size_span,
    span,
)
from manyshot.trainer.measure.report.scale import linear_scale, log_scale, round_ticks, ticks_at
from manyshot.trainer.measure.samples import outline, pick_samples
from manyshot.trainer.measure.sources import Example
from PIL import Image

from ..support.measure_reports import made_results

FINITE = st.floats(-1e6, 1e6)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (4.46, "+4.5"),
        (-0.3, "−0.3"),
        (-0.04, "−0.04"),
        (0.0, "0.0"),
        (1e-9, "0.0"),
        (float("nan"), "–"),
    ],
)
def test_points_carry_their_sign(value: float, text: str) -> None:
    assert points(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0, None), (0.02, "0.16 s"), (7.0, "0:00:56"), (600.0, "1:20:00")]
)
def test_the_computing_time_is_told(seconds: float, text: str | None) -> None:
    made = made_results()
    runs = [run.model_copy(update={"seconds": seconds}) for run in made.runs]
    assert len(runs) == 8
    assert dict(facts(made.model_copy(update={"runs": runs}))).get("Computing time") == text


def test_other_figures() -> None:
    assert percent(40.84) == "40.8 %"
    assert size_span(-2.4, -0.4) == "0.4 to 2.4"
    assert span(-0.02, 0.03) == "−0.02 to +0.03"
    assert span(4.51, 4.53) == "+4.51 to +4.53"
    assert [join_list(list(words)) for words in ("", "a", "ab")] == ["", "a", "a and b"]
    assert join_list(["a", "b", "c"]) == "a, b and c"


@given(st.lists(FINITE, max_size=30), st.booleans())
def test_a_linear_scale_holds_all_values_in_their_order(values: list[float], zero: bool) -> None:
    scale = linear_scale([*values, float("nan"), float("inf")], zero)
    held: list[float] = sorted([*values, 0.0] if zero else values)
    places = [scale.at(value) for value in held]
    assert places == sorted(places)
    assert all(0 <= place <= 100 for place in places)
    ticks = round_ticks(scale)
    assert 1 <= len(ticks) <= 7
    assert all(0 <= tick.at <= 100 for tick in ticks)
    assert len({tick.text for tick in ticks}) == len(ticks)


@given(st.sets(st.integers(1, 8000), max_size=20))
def test_ticks_on_a_log_scale_have_room(values: set[int]) -> None:
    rising = sorted(values)
    scale = log_scale(rising)
    places = [tick.at for tick in ticks_at(scale, rising)]
    assert all(0 <= scale.at(value) <= 100 for value in rising)
    assert all(b - a >= 9 for a, b in zip(places, places[1:], strict=False))


def test_samples_are_small_equal_and_of_all_kinds(tmp_path: Path) -> None:
    examples: dict[str, list[Example]] = {"real": [], "made": []}
    for kind, found in examples.items():
        for label in range(11):
            for number in range(5):
                path = tmp_path / f"{kind}-{label}-{number}.png"
                shade = np.full((60, 200, 3), 20 * label, np.uint8)
                Image.fromarray(shade).save(path)
                found.append(Example(path, path.name, f"class {label:02}"))
    classes = [f"class {label:02}" for label in range(11)]
    samples = pick_samples(classes, examples["real"], examples["made"])
    assert samples == pick_samples(classes, examples["real"][::-1], examples["made"][::-1])
    assert len(samples) == 8 * (3 + 3)
    first = Image.open(BytesIO(base64.b64decode(samples[0].jpeg)))
    assert first.size == (96, 96)
    assert {s.kind for s in pick_samples(classes, examples["real"], [])} == {"real"}


def test_a_mask_is_drawn_where_its_values_change(tmp_path: Path) -> None:
    values = np.full((96, 160), 2, np.uint8)
    values[30:60, 70:90] = 1  # 38 to 58 of the middle square
    Image.fromarray(values).save(tmp_path / "mask.png")
    drawn = Image.open(BytesIO(base64.b64decode(outline(tmp_path / "mask.png"))))
    seen = np.argwhere(np.asarray(drawn)[:, :, 3] > 0)
    assert drawn.size == (96, 96)
    assert (seen.min(axis=0).tolist(), seen.max(axis=0).tolist()) == ([30, 38], [60, 58])
