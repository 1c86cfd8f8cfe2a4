"""What the fault tests share: a small recipe, a run with scenes, and the whole truth about it."""

import copy
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from manyshot.core.records import image_name, read_records
from manyshot.driver.ledger import Ledger
from manyshot.driver.prepare import prepare
from manyshot.driver.recipe import Recipe, parse_recipe
from manyshot.driver.run import Summary, run
from manyshot.driver.run_progress import RunProgress
from manyshot.driver.take_over import NO_WISHES, Wishes
from manyshot.driver.worker import Worker
from PIL import Image

SIDE = 16
EMPTY = {"width": SIDE, "height": SIDE, "batch_size": 1, "color": 0}
GRAPH: dict[str, Any] = {
    "1": {"class_type": "EmptyImage", "inputs": EMPTY},
    "9": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
}
LIMITS = {"connect": 10, "reply": 30, "stall": 120, "server_gone": 120}
Condition = Callable[[RunProgress, list[Worker]], bool]
Scene = tuple[Condition, Callable[[], object]]


def graph(class_type: str, **inputs: Any) -> dict[str, Any]:
    """EmptyImage, a node of this class with input `value`, SaveImage."""
    nodes = copy.deepcopy(GRAPH)
    nodes["5"] = {"class_type": class_type, "inputs": {"value": ["1", 0], **inputs}}
    nodes["9"]["inputs"]["images"] = ["5", 0]
    return nodes


def slow(seconds: float) -> dict[str, Any]:
    """Like `graph`, with a node that takes so long."""
    return graph("StubSleep", seconds=seconds, interruptible=True)


def colours(
    folder: Path,
    servers: list[Any],
    count: int = 12,
    nodes: dict[str, Any] | None = None,
    timeouts: dict[str, float] | None = None,
    **more: Any,
) -> Recipe:
    """A recipe for `count` pictures, each of one colour: its number."""
    folder.mkdir(parents=True, exist_ok=True)
    workflow = folder / "graph.json"
    workflow.write_text(json.dumps(nodes or GRAPH))
    data = {
        "workflow": str(workflow),
        "output": str(folder / "out"),
        "classes": ["colour"],
        "images_per_class": count,
        "bind": {"EmptyImage.color": "$index"},
        "servers": servers,
        "timeouts": {**LIMITS, **(timeouts or {})},
    }
    return parse_recipe({**data, **more}, "test")


class Scenes:
    """A run.Screen that acts: as soon as the first scene's condition holds its action is done,
    then it waits for the second's, and so on."""

    def __init__(self, *scenes: Scene) -> None:
        self.left = list(scenes)
        self.said: list[str] = []

    def step(self, text: str) -> None:
        self.said.append(text)

    def warn(self, text: str) -> None:
        self.said.append(text)

    def reading(self, read: int, total: int) -> None:
        pass

    def planning(self, read: int, total: int) -> None:
        pass

    @contextmanager
    def watch(self, progress: RunProgress, workers: list[Worker]) -> Iterator[None]:
        over = threading.Event()

        def play() -> None:
            while self.left and not over.wait(0.005):
                if self.left[0][0](progress, workers):
                    self.left.pop(0)[1]()

        thread = threading.Thread(target=play, name="scenes", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def images(count: int) -> Condition:
    """When so many images have been delivered."""
    return lambda progress, _: progress.images >= count


def away(number: int = 0) -> Condition:
    """When the driver has noticed that a server is away."""
    return lambda _, workers: not workers[number].health.up


def drive(recipe: Recipe, *scenes: Scene, wishes: Wishes = NO_WISHES) -> Summary:
    """Run it; every scene must have been played."""
    screen = Scenes(*scenes)
    summary = run(recipe, screen, wishes=wishes)
    assert not screen.left, "the run ended before its scenes did"
    return summary


def is_whole(recipe: Recipe, but: set[int] = frozenset()) -> None:  # type: ignore[assignment]
    """Exactly the planned pictures are there, each with the right pixels, and the ledger and
    metadata.jsonl say the same. Numbers in `but` are those of jobs that failed."""
    folder = recipe.output
    jobs = [job for job in prepare(recipe, None) if job.first_index not in but]
    planned = {image_name(job.class_name, job.id, 0): job.first_index for job in jobs}
    there = {str(p.relative_to(folder)) for p in folder.glob("images/**/*") if p.is_file()}
    assert {name for name in there if not name.endswith(".part")} == set(planned)
    for name, number in planned.items():
        assert pixels(folder / name) == colour(number), name
    assert [record.file_name for record in read_records(folder)] == list(planned)
    ledger = Ledger(folder)  # its lock is free again
    try:
        counts = ledger.counts()
    finally:
        ledger.close()
    assert (counts.done, counts.failed, counts.pending) == (len(planned), len(but), 0)


def pixels(path: Path) -> tuple[tuple[int, int], bytes]:
    with Image.open(path) as image:
        return image.size, image.convert("RGB").tobytes()


def colour(number: int) -> tuple[tuple[int, int], bytes]:
    """What EmptyImage makes of a number."""
    return (SIDE, SIDE), number.to_bytes(3, "big") * (SIDE * SIDE)


def queue(url: str) -> list[str]:
    """Prompt ids that run or wait on a server."""
    answer = requests.get(f"{url}/queue", timeout=30).json()
    return [item[1] for part in ("queue_running", "queue_pending") for item in answer[part]]


def wait_for(condition: Callable[[], bool], seconds: float = 300) -> bool:
    """Whether it comes true within `seconds`."""
    until = time.monotonic() + seconds
    while not (held := condition()) and time.monotonic() < until:
        time.sleep(0.02)
    return held
