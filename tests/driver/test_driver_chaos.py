"""kill -9 at random instants, of the driver and of the server: in the end the dataset is that of an
uninterrupted run.

MANYSHOT_CHAOS sets the number of kills of each kind (20 for the full proof); MANYSHOT_CHAOS_SEED
makes other instants.
"""

import logging
import os
import random
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from manyshot.core.records import Record, read_records
from manyshot.driver.embedded import EmbeddedServer
from manyshot.driver.recipe import Recipe

from ..support.fault_processes import done, start_driver
from ..support.fault_runs import (
    Scene,
    away,
    colours,
    drive,
    images,
    is_whole,
    pixels,
    queue,
    slow,
    wait_for,
)

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(1800)]
log = logging.getLogger(__name__)
SEED = int(os.environ.get("MANYSHOT_CHAOS_SEED", "7"))
TRANSPORTS = ("websocket", "view")


def kills(default: int) -> int:
    return int(os.environ.get("MANYSHOT_CHAOS", default))


def content(recipe: Recipe) -> dict[str, object]:
    """Every picture that a reader of the folder would find, as pixels."""
    folder = recipe.output
    return {str(p.relative_to(folder)): pixels(p) for p in folder.glob("images/**/*.png")}


def is_the_same(recipe: Recipe, uninterrupted: Recipe) -> None:
    is_whole(recipe)
    assert content(recipe) == content(uninterrupted)
    assert records(recipe) == records(uninterrupted)


def records(recipe: Recipe) -> list[Record]:
    """Without sha256: the pixels are the same, and a file that was fetched says more than one
    that came over the websocket."""
    found = read_records(recipe.output)
    return [record.model_copy(update={"sha256": None}) for record in found]


def test_the_driver_is_killed_again_and_again(tmp_path: Path, comfyui: EmbeddedServer) -> None:
    """Each life has another transport; it ends after a few more pictures, or before the first."""
    dice, number, nodes = random.Random(SEED), kills(8), slow(0.01)
    count = 40 + 12 * number
    uninterrupted = colours(tmp_path / "uninterrupted", [comfyui.url], count, nodes)
    assert drive(uninterrupted).exit_code == 0
    recipes = [
        colours(tmp_path / "killed", [comfyui.url], count, nodes, transport=transport)
        for transport in TRANSPORTS
    ]
    killed, recipe = 0, recipes[0]
    for life in range(number):
        recipe = recipes[life % 2]
        killed += lives_for_a_while(recipe, dice)
        assert len(content(recipe)) >= done(recipe)  # the ledger is never ahead of the folder
    log.info("driver: killed %d times, %d of %d done by then", killed, done(recipe), count)
    assert killed > number // 2
    assert wait_for(lambda: queue(comfyui.url) == [])
    assert drive(recipe).exit_code == 0
    is_the_same(recipe, uninterrupted)


def lives_for_a_while(recipe: Recipe, dice: random.Random) -> bool:
    """Whether the driver was killed (rather than done before)."""
    more, until = dice.choice([0, 0, 1, 2, 4, 8, 16]), done(recipe)
    with start_driver(recipe) as driver:
        if more:
            assert wait_for(lambda: done(recipe) >= until + more or driver.poll() is not None)
        time.sleep(dice.uniform(0, 0.05 if more else 1.5))  # where in a step, or in the start
        ended = driver.poll() is not None
        driver.kill()
    return not ended


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_server_is_killed_again_and_again(
    tmp_path: Path, comfyui: EmbeddedServer, transport: str
) -> None:
    dice, number, nodes = random.Random(SEED), kills(2) // 2, slow(0.03)
    count = 40 + 12 * number
    uninterrupted = colours(tmp_path / "uninterrupted", [comfyui.url], count, nodes)
    assert drive(uninterrupted).exit_code == 0

    def kill() -> None:
        time.sleep(dice.uniform(0, 0.2))
        comfyui.kill()

    scenes: list[Scene] = []
    for at in sorted(dice.sample(range(1, count - 20), number)):
        scenes += [(images(at), kill), (away(), comfyui.restart)]
    recipe = colours(tmp_path / "killed", [comfyui.url], count, nodes, transport=transport)
    summary = drive(recipe, *scenes)
    log.info("server: killed %d times; tried again: %s", number, dict(summary.progress.tries))
    assert summary.exit_code == 0
    is_the_same(recipe, uninterrupted)
    assert queue(comfyui.url) == []


def test_the_embedded_server_is_killed_then_its_driver(tmp_path: Path) -> None:
    """The driver starts its own server anew; killed itself, it leaves no process behind."""
    recipe = colours(tmp_path, ["embedded"], 500)
    with start_driver(recipe) as driver:
        assert wait_for(lambda: done(recipe) >= 5, 120)
        [server] = comfyui_of(driver.pid)
        server.kill()
        before = done(recipe)
        assert wait_for(lambda: done(recipe) >= before + 30, 120)
        family = psutil.Process(driver.pid).children(recursive=True)
        assert comfyui_of(driver.pid) != [server]
        driver.kill()
        driver.wait()
    assert wait_for(lambda: not any(runs(process) for process in family))
    with start_driver(recipe) as driver:
        family = []
        assert wait_for(lambda: bool(comfyui_of(driver.pid)), 120)
        family = psutil.Process(driver.pid).children(recursive=True)
        said, _ = driver.communicate(timeout=300)
    assert driver.returncode == 0, said
    assert not any(runs(process) for process in family)
    is_whole(recipe)


def comfyui_of(pid: int) -> list[psutil.Process]:
    """The ComfyUI processes below a driver."""
    found = []
    for process in psutil.Process(pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it ended meanwhile, or is a dead one's remains
            found += [process] if "main.py" in " ".join(process.cmdline()[:2]) else []
    return found


def runs(process: psutil.Process) -> bool:
    """Whether more than an exit code is left of it."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
