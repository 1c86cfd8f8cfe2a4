"""The report: the sentence it opens with, its scales, and that nothing breaks out of its texts."""

import base64
import re
import shutil
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("jinja2")

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from manyshot.cli import app
from manyshot.trainer.measure.arms import Arm
from manyshot.trainer.measure.published import PublishedRow
from manyshot.trainer.measure.report.answer import answer
from manyshot.trainer.measure.report.chosen import stands
from manyshot.trainer.measure.report.figures import listed, percent, points, size_span
from manyshot.trainer.measure.report.html import html
from manyshot.trainer.measure.report.markdown import markdown
from manyshot.trainer.measure.report.page import page
from manyshot.trainer.measure.report.ratios import ratio_curves
from manyshot.trainer.measure.report.scale import linear_scale, log_scale, round_ticks, ticks_at
from manyshot.trainer.measure.results import GainRow, Results, write_results
from manyshot.trainer.measure.samples import outline, pick_samples
from manyshot.trainer.measure.sources import Example
from manyshot.trainer.measure.summary import SAME_STEPS
from PIL import Image
from typer.testing import CliRunner

from .measure_reports import made_results

SYNTHETIC, AUTO = Arm(add="synthetic"), Arm(add="synthetic", ratio="auto")
MUCH = Arm(add="synthetic", ratio=400)
EVIL = "<script>alert('1')</script> & \"q\" | `x` *b* [l](http://evil.example) {{ 7*7 }}"
FINITE = st.floats(-1e6, 1e6)


# The sentence


def row(arm: Arm, shots: int, gain: float, low: float, high: float, **changes: Any) -> GainRow:
    verdict = "helps" if low > 0 else "hurts" if high < 0 else "cannot tell"
    values: dict[str, Any] = {
        "shots": shots, "arm": arm.name, "against": "real only", "metric": "accuracy",
        "value": 50 + gain, "baseline": 50, "gain": gain, "low": low, "high": high,
        "relative": 2 * gain, "bootstrap": (low, high), "verdict": verdict, "draws": 10,
        "seeds": 2, "draws_to_tell": None, "others": {}, "by_class": [gain] * 3, "sentence": "",
    }  # fmt: skip
    return GainRow(**{**values, **changes})


def with_rows(*rows: GainRow) -> Results:
    arms = (SYNTHETIC, AUTO, MUCH, Arm(add="real"), Arm(add="same"), Arm(add="shuffled"))
    return made_results([(arm, 0.0) for arm in arms]).model_copy(update={"gains": list(rows)})


REAL = Arm(add="real")
UP, DOWN, FLAT = (4.5, 2.9, 6.1), (-1.4, -2.4, -0.4), (0.5, -0.2, 1.2)


