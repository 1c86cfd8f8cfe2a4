"""The commands that faults are tried on: their inputs, arguments, and all that they leave."""

import json
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from manyshot.core.masks.label_mask import LabelMask
from manyshot.core.masks.labelled_png import encode_png
from manyshot.core.records import METADATA, Record
from manyshot.driver import run as run_module
from manyshot.driver.dataset import FILE_NAME as LOG
from manyshot.driver.dispatch import BACKOFF
from manyshot.driver.health import Health
from manyshot.driver.job import Delivery, Job
from manyshot.driver.ledger import FILE_NAME
from PIL import Image

from .fault_runs import graph

Outcome = Mapping[str, object]
"""What a folder holds: relative path -> what must be equal."""
TIMES = re.compile(rb'seconds\\*": ?[0-9.e-]+|Computing time[^0-9]{0,60}[0-9.:]+( s)?| +|--+')
"""In results, headers and tables, with the widths of columns, which times decide."""


@dataclass(frozen=True)
class Command:
    """`prepare` lays its inputs out in a folder; `stubs` stands in for what takes long; `then`:
    what is run after it, before what is there is compared."""

    name: str
    prepare: Callable[[Path], None]
    arguments: Callable[[Path], list[str]]
    outcome: Callable[[Path], Outcome]
    stubs: Callable[[], AbstractContextManager[None]] = nullcontext
    then: Callable[[Path], list[str]] | None = None


def everything(folder: Path) -> Outcome:
    """Every file; of ledgers their rows, of results all but times. Locks and logs may differ."""
    return {
        path.relative_to(folder).as_posix(): _content(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith((".lock", "-wal", "-shm")) and path.name != LOG
    }


def _content(path: Path) -> object:
    if path.name == FILE_NAME:
        return ledger_rows(path)
    if path.suffix in (".json", ".html", ".md"):
        return TIMES.sub(b"", path.read_bytes())
    if path.suffix == ".safetensors":
        return _tensors(path)
    return path.read_bytes()


def _tensors(path: Path) -> object:
    from safetensors import safe_open

    with safe_open(path, "np") as file:
        facts = {k: v for k, v in (file.metadata() or {}).items() if "seconds" not in k}
        tensors = {key: file.get_tensor(key).tobytes() for key in file.keys()}  # noqa: SIM118
    return TIMES.sub(b"", json.dumps(facts, sort_keys=True).encode()), tensors


def ledger_rows(path: Path) -> object:
    """The rows that say what is there; not how long it took, nor how often plans were taken."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as db:
        jobs = db.execute("SELECT id, seq, state, images, masks, server, job FROM jobs ORDER BY id")
        return jobs.fetchall(), db.execute("SELECT * FROM rejected ORDER BY 1, 2").fetchall()
    return None


# --- run ---


def prepare_run(folder: Path) -> None:
    (folder / "graph.json").write_text(json.dumps(graph("StubDraw", text="")))
    recipe = {
        "workflow": str(folder / "graph.json"),
        "output": "out",
        "classes": ["left", "right"],
        "images_per_class": 2,
        "bind": {"EmptyImage.color": "$index", "StubDraw.text": "$prompt"},
        "servers": ["http://127.0.0.1:1"],
    }
    _write_recipe(folder, recipe, ("workflow", "output"))


def _write_recipe(folder: Path, recipe: Mapping[str, Any], paths: tuple[str, ...]) -> None:
    """With paths as they are once the inputs are copied to their place."""
    place = folder.with_name(folder.name.removesuffix("-inputs"))
    placed = {key: str(place / Path(recipe[key]).name) for key in paths}
    (folder / "recipe.yaml").write_text(yaml.safe_dump({**recipe, **placed}))


@contextmanager
def drawing_stub() -> Iterator[None]:
    """A server without sockets, which draws at once; runs wait for nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_module, "open_servers", _servers)
        patch.setattr("manyshot.driver.worker.TICK", 0.005)
        for kind in BACKOFF:
            patch.setitem(BACKOFF, kind, 0.0)
        yield


@contextmanager
def _servers(*_: Any) -> Iterator[list["StubServer"]]:
    yield [StubServer()]


class StubServer:
    """A `target.Server` whose images and masks are known by the job's id."""

    name, reached, problem, catalogue = "stub", True, None, None

    def check(self, plan: Any) -> None:
        pass

    def facts(self, plan: Any) -> dict[str, Any]:
        return {"name": self.name}

    def backend(self, plan: Any) -> "StubBackend":
        return StubBackend()

    def close(self) -> None:
        pass


