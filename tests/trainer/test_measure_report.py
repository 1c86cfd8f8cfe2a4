"""The report as a page and as text: it is whole, and nothing breaks out of its texts."""

import base64
import re
import shutil
from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("jinja2")

from manyshot.cli import app
from manyshot.trainer.measure.arms import Arm
from manyshot.trainer.measure.measure_recipe import MeasureRecipe
from manyshot.trainer.measure.measure_results import Results, write_results
from manyshot.trainer.measure.published import PublishedRow
from manyshot.trainer.measure.report.answer import answer
from manyshot.trainer.measure.report.markdown import markdown
from manyshot.trainer.measure.report.ratios import ratio_curves
from manyshot.trainer.measure.report.report_page import page
from manyshot.trainer.measure.report.write_report import html
from typer.testing import CliRunner

from ..support.measure_reports import (
    AUTO,
    DOWN,
    FLAT,
    REAL,
    SYNTHETIC,
    UP,
    made_results,
    row,
    with_rows,
)

EVIL = "<script>alert('1')</script> & \"q\" | `x` *b* [l](http://evil.example) {{ 7*7 }}"


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
    recipe = recipe.split("\n## ")[0]
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


def test_terms_are_explained_where_they_are_used() -> None:
    plain, all_of_them = (dict(page(results).terms) for results in (made_results(), many()))
    assert "for 10, 10 are added" in plain["100 %"]
    assert {"arm", "draw", "seed", "shots", "95 % interval"} <= plain.keys()
    assert {"extra real", "same real", "auto"} & plain.keys() == set()
    assert {"extra real", "same real", "auto"} <= all_of_them.keys()
    assert page(made_results(finished=False)).terms == ()


@pytest.mark.parametrize(
    ("results", "advice"),
    [
        (made_results(finished=False), "Run 'manyshot measure' with the same recipe again"),
        (made_results(gains=[]), "Name a folder of synthetic images under 'synthetic'"),
        (with_rows(row(SYNTHETIC, 5, *UP)), "train your own model with the mix of the arm '+ synt"),
        (with_rows(row(SYNTHETIC, 5, *DOWN)), "Reject bad ones with 'manyshot reject'"),
        (with_rows(row(SYNTHETIC, 5, *FLAT, draws_to_tell=81)), "Raise 'draws' to 81"),
        (with_rows(row(SYNTHETIC, 5, *FLAT, draws_to_tell=9001)), "about 9,001 draws"),
        (with_rows(row(SYNTHETIC, 5, *UP, other_photos=False)), "set 'draws' to 5 or more"),
        (with_rows(row(SYNTHETIC, 5, *UP), row(Arm(add="same"), 5, *UP)), "A control gained"),
        (
            with_rows(row(SYNTHETIC, 5, *UP, class_bounds=[(-3, -1), (0, 1), (0, 1)])),
            "Some classes lose",
        ),
        (made_results(), "Compare other mixes"),
        (made_results(), "Add the controls"),
        (made_results(), "Compare with plain augmentation"),
    ],
)
def test_the_report_ends_with_what_to_try_next(results: Results, advice: str) -> None:
    shown = page(results)
    assert any(advice in step for step in shown.next_steps), shown.next_steps
    assert markdown(shown).split("## ")[-1].startswith("What to try next")


def test_classes_that_are_not_shown_are_counted() -> None:
    text = " ".join(" ".join(Strict(html(page(CASES["many classes"]()))).words).split())
    assert "… 71 classes not shown" in text
    assert "97 more classes are not shown" in text


@pytest.mark.parametrize(
    "changes",
    [
        {"data": {"kind": "folder", "path": "p"}},
        {"data": {"kind": "folder", "path": "p"}, "arms": [{"add": "synthetic", "ratio": "auto"}]},
        {"data": {"kind": "pets", "path": "p"}, "task": "segmentation", "shots": [5]},
        {"data": {"kind": "elpv"}, "model": {"name": "resnet34.tv_in1k", "mode": "finetune"}},
    ],
)
def test_the_recipe_of_a_report_can_be_measured_again(changes: dict[str, object]) -> None:
    recipe = MeasureRecipe.model_validate({"synthetic": "s", "output": "o", **changes})
    shown = page(made_results(recipe=recipe.model_dump(mode="json"))).recipe
    again = yaml.safe_load(shown)
    assert MeasureRecipe.model_validate(again) == recipe
    assert ("segmenter" in again, "model" in again) == (False, "model" in changes)


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


@pytest.fixture
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        pytest.skip("chromium is not installed")
    with playwright.sync_playwright() as started:
        window = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield window
        window.close()


OVERLAPS = """() => [...document.querySelectorAll('.forest tbody tr')].filter(row => {
  const text = row.querySelector('.verdict'), plot = row.querySelector('.drawn')
  if (!text || !plot) return false
  const range = document.createRange()
  range.selectNodeContents(text)
  const [a, b] = [range.getBoundingClientRect(), plot.getBoundingClientRect()]
  return a.right > b.left && a.left < b.right && a.bottom > b.top && a.top < b.bottom
}).map(row => row.innerText)"""


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 700, 1000])
@pytest.mark.parametrize(
    "verdict", ["includes 0, as it must", "cannot tell, other photos not tested"]
)
def test_no_verdict_lies_over_its_interval(
    width: int, verdict: str, browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("manyshot.trainer.measure.report.forest.verdict_text", lambda *_: verdict)
    (tmp_path / "report.html").write_text(html(page(CASES["many"]())), encoding="utf-8")
    shown = browser.new_page(viewport={"width": width, "height": 844})
    shown.goto((tmp_path / "report.html").as_uri())
    assert verdict in shown.inner_text(".forest")
    assert shown.evaluate(OVERLAPS) == []


@pytest.mark.browser
def test_nothing_is_wider_than_a_phone(browser: Any, tmp_path: Path) -> None:
    complaints: list[str] = []  # such as a style that the policy has dropped
    shown = browser.new_page(viewport={"width": 390, "height": 844})
    shown.on("console", lambda message: complaints.append(message.text))
    for case in ("many", "evil"):
        (tmp_path / "report.html").write_text(html(page(CASES[case]())), encoding="utf-8")
        shown.goto((tmp_path / "report.html").as_uri())
        assert shown.evaluate("document.documentElement.scrollWidth") == 390
        assert shown.evaluate("getComputedStyle(document.body).maxWidth") != "none"
    assert complaints == []