@pytest.mark.parametrize(
    ("rows", "mood", "sentence"),
    [
        (
            [row(SYNTHETIC, 1, *UP)],
            "helps",
            "Yes: synthetic images raise accuracy by 4.5 points (95 % interval 2.9 to 6.1), from "
            "50.0 % to 54.5 %, with 1 real image of each class (+ synthetic 100 %).",
        ),
        (
            [row(SYNTHETIC, 5, *DOWN)],
            "hurts",
            "No: synthetic images lower accuracy by 1.4 points (95 % interval 0.4 to 2.4), from "
            "50.0 % to 48.6 %, with 5 real images of each class (+ synthetic 100 %).",
        ),
        (
            [row(SYNTHETIC, 5, *FLAT, draws_to_tell=81)],
            "cannot tell",
            "Cannot tell: +0.5 points of accuracy (95 % interval −0.2 to +1.2) with 5 real images "
            "of each class (+ synthetic 100 %); about 81 draws would tell a gain of this size.",
        ),
        (
            [row(SYNTHETIC, 1, *UP), row(SYNTHETIC, 5, *DOWN)],
            "mixed",
            "It depends on the number of real images: with 1 real image of each class, synthetic "
            "images raise accuracy: +4.5 points (+2.9 to +6.1); with 5, they lower accuracy: −1.4 "
            "points (−2.4 to −0.4).",
        ),
        (
            [row(SYNTHETIC, 1, *UP), row(SYNTHETIC, 5, 2.0, 1.0, 3.0)],
            "helps",
            "Yes: with 1 and 5 real images of each class, synthetic images raise accuracy: +4.5 "
            "and +2.0 points.",
        ),
        (
            [row(SYNTHETIC, 5, *UP), row(AUTO, 5, *FLAT), row(MUCH, 5, *DOWN)],
            "helps",
            "Yes, added in the right way: with 5 real images of each class, 1 of 3 ways of adding "
            "synthetic images helps, at best by 4.5 points of accuracy (2.9 to 6.1; + synthetic "
            "100 %), and 1 hurts.",
        ),
        (
            [row(SYNTHETIC, 5, *FLAT), row(AUTO, 5, *FLAT), row(MUCH, 5, *DOWN)],
            "hurts",
            "No: with 5 real images of each class, none of 3 ways of adding synthetic images "
            "helps, and 1 hurts.",
        ),
        (
            [row(SYNTHETIC, 5, *FLAT), row(AUTO, 5, *FLAT)],
            "cannot tell",
            "Cannot tell: with 5 real images of each class, none of 2 ways of adding synthetic "
            "images makes a difference that can be told.",
        ),
        (
            [row(SYNTHETIC, 5, 1.0, 0.05, 1.95), row(AUTO, 5, *FLAT), row(MUCH, 5, *FLAT)],
            "cannot tell",
            "Perhaps: with 5 real images of each class, 1 of 3 ways of adding synthetic images "
            "helps, at best by 1.0 points of accuracy (0.1 to 1.9; + synthetic 100 %); among 3 "
            "comparisons that may be chance.",
        ),
        (
            [row(REAL, 5, *UP)],
            "helps",
            "No synthetic images were measured: of what was, + extra real 100 % does best, +4.5 "
            "points (+2.9 to +6.1) with 5 real images of each class.",
        ),
    ],
)
def test_the_answer_in_one_sentence(rows: list[GainRow], mood: str, sentence: str) -> None:
    found = answer(with_rows(*rows))
    assert (found.mood, found.sentence) == (mood, sentence)


def test_the_answer_takes_the_comparison_at_equal_steps() -> None:
    more_steps = row(SYNTHETIC, 5, *UP)
    same_steps = row(SYNTHETIC, 5, *FLAT, against=SAME_STEPS)
    found = answer(with_rows(more_steps, same_steps))
    assert found.lead == "Cannot tell"
    assert "against real only at the same number of steps" in found.rest


def test_what_stands_below_the_answer() -> None:
    rows = (row(SYNTHETIC, 5, *UP), row(AUTO, 5, *UP), row(REAL, 5, *UP))
    assert answer(with_rows(*rows)).warnings == ()
    assert answer(with_rows(*rows)).asides == (
        "The yardstick, + extra real 100 %: +4.5 points with 5 real images of each class.",
        "The best of several arms, picked after the fact, looks better than it is.",
    )
    failed = (row(Arm(add="same"), 5, *UP), row(Arm(add="shuffled"), 5, *UP))
    first, second = answer(with_rows(*rows, *failed)).warnings
    assert "+ same real 100 %, which adds nothing new, helps by +4.5 points" in first
    assert "+ shuffled labels 100 %, whose labels are wrong, helps" in second


@settings(max_examples=30)
@given(st.floats(0.01, 50), st.floats(0.01, 50), st.integers(1, 50), st.integers(2, 100))
def test_more_comparisons_never_make_a_gain_stand(
    gain: float, reach: float, comparisons: int, draws: int
) -> None:
    found = row(SYNTHETIC, 5, gain, gain - reach, gain + reach, draws=draws)
    assert stands(found, 1) or found.low < 1e-9
    assert not stands(found, 1) or found.low > -1e-9
    assert not stands(found, comparisons + 1) or stands(found, comparisons)


