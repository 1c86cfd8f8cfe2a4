"""Pictures drawn for jobs, through a real ComfyUI: each goes there once, and what comes back is
kept with its label mask."""

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from manyshot.core.data.labelled_image import read_pair
from manyshot.core.data.reader import read_folder
from manyshot.core.masks.control import draw_control
from manyshot.core.masks.labelled_png import read_labelled
from manyshot.core.masks.objects import object_facts
from manyshot.core.masks.scene import augment_scene
from manyshot.core.masks.variation import Variation
from manyshot.core.records import read_records
from manyshot.driver.embedded import EmbeddedServer
from manyshot.driver.prepare import prepare
from manyshot.driver.recipe import Recipe, parse_recipe
from manyshot.driver.take_over import Wishes
from PIL import Image

from ..support.fault_processes import done, start_driver
from ..support.fault_proxy import FaultProxy, Reply, Rule
from ..support.fault_runs import LIMITS, Scene, away, drive, images, wait_for
from ..support.pair_folders import write_pairs

pytestmark = pytest.mark.server
EACH = 25
COUNT = 2 * EACH
GRAPH = {
    "1": {"class_type": "LoadImage", "inputs": {"image": "example.png"}},
    "5": {"class_type": "StubSleep",
          "inputs": {"value": ["1", 0], "seconds": 0.01, "interruptible": True}},
    "9": {"class_type": "SaveImage", "inputs": {"images": ["5", 0], "filename_prefix": "x"}},
}  # fmt: skip

OWN = {
    "1": {"class_type": "ManyshotLoadLabelled", "inputs": {
        "folder": "nowhere", "layout": "auto", "first": 0, "count": 1, "times": 1}},
    "2": {"class_type": "ManyshotMaskPrompts", "inputs": {
        "mask": ["1", 1], "mask_classes": ["1", 2], "class_name": ["1", 3], "seed": 0,
        "templates": "{classes}", "contexts": "", "lists": "", "negative": "", "words": ""}},
    "3": {"class_type": "ManyshotVaryMask", "inputs": {
        "mask": ["1", 1], "mask_classes": ["1", 2], "image": ["1", 0], "width": 48, "height": 32,
        "seed": 0, "flip": 0.5, "rotate": 15.0, "scale_from": 0.8, "scale_to": 1.25,
        "shift": 0.1, "shear": 5.0, "crop": 1.0, "visible": 0.7, "cover": True, "border": 1}},
    "4": {"class_type": "ManyshotMaskToControl", "inputs": {
        "mask": ["3", 0], "mask_classes": ["1", 2], "palette": "own", "table": ""}},
    "5": {"class_type": "ManyshotSaveLabelled", "inputs": {
        "images": ["4", 0], "mask": ["3", 0], "mask_classes": ["1", 2], "class_name": ["2", 2],
        "prompt": ["2", 0], "negative": ["2", 1], "seed": ["2", 3], "folder": "x", "name": "",
        "delivery": "folder"}},
}  # fmt: skip


@pytest.fixture
def input_folder(comfyui: EmbeddedServer) -> Iterator[Path]:
    """Where the server keeps uploads; empty before and after."""
    folder = comfyui.folder / "input" / "manyshot"
    shutil.rmtree(folder, ignore_errors=True)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def proxy(comfyui: EmbeddedServer) -> Iterator[FaultProxy]:
    with FaultProxy(comfyui.url) as proxy:
        yield proxy


@pytest.fixture
def uploads(proxy: FaultProxy) -> Rule:
    """Counts every upload that reaches the server."""
    return proxy.on("/upload/image")


@pytest.fixture
def recipe(tmp_path: Path, proxy: FaultProxy, input_folder: Path) -> Recipe:
    return recipe_in(tmp_path, proxy)


def recipe_in(folder: Path, proxy: FaultProxy) -> Recipe:
    folder.mkdir(exist_ok=True)
    (folder / "graph.json").write_text(json.dumps(GRAPH))
    data = {
        "workflow": str(folder / "graph.json"),
        "output": str(folder / "out"),
        "images_per_class": EACH,
        "pairs": {"folder": str(write_pairs(folder / "pairs")), "vary": True, "border": 1},
        "bind": {"LoadImage.image": "$control"},
        "servers": [proxy.url],
        "timeouts": LIMITS,
    }
    return parse_recipe(data, "test")


def is_whole(recipe: Recipe) -> None:
    """Every job's image is the control that was drawn for it, and its mask is true."""
    plan, records = prepare(recipe, None), list(read_records(recipe.output))
    jobs = list(plan)
    assert len(records) == len(jobs) == COUNT
    for job, record in zip(jobs, records, strict=True):
        made = plan.graphs.render_inputs(job)
        assert made is not None
        assert made.mask is not None
        control = np.asarray(Image.open(io.BytesIO(made.files["control"])))
        shown = np.asarray(Image.open(recipe.output / record.file_name).convert("RGB"))
        assert (shown == control).all()
        mask = read_labelled(recipe.output / str(record.mask_file_name))
        assert mask is not None
        assert (mask.labels == made.mask.labels).all()
        assert record.objects == object_facts(mask)
        assert Path(str(record.source_image)).name == Path(job.pairs[0]).name


