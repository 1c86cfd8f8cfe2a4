"""The driver beside a plain script, on one WebUI:
`python benchmarks/webui.py http://127.0.0.1:7860 manyshot-tiny [images, 16 unless given]`.

The script is what people write: requests in a loop, base64 to a file. It checks nothing, remembers
nothing and cannot go on. The driver makes the same images with the same requests, one by one and
in batches (`batch_size` of the recipe). All take turns on one server, every second round in reverse
order. Each ratio is that of a round, in which both ran one after the other, and the median over the
rounds; times are from the first job to the last file. The images of both are held against each
other: they must be equal to the last bit.
"""

import base64
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import requests
from manyshot.core.records import image_name
from manyshot.driver.prepare import prepare
from manyshot.driver.recipe import Recipe, parse_recipe
from manyshot.driver.run import run
from manyshot.driver.targets.webui.requests import find_requests
from PIL import Image
from quiet import Quiet
from rich.console import Console
from rich.table import Table

ROUNDS = 7
IMAGES = 16
BATCHES = (1, 4, 8)
SIDE = 128
SETTINGS = {"sampler": "Euler", "scheduler": "Automatic", "steps": 20, "cfg_scale": 7.0}
Pixels = dict[str, bytes]


@dataclass(frozen=True)
class Task:
    """So many images of one prompt, `batch` in a request."""

    url: str
    checkpoint: str
    images: int
    batch: int
    folder: Path

    def recipe(self) -> Recipe:
        wanted = {
            "output": str(self.folder / "set"),
            "classes": ["cat"],
            "images_per_class": self.images,
            "batch_size": self.batch,
            "seed": 0,
            "webui": {"checkpoint": self.checkpoint, "width": SIDE, "height": SIDE, **SETTINGS},
            "servers": [f"webui+{self.url}"],
        }
        return parse_recipe(wanted, "benchmark")


@dataclass(frozen=True)
class Took:
    """Seconds from the first job to the last file, those of the whole call, and the images."""

    seconds: float
    whole: float
    drawn: Pixels


def driven(task: Task) -> Took:
    recipe = task.recipe()
    started = time.monotonic()
    summary = run(recipe, Quiet())
    whole = time.monotonic() - started
    assert summary.exit_code == 0, summary
    return Took(summary.seconds, whole, taken_from(recipe.output))


def scripted(task: Task) -> Took:
    """The same requests as the driver's."""
    plan = prepare(task.recipe(), None)
    asked = [(job, find_requests(plan).request(job).payload) for job in plan]
    out = task.folder / "raw"
    (out / "images" / "cat").mkdir(parents=True)
    started = time.monotonic()
    with requests.Session() as session:
        for job, payload in asked:
            reply = session.post(f"{task.url}/sdapi/v1/txt2img", json=payload, timeout=3600)
            reply.raise_for_status()
            for number, text in enumerate(reply.json()["images"]):
                path = out / image_name("cat", job.id, number)
                path.write_bytes(base64.b64decode(text))
    seconds = time.monotonic() - started
    return Took(seconds, seconds, taken_from(out))


def taken_from(folder: Path) -> Pixels:
    """File name -> pixels of every image below `folder`, which is removed."""
    paths = sorted(folder.glob("images/**/*.png"))
    pixels = {path.name: Image.open(path).convert("RGB").tobytes() for path in paths}
    shutil.rmtree(folder)
    return pixels


def in_turns(rivals: dict[str, Callable[[], Took]], console: Console) -> dict[str, list[Took]]:
    taken: dict[str, list[Took]] = {name: [] for name in rivals}
    for number in range(ROUNDS):
        for name in list(rivals)[:: -1 if number % 2 else 1]:
            taken[name].append(rivals[name]())
            console.print(f"round {number + 1}: {name}: {taken[name][-1].seconds:.2f} s")
    return taken


def main(url: str, checkpoint: str, images: int) -> None:
    """Measure, and print a table."""
    console = Console()
    with tempfile.TemporaryDirectory() as place:
        rivals: dict[str, Callable[[], Took]] = {}
        for batch in BATCHES:
            task = Task(url, checkpoint, images, batch, Path(place))
            rivals[f"script, batches of {batch}"] = lambda task=task: scripted(task)
            rivals[f"driver, batches of {batch}"] = lambda task=task: driven(task)
        scripted(Task(url, checkpoint, 1, 1, Path(place)))  # loads what there is to load
        taken = in_turns(rivals, console)
    console.print(shown(taken, images))


def shown(taken: dict[str, list[Took]], images: int) -> Table:
    """Each beside the script of its batch size, and beside the one of single images."""
    plain = next(iter(taken))
    table = Table(
        "what",
        "images/s",
        "to the same script",
        "to single images",
        "before and after",
        "same images",
    )
    for name, all_ in taken.items():
        rival = taken[name.replace("driver", "script")]
        table.add_row(
            name,
            f"{images / median(one.seconds for one in all_):.2f}",
            f"{faster(all_, rival):.2f} x",
            f"{faster(all_, taken[plain]):.2f} x",
            f"{median(one.whole - one.seconds for one in all_):.2f} s",
            "yes" if all(one.drawn == rival[0].drawn for one in all_) else "NO",
        )
    return table


def faster(all_: list[Took], rival: list[Took]) -> float:
    """How much faster than the rival: the median over the rounds."""
    pairs = zip(all_, rival, strict=True)
    return median(other.seconds / one.seconds for one, other in pairs)


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"), sys.argv[2], int(sys.argv[3]) if sys.argv[3:] else IMAGES)