# Figures and scales


@pytest.mark.parametrize(
    ("value", "text"),
    [(4.46, "+4.5"), (-0.3, "−0.3"), (-0.04, "0.0"), (0.0, "0.0"), (float("nan"), "–")],
)
def test_points_carry_their_sign(value: float, text: str) -> None:
    assert points(value) == text


def test_other_figures() -> None:
    assert percent(40.84) == "40.8 %"
    assert size_span(-2.4, -0.4) == "0.4 to 2.4"
    assert [listed(list(words)) for words in ("", "a", "ab")] == ["", "a", "a and b"]
    assert listed(["a", "b", "c"]) == "a, b and c"


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


# The page


class Strict(HTMLParser):
    """Every element is closed in its order; gathers elements, addresses and text."""

    VOID = ("meta", "img", "col", "br")
    SELF_CLOSED = ("path", "circle", "rect", "line")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: Iterable[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            assert not name.startswith("on")
            assert name != "style"  # the policy would drop it
            if name in ("href", "src", "srcset", "action", "data"):
                self.addresses.append(value or "")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Iterable[tuple[str, str | None]]) -> None:
        assert tag in self.SELF_CLOSED
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@cache
def many() -> Results:
    """All at once: 4 numbers of shots, 20 arms, 37 classes, published figures, two baselines."""
    ratios = (5, 25, 100, 400, 800, 8000)
    arms = [Arm(add="synthetic", ratio=r, policy=p) for p in ("none", "mixup") for r in ratios]
    arms += [Arm(add="synthetic", mixing=m) for m in ("replace", "weight", "pretrain", "alone")]
    arms += [AUTO, REAL, Arm(add="same"), Arm(policy="mixup")]
    classes = [f"a class with the rather long name number {n}" for n in range(37)]
    published = PublishedRow(
        shots=5, arm=SYNTHETIC.name, setup="ResNet", reached=70, baseline=60, gain=10,
        relative=16.7, steps=900, baseline_steps=300, source="A thesis, 2023",
    )  # fmt: skip
    gains = [(arm, 0.1 - n / 100) for n, arm in enumerate(arms)]
    return made_results(gains, (1, 5, 10, 50), classes, published=[published])


CASES = {
    "one row": lambda: made_results(),
    "many": many,
    "evil": lambda: made_results(
        classes=(EVIL, '"><img src=x onerror=alert(1)>', "a\nb|c"),
        notes=[EVIL, "+ no list", "# no heading", "1. no list either"],
        learner=EVIL,
        backbone=EVIL,
        versions={EVIL: EVIL},
        recipe={EVIL: [EVIL, "```", "</pre><script>"]},
    ),
    "unfinished": lambda: made_results(finished=False),
    "empty": lambda: made_results(finished=False).model_copy(update={"runs": [], "samples": []}),
    "real only": lambda: made_results(gains=[]),
    "not a number": lambda: with_rows(
        row(SYNTHETIC, 5, float("nan"), float("nan"), float("nan"), by_class=[float("nan")] * 3)
    ),
    "masks": lambda: made_results().model_copy(
        update={"samples": [s.model_copy(update={"mask": "AAAA"}) for s in made_results().samples]}
    ),
    "many classes": lambda: made_results(classes=[f"class {n}" for n in range(101)]),
    "other classes": lambda: with_rows(row(SYNTHETIC, 5, *UP, by_class=[1.0, 2.0])),
}


@pytest.mark.parametrize("case", CASES)
def test_the_page_is_whole_and_fetches_nothing(case: str) -> None:
    text = html(page(CASES[case]()))
    found = Strict(text)
    assert not {"script", "link", "iframe", "object", "form"} & set(found.tags)
    assert all(a.startswith(("data:image/", "#")) for a in found.addresses), found.addresses
    assert "default-src 'none'" in text
    assert not re.search(r"\bNone\b|nan\b|undefined", " ".join(found.words))


