"""Very many jobs while everything around them breaks: `python benchmarks/soak.py --jobs 200000`.

The server is killed and started again, answers 503 for seconds, and the driver is killed with -9
and goes on. Measured are the driver's resident memory, file descriptors and threads; in the end
every picture is compared with what was planned. The graph costs nothing. The server is a stand-in
(tests/fake_comfyui/quick.py), which is quick; with --real it is the embedded ComfyUI.
"""

import argparse
import json
import math
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Protocol

import psutil
import urllib3
import yaml
from manyshot.core.records import image_name, read_records
from manyshot.driver.embedded import EmbeddedServer, ServerSettings
from manyshot.driver.ledger import FILE_NAME
from manyshot.driver.prepare import prepare
from manyshot.driver.recipe import read_recipe
from PIL import Image

TESTS = Path(__file__).parents[1] / "tests"
SIDE = 16
WARM = 0.2  # of a life's jobs: what is loaded and cached at first is no slope
LIVES_TOGETHER = 2_000  # a slope over fewer jobs says nothing
START_SECONDS = 30
RUN = "import sys; from manyshot.cli import main; sys.argv[0] = 'manyshot'; main()"


class Server(Protocol):
    """What draws, and can be killed and started again at the same address."""

    @property
    def url(self) -> str: ...
    def kill(self) -> None: ...
    def restart(self) -> None: ...


@dataclass(frozen=True)
class Trial:
    """What a run has to stand: the driver is killed `kills` times, at random counts of jobs; its
    server has trouble every `trouble` seconds on average. It ends early after `minutes`.

    `longest`: seconds of a brown-out. `look`: between two samples. `server_kills`: whether the
    server is killed too.
    """

    jobs: int
    kills: int = 10
    trouble: float = 30.0
    minutes: float = math.inf
    longest: float = 10.0
    look: float = 4.0
    server_kills: bool = True


@dataclass(frozen=True)
class Sample:
    """The driver at one moment. `memory` in MB, `done` in jobs; `life`: how many died before."""

    life: int
    done: int
    memory: float
    descriptors: int
    threads: int


@dataclass
class Soak:
    """What was done to a run, and what was seen."""

    jobs: int
    done: int = 0
    seconds: float = 0.0
    server_kills: int = 0
    brown_outs: int = 0
    driver_kills: int = 0
    exit_code: int | None = None
    wrong: list[str] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)

    def figures(self) -> dict[str, object]:
        """All but the samples, and what follows from them."""
        plain = {key: value for key, value in asdict(self).items() if key != "samples"}
        return {
            **plain,
            "memory_slope": round(memory_slope(self.samples), 4),
            "most_memory": max((sample.memory for sample in self.samples), default=0),
            "descriptors": spread([sample.descriptors for sample in self.samples]),
            "threads": spread([sample.threads for sample in self.samples]),
        }


