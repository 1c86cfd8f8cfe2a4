"""The way of masks to a server: `python benchmarks/uploads.py [how many, 5000 unless given]`.

As many jobs, each with a mask of its own, through the real embedded ComfyUI and a graph that costs
nothing (LoadImage, SaveImageWebsocket). The driver is killed midway (SIGKILL) and run again. A
proxy before the server writes down what is uploaded, by name: none may come twice.
"""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import yaml
from counting_proxy import counted
from manyshot.core.records import read_records
from manyshot.driver.embedded import EmbeddedServer, ServerSettings
from manyshot.driver.ledger import FILE_NAME
from PIL import Image
from rich.console import Console
from rich.table import Table

MASKS = 5000
PHOTOS = 50
SIDE = 128
KILLED_AT = 0.5  # of the masks
COMMAND = "import sys; from manyshot.cli import main; sys.argv[0] = 'manyshot'; main()"
GRAPH = {
    "1": {"class_type": "LoadImage", "inputs": {"image": "example.png"}},
    "9": {"class_type": "SaveImageWebsocket", "inputs": {"images": ["1", 0]}},
}


def main(count: int) -> None:
    """Measure, and print a table."""
    settings = ServerSettings(device="cpu")
    with tempfile.TemporaryDirectory() as place, EmbeddedServer(settings) as server:
        folder = Path(place)
        with counted(server.url, folder / "uploads.txt") as url:
            recipe = written(folder, url, count)
            run_until(recipe, round(KILLED_AT * count))
            before = uploads(folder)
            run_until(recipe, None)
        every, made = uploads(folder), len(list(read_records(folder / "out")))
    sends = Counter(name for name, _ in every)
    rows = [
        ("images made", f"{made:,}"),
        ("masks sent before the kill", f"{len(before):,}, {pace(before):.0f}/s"),
        ("after it", f"{len(every) - len(before):,}, {pace(every[len(before) :]):.0f}/s"),
        ("different ones", f"{len(sends):,}"),
        ("sent twice", f"{sum(often > 1 for often in sends.values()):,}"),
    ]
    table = Table("what", "figure")
    for row in rows:
        table.add_row(*row)
    Console().print(table)
    assert made == sends.total() == len(sends) == count, "not each mask was sent once"


def written(folder: Path, url: str, count: int) -> Path:
    """A recipe for `count` masks, varied from a few photos of noise."""
    rng = np.random.default_rng(0)
    for number in range(PHOTOS):
        labels = np.zeros((SIDE, SIDE), np.uint8)
        top, left = rng.integers(8, 48, 2)
        labels[top : top + 60, left : left + 60] = 255
        labels[top + 2 : top + 58, left + 2 : left + 58] = 1
        for kind, pixels in (("masks", labels), ("images", rng.integers(0, 255, (SIDE, SIDE, 3)))):
            path = folder / "pairs" / kind / "cat" / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels.astype(np.uint8)).save(path)
    (folder / "pairs" / "palette.yaml").write_text(
        "classes: {background: 0, cat: 1}\nignore: 255\n"
    )
    (folder / "graph.json").write_text(json.dumps(GRAPH))
    recipe = {
        "workflow": str(folder / "graph.json"),
        "output": str(folder / "out"),
        "images_per_class": count,
        "pairs": {"folder": str(folder / "pairs"), "vary": True, "border": 2},
        "bind": {"LoadImage.image": "$control"},
        "servers": [url],
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    return folder / "recipe.yaml"


def run_until(recipe: Path, enough: int | None) -> None:
    """`manyshot run`, killed when so many jobs are done; None: to its end."""
    command = [sys.executable, "-c", COMMAND, "run", str(recipe)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    while process.poll() is None:
        if enough is not None and done(recipe.parent / "out") >= enough:
            os.killpg(process.pid, signal.SIGKILL)
        time.sleep(0.05)
    assert process.returncode == (0 if enough is None else -signal.SIGKILL)


def done(folder: Path) -> int:
    """How many jobs the ledger has as done."""
    try:
        db = sqlite3.connect(f"{(folder / FILE_NAME).resolve().as_uri()}?mode=ro", uri=True)
        try:
            return db.execute("SELECT count(*) FROM jobs WHERE state = 1").fetchone()[0]
        finally:
            db.close()
    except sqlite3.OperationalError:  # not there yet
        return 0


def uploads(folder: Path) -> list[tuple[str, float]]:
    """Name and time of each upload that the proxy has seen."""
    rows = (line.split() for line in (folder / "uploads.txt").read_text().splitlines())
    return [(name, float(when)) for name, when in rows]


def pace(sent: list[tuple[str, float]]) -> float:
    """Uploads a second, from the first to the last."""
    return (len(sent) - 1) / (sent[-1][1] - sent[0][1])


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else MASKS)
