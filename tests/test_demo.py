"""The demo: recipes that hold together, and the whole way with tiny numbers."""

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torchmetrics")
pytest.importorskip("diffusers")

import numpy as np
from manyshot.cli.demo import steps
from manyshot.cli.demo.recipes import WORKFLOWS, Demo
from manyshot.cli.demo.sizes import FULL, QUICK, Size
from manyshot.cli.demo.steps import (
    answer,
    draw_pictures,
    lay_out_photos,
    measure_gain,
    train_subjects,
)
from manyshot.cli.tokenizer import tokenizer_folder
from manyshot.core.recipe_file import read_recipe_file
from manyshot.driver.load import read_recipe
from manyshot.trainer.measure.recipe import MeasureRecipe
from manyshot.trainer.subjects.recipe import SubjectRecipe
from PIL import Image
from rich.console import Console

METHODS = sorted(WORKFLOWS)
TINY = Size(
    shots=2,
    draws=2,
    training={"lora": {"steps": 2, "every": 2, "rank": 1, "batch": 1}},
    images=2,
    batch=2,
    sampler={"Sampler.steps": 1},
    arms=({"add": "synthetic", "ratio": 100},),
    seeds=1,
    minutes=1,
)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [FULL, QUICK], ids=["full", "quick"])
def test_the_recipes_of_the_demo_can_be_run_by_hand(tmp_path: Path, size: Size, method) -> None:
    demo = Demo(size, method, tmp_path)
    folder = demo.write_recipes()
    measured = read_recipe_file(MeasureRecipe, folder / "measure.yaml")
    assert measured == demo.measurement()
    tokens = set()
    for draw in demo.draws:
        learned = read_recipe_file(SubjectRecipe, folder / f"subjects_{draw}.yaml")
        drawn = read_recipe(folder / f"pictures_{draw}.yaml")
        assert (learned, drawn) == (demo.subjects(draw), demo.drawing(draw))
        assert drawn.subjects == learned.output
        assert drawn.output.parent == measured.synthetic
        assert learned.classes
        tokens.add(learned.classes.ending)
    assert len(tokens) == size.draws


@pytest.mark.parametrize("size", [FULL, QUICK], ids=["full", "quick"])
def test_there_are_pictures_enough_for_every_arm(size: Size) -> None:
    added = [arm["ratio"] for arm in size.arms if arm["add"] == "synthetic"]
    assert max(added) * size.shots <= 100 * size.images


def photos(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    for part, count in (("train", 4), ("test", 2)):
        for name in ("mono", "poly"):
            (folder / part / name).mkdir(parents=True)
            for number in range(count):
                noise = rng.integers(0, 255, (8, 8, 3), np.uint8)
                picture = Image.fromarray(noise).resize((128, 128))
                picture.save(folder / part / name / f"{number}.png")
    return folder


class Started(Exception):
    """A server was started."""


def start(*_: object) -> None:
    raise Started


@pytest.mark.server
@pytest.mark.slow
def test_the_whole_way_and_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = {"path": photos(tmp_path / "data")}
    demo = Demo(TINY, "lora", tmp_path / "demo", data)
    console, told = Console(quiet=True), []

    def go() -> str:
        lay_out_photos(demo, told.append)
        train_subjects(demo, tokenizer_folder(None), console, told.append)
        draw_pictures(demo, console, told.append)
        return answer(demo, measure_gain(demo, console, told.append))

    first = go()
    assert first.startswith("2 photos per class: ")
    assert sum("in prompts: mono-m1 solar cell, poly-m1 solar cell" in text for text in told) == 1
    assert len(list(demo.pictures.glob("*/images/*/*.png"))) == 2 * 2 * TINY.images
    files = {path: path.stat().st_mtime_ns for path in demo.folder.rglob("*.safetensors")}
    told.clear()
    monkeypatch.setattr(steps, "EmbeddedServer", start)
    assert go() == first
    assert "All images are there." in told
    assert files == {path: path.stat().st_mtime_ns for path in files}
    more = replace(demo, size=replace(TINY, images=4))
    with pytest.raises(Started):
        draw_pictures(more, console, told.append)