class QuickServer:
    """tests/fake_comfyui/quick.py as a process."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._start()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def restart(self) -> None:
        self.kill()
        self._start()

    def _start(self) -> None:
        script = str(TESTS / "fake_comfyui" / "quick.py")
        self._process = subprocess.Popen([sys.executable, script, "--port", str(self.port)])
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.05)
        raise RuntimeError("the stand-in server does not answer")


@contextmanager
def quick_server() -> Iterator[QuickServer]:
    server = QuickServer()
    try:
        yield server
    finally:
        server.kill()


def real_server() -> AbstractContextManager[Server]:
    nodes = TESTS / "stub_nodes"
    return EmbeddedServer(ServerSettings(device="cpu", extra_nodes=(nodes,)))


def soak(server: Server, folder: Path, trial: Trial, dice: random.Random) -> Soak:
    """Drive the jobs into folder/set, life after life of the driver."""
    recipes = write_recipes(folder, server.url, trial.jobs)
    ends = [*sorted(dice.sample(range(1, trial.jobs), trial.kills)), trial.jobs + 1]
    seen, started = Soak(trial.jobs), time.monotonic()
    until = started + 60 * trial.minutes
    for life, end in enumerate(ends):
        wait_until_well(server)
        with driver(recipes[life % 2], folder / "driver.log") as process:
            watch(process, server, folder / "set", Life(trial, life, end, until), dice, seen)
        seen.exit_code = process.poll()
        if seen.exit_code != -signal.SIGKILL:
            break
    seen.seconds = time.monotonic() - started
    seen.done = jobs_done(folder / "set")
    seen.wrong = differences(recipes[0])
    return seen


def write_recipes(folder: Path, url: str, jobs: int) -> list[Path]:
    """One recipe for each transport: pictures whose colour is their number."""
    size = {"width": SIDE, "height": SIDE, "batch_size": 1, "color": 0}
    save = {"images": ["1", 0], "filename_prefix": "soak"}
    graph = {
        "1": {"class_type": "EmptyImage", "inputs": size},
        "9": {"class_type": "SaveImage", "inputs": save},
    }
    (folder / "graph.json").write_text(json.dumps(graph))
    recipe = {
        "workflow": str(folder / "graph.json"),
        "output": str(folder / "set"),
        "classes": ["colour"],
        "images_per_class": jobs,
        "bind": {"EmptyImage.color": "$index"},
        "servers": [url],
    }
    paths = []
    for transport in ("websocket", "view"):
        paths.append(folder / f"{transport}.yaml")
        paths[-1].write_text(yaml.safe_dump({**recipe, "transport": transport}))
    return paths


@contextmanager
def driver(recipe: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`manyshot run` as a process; killed at the end of the block where it still runs."""
    with log.open("ab") as out:
        command = [sys.executable, "-c", RUN, "run", str(recipe)]
        process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


@dataclass(frozen=True)
class Life:
    """One life of the driver: it ends at `end` jobs, or at the time `until`."""

    trial: Trial
    number: int
    end: int
    until: float


def watch(
    process: subprocess.Popen[bytes],
    server: Server,
    output: Path,
    life: Life,
    dice: random.Random,
    seen: Soak,
) -> None:
    """Sample the driver and trouble its server, until its life or its work is over."""
    looked_at, before = psutil.Process(process.pid), jobs_done(output)
    next_trouble = time.monotonic() + dice.expovariate(1 / life.trial.trouble)
    while process.poll() is None:
        done = jobs_done(output)
        works = before < done < seen.jobs
        if works:
            with suppress(psutil.Error):
                seen.samples.append(sample(looked_at, life.number, done))
        if done >= life.end:
            seen.driver_kills += 1
            return
        if time.monotonic() > life.until:
            process.send_signal(signal.SIGINT)
            process.wait()
            return
        if works and time.monotonic() > next_trouble:
            make_trouble(server, life.trial, dice, seen)
            next_trouble = time.monotonic() + dice.expovariate(1 / life.trial.trouble)
        with suppress(subprocess.TimeoutExpired):
            process.wait(life.trial.look)


def wait_until_well(server: Server) -> None:
    """A run that finds no server when it starts ends at once, as it should."""
    while urllib3.request("GET", f"{server.url}/system_stats", retries=False).status != 200:
        time.sleep(0.1)


def make_trouble(server: Server, trial: Trial, dice: random.Random, seen: Soak) -> None:
    if dice.random() < 0.5 or not trial.server_kills:
        seconds = dice.uniform(0, trial.longest)
        urllib3.request("POST", f"{server.url}/brown-out?seconds={seconds}")
        seen.brown_outs += 1
        return
    server.kill()
    time.sleep(dice.uniform(0, trial.longest / 4))
    server.restart()
    seen.server_kills += 1


def sample(process: psutil.Process, life: int, done: int) -> Sample:
    memory = process.memory_info().rss / 1e6
    return Sample(life, done, memory, process.num_fds(), process.num_threads())