def test_each_picture_is_sent_once_whatever_is_made_again(
    recipe: Recipe, tmp_path: Path, proxy: FaultProxy, uploads: Rule
) -> None:
    assert drive(recipe).exit_code == 0
    is_whole(recipe)
    assert uploads.hits == COUNT
    for path in list(recipe.output.glob("images/*/*.png"))[:20]:
        path.unlink()
    assert drive(recipe, wishes=Wishes(redraw=True)).taken.opened == 20
    other = recipe_in(tmp_path / "other", proxy)
    assert drive(other).exit_code == 0
    is_whole(recipe)
    is_whole(other)
    assert uploads.hits == COUNT


@pytest.fixture
def stored(proxy: FaultProxy) -> list[str]:
    """The names that the server answered to uploads, as they come."""
    names: list[str] = []

    def note(reply: bytes) -> bytes:
        names.append(json.loads(reply)["name"])
        return reply

    proxy.on("/upload/image", change=note)
    return names


def test_after_a_kill_no_stored_picture_is_sent_again(recipe: Recipe, stored: list[str]) -> None:
    """An upload that the kill cuts off is not stored and may be sent again."""
    for enough in (10, 30):
        with start_driver(recipe) as driver:
            assert wait_for(lambda enough=enough: done(recipe) >= enough)
            driver.kill()
    assert drive(recipe).exit_code == 0
    is_whole(recipe)
    assert len(stored) == len(set(stored)) >= COUNT - 2  # a kill may hide a reply


def test_a_server_that_comes_back_with_an_empty_disk_gets_them_again(
    recipe: Recipe, proxy: FaultProxy, input_folder: Path, uploads: Rule
) -> None:
    def restart() -> None:
        shutil.rmtree(input_folder)
        proxy.come_back()

    scenes: list[Scene] = [(images(10), proxy.go_away), (away(), restart)]
    assert drive(recipe, *scenes).exit_code == 0
    is_whole(recipe)
    assert COUNT <= uploads.hits <= COUNT + 12


def test_pictures_that_vanish_unseen_are_sent_again(
    recipe: Recipe, proxy: FaultProxy, input_folder: Path
) -> None:
    def empty(reply: bytes) -> bytes:
        for path in input_folder.iterdir():
            path.unlink()
        return reply

    proxy.on("/upload/image", times=20)
    vanished = proxy.on("/upload/image", times=5, change=empty)
    summary = drive(recipe)
    assert (summary.exit_code, vanished.hits) == (0, 5)
    assert summary.progress.tries["connection"] >= 5
    is_whole(recipe)


def test_a_proxy_that_hides_what_is_there_costs_uploads_and_nothing_else(
    recipe: Recipe, proxy: FaultProxy, uploads: Rule
) -> None:
    proxy.on("/view", "HEAD", instead=Reply(405))
    assert drive(recipe).exit_code == 0
    is_whole(recipe)
    assert uploads.hits == COUNT


@pytest.mark.parametrize("transport", ["websocket", "view"])
def test_masks_that_the_server_varied_are_those_kept(
    recipe: Recipe, tmp_path: Path, transport: str
) -> None:
    (tmp_path / "graph.json").write_text(json.dumps(OWN))
    pairs = recipe.pairs and recipe.pairs.model_copy(update={"vary": None, "border": None})
    changes = {"pairs": pairs, "bind": {}, "images_per_class": 3, "transport": transport}
    recipe = recipe.model_copy(update=changes)
    assert drive(recipe).exit_code == 0
    photos = {str(pair.image): pair for pair in read_folder(tmp_path / "pairs")}
    records = list(read_records(recipe.output))
    assert len(records) == 6
    for record in records:
        pair = photos[str(record.source_image)]
        assert record.seed is not None
        wanted, _ = augment_scene(read_pair(pair), Variation(cover=True), record.seed, (32, 48), 1)
        mask = read_labelled(recipe.output / str(record.mask_file_name))
        assert mask is not None
        assert (mask.classes, mask.visible_classes()) == (
            wanted.mask.classes,
            wanted.mask.visible_classes(),
        )
        assert record.prompt is None  # only Save Labelled takes it
        assert (mask.labels == wanted.mask.labels).all()
        assert record.objects == object_facts(mask)
        shown = np.asarray(Image.open(recipe.output / record.file_name).convert("RGB"))
        assert (shown == draw_control(mask)).all()
