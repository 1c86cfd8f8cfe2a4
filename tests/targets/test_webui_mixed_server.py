"""One recipe for a real ComfyUI and for WebUIs, with its own model: the dataset is one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from manyshot.core.records import image_name, read_records
from manyshot.driver.embedded import EmbeddedServer
from manyshot.driver.prepare import prepare
from manyshot.driver.recipe import Recipe, parse_recipe
from manyshot.driver.run import Summary
from PIL import Image

from ..fault_webui import Checkpoint, Fault, FaultWebui, Installed
from ..support.fault_proxy import FaultProxy
from ..support.fault_runs import LIMITS, Condition, drive

pytestmark = [pytest.mark.server, pytest.mark.usefixtures("hasty")]
TINY = Installed(checkpoints=(Checkpoint("manyshot-tiny.safetensors"),))
SIDE = 64
CLASSES = ["Beagle", "Birman"]


@pytest.fixture
def proxy(comfyui: EmbeddedServer) -> Iterator[FaultProxy]:
    with FaultProxy(comfyui.url) as proxy:
        yield proxy


@pytest.fixture
def webui() -> Iterator[FaultWebui]:
    with FaultWebui(installed=TINY) as webui:
        webui.breaks(Fault("slow", times=None, amount=0.3))  # about as slow as the real one
        yield webui


def breeds(folder: Path, servers: list[str], count: int = 5, **more: Any) -> Recipe:
    data = {
        "workflow": "class_prompts",
        "output": str(folder / "out"),
        "classes": CLASSES,
        "images_per_class": count,
        "seed": 0,
        "bind": {"Sampler.steps": 1, "Image Size.width": SIDE, "Image Size.height": SIDE},
        "servers": servers,
        "timeouts": LIMITS,
    }
    return parse_recipe({**data, **more}, "test")


def is_one_dataset(recipe: Recipe) -> None:
    """Exactly the planned images, each of the planned size, with one record each."""
    planned = [
        image_name(job.class_name, job.id, number)
        for job in prepare(recipe, None)
        for number in range(job.images)
    ]
    there = [path for path in recipe.output.glob("images/**/*") if path.is_file()]
    assert {str(path.relative_to(recipe.output)) for path in there} == set(planned)
    assert [record.file_name for record in read_records(recipe.output)] == planned
    for path in there:
        with Image.open(path) as image:
            image.load()
            assert image.size == (SIDE, SIDE)


def shares(summary: Summary, *names: str) -> list[int]:
    servers = summary.progress.servers
    return [servers[name].images if name in servers else 0 for name in names]


def drawn_by(name: str, images: int) -> Condition:
    """When a server has delivered so many images."""
    return lambda progress, _: name in progress.servers and progress.servers[name].images >= images


def test_both_draw(tmp_path: Path, comfyui: EmbeddedServer, webui: FaultWebui) -> None:
    recipe = breeds(tmp_path, [comfyui.url, webui.webui_url])
    summary = drive(recipe)
    assert (summary.exit_code, summary.failures, dict(summary.progress.tries)) == (0, [], {})
    assert min(shares(summary, comfyui.url, webui.url)) >= 1
    is_one_dataset(recipe)


def test_each_alone_plans_the_same(
    tmp_path: Path, comfyui: EmbeddedServer, webui: FaultWebui
) -> None:
    """The ids follow from the recipe, not from who draws: what one has begun the other ends."""
    webui.works()
    recipe = breeds(tmp_path, [comfyui.url], 2)
    assert drive(recipe).progress.images == 4
    again = breeds(tmp_path, [webui.webui_url], 2)
    assert drive(again).progress.images == 0
    assert webui.diary.begun == []


def test_the_comfyui_is_lost(tmp_path: Path, proxy: FaultProxy, webui: FaultWebui) -> None:
    recipe = breeds(tmp_path, [proxy.url, webui.webui_url])
    summary = drive(recipe, (drawn_by(proxy.url, 2), proxy.go_away))
    assert (summary.exit_code, summary.failures) == (0, [])
    assert summary.seconds < 60  # not timeouts.server_gone, which is 120
    assert webui.diary.drawn_twice() == []
    is_one_dataset(recipe)


def test_the_webui_is_lost(tmp_path: Path, comfyui: EmbeddedServer, webui: FaultWebui) -> None:
    recipe = breeds(tmp_path, [comfyui.url, webui.webui_url])
    summary = drive(recipe, (drawn_by(webui.url, 1), webui.go_away))
    assert (summary.exit_code, summary.failures) == (0, [])
    assert sum(shares(summary, comfyui.url, webui.url)) == 10
    is_one_dataset(recipe)


def test_one_of_two_webuis_is_lost(
    tmp_path: Path, comfyui: EmbeddedServer, webui: FaultWebui
) -> None:
    with FaultWebui("1.8.0", TINY) as old:
        urls = [comfyui.url, webui.webui_url, old.webui_url]
        recipe = breeds(tmp_path, urls, 10, batch_size=2)
        summary = drive(recipe, (drawn_by(old.url, 2), old.go_away))
        assert (summary.exit_code, summary.failures) == (0, [])
        both = webui.diary.images() + old.diary.images()
        twice = len(both) - len({image.seed for image in both})
        assert twice <= 2  # the batch whose reply was on its way
    is_one_dataset(recipe)


def test_a_restart_of_everything(tmp_path: Path, proxy: FaultProxy, webui: FaultWebui) -> None:
    recipe = breeds(tmp_path, [proxy.url, webui.webui_url])

    def restart() -> None:
        for one in (proxy, webui):
            one.go_away()
            one.come_back()

    summary = drive(recipe, (drawn_by(webui.url, 1), restart))
    assert (summary.exit_code, summary.failures) == (0, [])
    is_one_dataset(recipe)