def jobs_done(output: Path) -> int:
    """What the ledger has as done, seen from outside while a run works."""
    with suppress(sqlite3.OperationalError):  # not there yet
        return int(of_done(output, "count(*)")[0])
    return 0


def ids_done(output: Path) -> set[str]:
    return set(of_done(output, "id"))


def of_done(output: Path, column: str) -> list[str]:
    uri = f"{(output / FILE_NAME).resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as ledger:
        rows = ledger.execute(f"SELECT {column} FROM jobs WHERE state = 1")
        return [value for (value,) in rows]


def memory_slope(samples: Iterable[Sample]) -> float:
    """MB of resident memory that 1,000 jobs add: the least-squares slope common to all lives."""
    upper = lower = 0.0
    for _, life in groupby(samples, lambda sample: sample.life):
        warm = without_start(list(life))
        if not warm or warm[-1].done - warm[0].done < LIVES_TOGETHER:
            continue
        jobs = sum(sample.done for sample in warm) / len(warm)
        memory = sum(sample.memory for sample in warm) / len(warm)
        upper += sum((sample.done - jobs) * (sample.memory - memory) for sample in warm)
        lower += sum((sample.done - jobs) ** 2 for sample in warm)
    return 1000 * upper / lower if lower else 0.0


def without_start(life: Sequence[Sample]) -> list[Sample]:
    first, last = life[0].done, life[-1].done
    return [sample for sample in life if sample.done >= first + WARM * (last - first)]


def spread(values: Sequence[int]) -> list[int]:
    """Least and most."""
    return [min(values), max(values)] if values else []


def differences(recipe: Path) -> list[str]:
    """How the folder differs from those jobs of the plan that the ledger has as done: at most ten
    sentences; none where it is exact."""
    folder = read_recipe(recipe).output
    done = ids_done(folder)
    planned = {
        image_name(job.class_name, job.id, 0): job.first_index
        for job in prepare(read_recipe(recipe), None)
        if job.id in done
    }
    there = {path.relative_to(folder).as_posix() for path in folder.glob("images/*/*")}
    wrong = [f"missing: {name}" for name in planned.keys() - there]
    wrong += [f"not planned: {name}" for name in there - planned.keys()]
    drawn = planned.keys() & there
    wrong += [f"wrong pixels: {name}" for name in drawn if not shows(folder / name, planned[name])]
    if [record.file_name for record in read_records(folder)] != list(planned):
        wrong.append("metadata.jsonl is not the plan")
    if len(done) != len(planned):
        wrong.append(f"{len(done) - len(planned):,} jobs of the ledger are none of the plan")
    return wrong[:10]


def shows(path: Path, number: int) -> bool:
    """Whether a picture is of this colour alone."""
    with Image.open(path) as image:
        colour = number.to_bytes(3, "big")
        return image.size == (SIDE, SIDE) and image.tobytes() == colour * SIDE**2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=200_000)
    parser.add_argument("--kills", type=int, default=10, help="of the driver")
    parser.add_argument("--trouble", type=float, default=30, help="seconds between two, on average")
    parser.add_argument(
        "--minutes", type=float, default=math.inf, help="the longest that it may take"
    )
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--real", action="store_true", help="the embedded ComfyUI")
    parser.add_argument("--samples", type=Path, help="a file for every sample, as JSON")
    args = parser.parse_args()
    started = real_server() if args.real else quick_server()
    trial = Trial(args.jobs, args.kills, args.trouble, args.minutes)
    with tempfile.TemporaryDirectory() as folder, started as server:
        seen = soak(server, Path(folder), trial, random.Random(args.seed))
    if args.samples:
        args.samples.write_text(json.dumps([asdict(sample) for sample in seen.samples]))
    sys.stdout.write(json.dumps(seen.figures(), indent=2) + "\n")
    whole = seen.done == seen.jobs and not seen.wrong and not seen.exit_code
    sys.exit(0 if whole else 1)


if __name__ == "__main__":
    main()