@pytest.mark.parametrize("case", CASES)
def test_the_text_has_tables_of_equal_columns_and_nothing_else_in_them(case: str) -> None:
    text = markdown(page(CASES[case]()))
    pipes = [re.findall(r"(?<!\\)\|", line) for line in text.splitlines() if line[:1] == "|"]
    for block in re.split(r"\n\n", text):
        lines = block.splitlines()
        if lines[0].startswith("|"):
            assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1
            assert re.fullmatch(r"\|( -{3,} \|)+", lines[1])
    assert pipes


def test_untrusted_text_is_shown_as_it_is() -> None:
    found = Strict(html(page(CASES["evil"]())))
    assert EVIL in " ".join(found.words)
    text, recipe = markdown(page(CASES["evil"]())).split("### Recipe")
    assert not re.search(r"(?<!\\)<|(?<!\\)`|\]\(http:", text)
    assert "\n- \\+ no list\n- \\# no heading\n- 1\\. no list either" in text
    assert all(line.startswith("    ") for line in recipe.splitlines() if line)


def test_the_page_says_all_that_it_must() -> None:
    results = many()
    text = " ".join(" ".join(Strict(html(page(results))).words).split())
    for wanted in (
        answer(results).rest, *results.notes, results.backbone, "linear head", "opennsfw-0",
        "50 real to draw from, 20 synthetic, 120 to test on, 37 classes", "A thesis, 2023",
        "900 steps against 300", "python 3.11.0", "synthetic, auto", "path: photos",
    ):  # fmt: skip
        assert wanted in text
    assert text.count("Gain and ratio") == 2  # with and without the policy


def test_one_amount_at_many_shots_is_no_curve_of_ratios() -> None:
    few, more = (Arm(add="synthetic", each=each) for each in (50, 100))
    assert ratio_curves(made_results([(few, 0.1)], (1, 5, 9))) == []
    [plot] = ratio_curves(made_results([(few, 0.1), (more, 0.1)], (1, 9)))
    assert plot.columns == ("555.6 %", "1111.1 %", "5000 %", "10000 %")


def test_the_policy_allows_the_style_that_is_there() -> None:
    text = html(page(made_results()))
    style = re.search(r"<style>(.*)</style>", text, re.DOTALL)
    assert style
    digest = base64.b64encode(sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in text.replace("&#39;", "'").replace("&#43;", "+")


# Samples and the command line


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


def test_the_command_draws_the_report_again(tmp_path: Path) -> None:
    runner = CliRunner()
    write_results(tmp_path, made_results())
    said = runner.invoke(app, ["report", str(tmp_path)])
    assert said.exit_code == 0, said.output
    assert "report.html" in said.output
    assert "not finished" not in said.output
    assert "**Yes:**" in (tmp_path / "report.md").read_text(encoding="utf-8")
    write_results(tmp_path, made_results(finished=False))
    assert "not finished" in runner.invoke(app, ["report", str(tmp_path)]).output
    assert "Not finished:" in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.browser
def test_nothing_is_wider_than_a_phone(tmp_path: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        pytest.skip("chromium is not installed")
    complaints: list[str] = []  # such as a style that the policy has dropped
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": 390, "height": 844})
        shown.on("console", lambda message: complaints.append(message.text))
        for case in ("many", "evil"):
            (tmp_path / "report.html").write_text(html(page(CASES[case]())), encoding="utf-8")
            shown.goto((tmp_path / "report.html").as_uri())
            assert shown.evaluate("document.documentElement.scrollWidth") == 390
            assert shown.evaluate("getComputedStyle(document.body).maxWidth") != "none"
        browser.close()
    assert complaints == []
