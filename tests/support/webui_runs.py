"""What the tests of WebUIs share: a small recipe, and the whole truth about what it must give."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from manyshot.core.records import image_name, read_records
from manyshot.driver.ledger import Ledger
from manyshot.driver.prepare import prepare
from manyshot.driver.recipe import Recipe, parse_recipe
from PIL import Image

from ..fault_webui import Checkpoint, Fault, FaultWebui, Installed
from ..fault_webui.faults import What
from .fault_runs import LIMITS, Condition, drive

SIDE = 64
SETTINGS: dict[str, Any] = {
    "checkpoint": "tiny",
    "sampler": "DPM++ 2M",
    "scheduler": "Karras",
    "steps": 4,
    "width": SIDE,
    "height": SIDE,
}
BOTH = Installed(checkpoints=(Checkpoint("tiny.safetensors"), Checkpoint("other.safetensors")))


def cats(
    folder: Path,
    servers: list[Any],
    count: int = 6,
    settings: dict[str, Any] | None = None,
    timeouts: dict[str, float] | None = None,
    **more: Any,
) -> Recipe:
    """A recipe for `count` images; `settings` are those of `webui`. A server may be a stand-in."""
    folder.mkdir(parents=True, exist_ok=True)
    data = {
        "output": str(folder / "out"),
        "classes": ["cat"],
        "images_per_class": count,
        "seed": 0,
        "webui": {**SETTINGS, **(settings or {})},
        "servers": [one.webui_url if isinstance(one, FaultWebui) else one for one in servers],
        "timeouts": {**LIMITS, **(timeouts or {})},
    }
    return parse_recipe({**data, **more}, "test")


def control_unit(**more: Any) -> dict[str, Any]:
    """A ControlNet unit of the settings, with a red picture."""
    return {"model": "tiny_seg", "image": {"file": str(red_picture())}, **more}


@cache
def red_picture() -> Path:
    path = Path(tempfile.mkdtemp(prefix="manyshot-test-")) / "red.png"
    Image.new("RGB", (SIDE, SIDE), "red").save(path)
    return path


@contextmanager
def broken(what: What, installed: Installed = BOTH, **how: Any) -> Iterator[FaultWebui]:
    """A stand-in with one fault."""
    with FaultWebui(installed=installed) as webui:
        webui.breaks(Fault(what, **how))
        yield webui


def dead(webui: FaultWebui, number: int = 0) -> Condition:
    """When it is dead, and the driver has noticed that the server `number` is away."""
    return lambda _, workers: webui.away and not workers[number].health.up


def given_up(webui: FaultWebui, jobs: int) -> Condition:
    """When so many jobs were begun there, and the driver has set the server aside."""
    return lambda _, workers: len(webui.diary.begun) >= jobs and not workers[0].health.up


def files(recipe: Recipe) -> dict[str, bytes]:
    """Name -> content of the images that are there."""
    folder = recipe.output
    found = (path for path in folder.glob("images/**/*") if path.suffix == ".png")
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(found)}


def is_whole(recipe: Recipe, failed: int = 0) -> None:
    """Exactly the planned images are there, but for those of `failed` jobs, each as a WebUI
    without a fault draws it; the ledger and metadata.jsonl say the same."""
    there = files(recipe)
    jobs = list(prepare(recipe, None))
    planned = [image_name(job.class_name, job.id, n) for job in jobs for n in range(job.images)]
    assert set(there) <= set(planned)
    assert [record.file_name for record in read_records(recipe.output)] == [
        name for name in planned if name in there
    ]
    ledger = Ledger(recipe.output)  # its lock is free again
    try:
        counts = ledger.counts()
    finally:
        ledger.close()
    assert (counts.done, counts.failed, counts.pending) == (len(jobs) - failed, failed, 0)
    right = truth(recipe)
    assert there == {name: right[name] for name in there}
    assert len(there) == len(planned) - failed * (jobs[0].images if jobs else 1)


def truth(recipe: Recipe) -> dict[str, bytes]:
    """The images of the same recipe from a WebUI without a fault."""
    with FaultWebui(installed=BOTH) as webui:
        again = recipe.model_copy(
            update={
                "output": recipe.output.parent / "truth",
                "servers": parse_recipe(
                    {"output": "x", "webui": {}, "servers": [webui.webui_url]}, "test"
                ).servers,
            }
        )
        assert drive(again).exit_code == 0
        return files(again)