class StubBackend:
    name, in_flight = "stub", 1

    def __init__(self) -> None:
        self.health = Health(lambda: None)

    def start(self) -> None:
        self.health.start()

    def draw(self, job: Job, made: object) -> Job:
        return job

    def collect(self, job: Job) -> Delivery:
        image, mask = drawn(job.first_index)
        return Delivery((image,), (mask,), ([],))

    def relieve(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def close(self) -> None:
        pass


def drawn(number: int) -> tuple[bytes, bytes]:
    """The PNG files of an image and its mask."""
    return PICTURES[number % len(PICTURES)]


def _picture(number: int) -> tuple[bytes, bytes]:
    file, mask = BytesIO(), np.zeros((8, 8), np.uint8)
    mask[number % 4 : 6, 2:5] = 1
    Image.new("RGB", (8, 8), (number * 20, 90, 200)).save(file, "PNG")
    return file.getvalue(), encode_png(LabelMask(mask, ("background", "thing")))


PICTURES = [_picture(number) for number in range(8)]

RUN = Command(
    "run",
    prepare_run,
    lambda folder: ["run", str(folder / "recipe.yaml")],
    everything,
    drawing_stub,
)

# --- commands on a dataset folder ---


def prepare_dataset(folder: Path) -> None:
    """As a run leaves it, of another place."""
    from .nth_fault import invoke

    prepare_run(folder)
    place = folder.with_name(folder.name.removesuffix("-inputs"))
    shutil.copytree(folder, place, dirs_exist_ok=True)
    with drawing_stub():
        assert invoke(["run", str(place / "recipe.yaml")]).code == 0
    shutil.copytree(place, folder, dirs_exist_ok=True)


def _reject(folder: Path) -> list[str]:
    image = sorted((folder / "out" / "images" / "left").glob("*.png"))[0]
    return ["reject", str(folder / "out"), str(image), "--reason", "blurred"]


def prepare_damaged(folder: Path) -> None:
    """A dataset folder without its ledger, and with a damaged image."""
    prepare_dataset(folder)
    sorted((folder / "out" / "images" / "left").glob("*.png"))[0].write_bytes(b"no image")
    (folder / "out" / FILE_NAME).unlink()


REJECT = Command("reject", prepare_dataset, _reject, everything)
REPAIR = Command(
    "repair",
    prepare_damaged,
    lambda folder: ["repair", str(folder / "out")],
    everything,
    drawing_stub,
    RUN.arguments,
)
EXPORTS = [
    Command(
        f"export {form}",
        prepare_dataset,
        partial(
            lambda form, folder: [
                "export", str(folder / "out"), "--to", form, "--output", str(folder / "new")
            ],
            form,
        ),
        everything,
    )
    for form in ("coco", "yolo", "webdataset", "imagefolder", "huggingface")
]  # fmt: skip

# --- the trainer's ---


def prepare_pairs(folder: Path) -> None:
    """Generated pairs of a disc, and real ones."""
    from .curation_pairs import write_pair

    lines = []
    for number in range(3):
        write_pair(folder / "real", f"{number}", number)
        write_pair(folder / "made", f"a/{number}", 300 + number)
        name = f"a/{number}.png"
        record = Record(
            file_name=f"images/{name}", class_name="a", label=0, mask_file_name=f"masks/{name}"
        )
        lines.append(record.line())
    (folder / "made" / METADATA).write_text("".join(lines))


def _curate(folder: Path) -> list[str]:
    places = [str(folder / name) for name in ("made", "real", "new")]
    sizes = ["--size", "64", "--steps", "1", "--batch", "2", "--ignore"]
    return ["curate", places[0], "--real", places[1], "--output", places[2], *sizes]


CURATE = Command("curate", prepare_pairs, _curate, everything)


def prepare_measure(folder: Path) -> None:
    from .photo_folders import fill

    fill(folder / "real", 8)
    fill(folder / "synthetic", 4, first=500)
    recipe = {
        "data": "real",
        "synthetic": "synthetic",
        "output": "out",
        "cache": "cache",
        "shots": [2],
        "draws": 2,
        "seeds": 1,
        "steps": 2,
        "arms": [{"add": "synthetic"}],
    }
    _write_recipe(folder, recipe, ("data", "synthetic", "output", "cache"))


MEASURE = Command(
    "measure",
    prepare_measure,
    lambda folder: ["measure", str(folder / "recipe.yaml")],
    everything,
)
SHOTS = Command(
    "shots",
    prepare_measure,
    lambda folder: ["shots", str(folder / "recipe.yaml"), str(folder / "new")],
    everything,
)


def prepare_subject(folder: Path) -> None:
    rng = np.random.default_rng(0)
    (folder / "photos").mkdir()
    for number in range(3):
        noise = rng.integers(0, 255, (16, 20, 3), np.uint8)
        Image.fromarray(noise).resize((160, 128)).save(folder / "photos" / f"{number}.png")
    place = folder.with_name(folder.name.removesuffix("-inputs"))
    settings = {"method": "lora", "rank": 2, "peft": True, "steps": 2, "every": 1, "batch": 1}
    subject = {"token": "blot-m1", "noun": "dog", "photos": [str(place / "photos")]}
    recipe = {"output": "out", "subjects": [subject], "samples": 1, "settings": settings}
    _write_recipe(folder, recipe, ("output",))


@contextmanager
def training_stub() -> Iterator[None]:
    """The base is read once; pictures are drawn in one step."""
    from manyshot.trainer.subjects import train_recipe as run
    from manyshot.trainer.subjects import train_subject as train
    from manyshot.trainer.subjects.sampling import draw_subject

    from .opened_bases import opened

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "open_base", lambda *_: opened())
        patch.setattr(train, "draw_subject", partial(draw_subject, steps=1))
        yield


SUBJECT = Command(
    "subject train",
    prepare_subject,
    lambda folder: ["subject", "train", str(folder / "recipe.yaml")],
    everything,
    training_stub,
)
CHEAP = [RUN, REJECT, REPAIR, *EXPORTS]
DEAR = [SHOTS, CURATE, MEASURE, SUBJECT]
