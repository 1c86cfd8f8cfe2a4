"""The driver beside the server's own floor: `python benchmarks/driver.py`.

Everything in one run, because machines differ and are noisy: each figure is a ratio of medians, the
things compared taking turns. The graph costs nothing (EmptyImage, SaveImage), so what is measured
is the driver and the server, not a model.
"""

import http.client
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from bare_client import bare
from delay_proxy import far_away
from manyshot.core.counted import in_percent
from manyshot.driver.embedded import EmbeddedServer, ServerSettings
from manyshot.driver.ledger import Done, Ledger
from manyshot.driver.prepare import prepare
from manyshot.driver.recipe import parse_recipe
from manyshot.driver.run import run
from quiet import Quiet
from rich.console import Console
from rich.table import Table

ROUNDS = 5
PROMPTS = 1000
SLOW_PROMPTS = 100
JOB_SECONDS = 0.1
ROUND_TRIP = 0.05
PLANNED = 1_000_000
STUBS = Path(__file__).parents[1] / "tests" / "stub_nodes"

IMAGE = {
    "class_type": "EmptyImage",
    "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0},
}
SAVE = {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "floor"}}
PLAIN = {"1": IMAGE, "9": SAVE}
SLEEP = {
    "1": IMAGE,
    "2": {
        "class_type": "StubSleep",
        "inputs": {"value": ["1", 0], "seconds": JOB_SECONDS, "interruptible": True},
    },
    "9": {**SAVE, "inputs": {**SAVE["inputs"], "images": ["2", 0]}},
}
MODELS = {
    "1": IMAGE,
    "3": {"class_type": "StubSlowLoader", "inputs": {"name": "a"}},
    "2": {"class_type": "StubSleep",
          "inputs": {"value": ["1", 0], "seconds": 0.0, "interruptible": True, "model": ["3", 0]}},
    "9": {**SAVE, "inputs": {**SAVE["inputs"], "images": ["2", 0]}},
}  # fmt: skip


def driven(graph: dict, folder: Path, urls: list[str], count: int, **recipe: Any) -> float:
    """Seconds the driver takes for `count` images, from the first job to the last file."""
    out = Path(tempfile.mkdtemp(dir=folder))
    workflow = out / "graph.json"
    workflow.write_text(json.dumps(graph))
    wanted = {"workflow": str(workflow), "output": str(out / "set"), "classes": ["one"],
              "bind": {"EmptyImage.color": "$index"}, "images_per_class": count,
              "servers": list(urls), **recipe}  # fmt: skip
    summary = run(parse_recipe(wanted, "benchmark"), Quiet())
    assert summary.exit_code == 0, summary
    assert len(list((out / "set" / "images").rglob("*.png"))) == summary.counts.planned
    shutil.rmtree(out)
    return summary.seconds


def floor(graphs: list[dict], url: str) -> float:
    """Seconds the server takes when all is submitted at once and nothing is fetched."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
    started = time.monotonic()
    for graph in graphs:
        connection.request("POST", "/prompt", json.dumps({"prompt": graph, "client_id": "floor"}))
        connection.getresponse().read()
    while _remaining(connection):
        time.sleep(0.002)
    return time.monotonic() - started


def _remaining(connection: http.client.HTTPConnection) -> int:
    connection.request("GET", "/prompt")
    return json.loads(connection.getresponse().read())["exec_info"]["queue_remaining"]


def colours(graph: dict, count: int, folder: str) -> list[dict]:
    """`count` graphs of different colours that save into `folder` of the server's output, 100 to a
    subfolder: the more files a folder has, the slower SaveImage is."""
    return [
        {
            **graph,
            "1": {**IMAGE, "inputs": {**IMAGE["inputs"], "color": number}},
            "9": _saved(graph["9"], f"{folder}/{number // 100}/floor"),
        }
        for number in range(count)
    ]


def _saved(node: dict, prefix: str) -> dict:
    return {**node, "inputs": {**node["inputs"], "filename_prefix": prefix}}


def in_turns(rivals: dict[str, Callable[[int], float]], rounds: int = ROUNDS) -> dict[str, float]:
    """The median of each, taken in turns, every second round in reverse order."""
    taken: dict[str, list[float]] = {name: [] for name in rivals}
    for number in range(rounds):
        for name in list(rivals)[:: 1 if number % 2 else -1]:
            taken[name].append(rivals[name](number))
    return {name: median(values) for name, values in taken.items()}


def throughput(url: str, folder: Path) -> list[tuple[str, str, str]]:
    """Prompts a second on the free graph, beside the floor and a bare client."""

    def bared(view: bool) -> float:
        with tempfile.TemporaryDirectory(dir=folder) as out:
            return bare(colours(PLAIN, PROMPTS, ""), url, Path(out), "9", view)

    took = in_turns(
        {
            "floor": lambda n: floor(colours(PLAIN, PROMPTS, f"floor{n}"), url),
            "websocket": lambda _: driven(PLAIN, folder, [url], PROMPTS, transport="websocket"),
            "view": lambda _: driven(PLAIN, folder, [url], PROMPTS, transport="view"),
            "bare, websocket": lambda _: bared(view=False),
            "bare, view": lambda _: bared(view=True),
        }
    )
    rates = {name: PROMPTS / seconds for name, seconds in took.items()}
    targets = {"websocket": ">= 1.1", "view": ">= 0.75"}
    rows = [("server floor, prompts/s", f"{rates.pop('floor'):.0f}", "")]
    for name, rate in rates.items():
        ratio = f"{rate * took['floor'] / PROMPTS:.2f} x"
        rows.append((f"{name}: {rate:.0f}/s, to the floor", ratio, targets.get(name, "")))
    return rows


def idleness(url: str, folder: Path) -> list[tuple[str, str, str]]:
    """The share of time that a server with 0.1 s jobs has nothing to do."""
    ideal = SLOW_PROMPTS * JOB_SECONDS
    with far_away(urlsplit(url).port or 0, ROUND_TRIP) as far:
        took = in_turns(
            {
                "floor": lambda n: floor(colours(SLEEP, SLOW_PROMPTS, f"sleep{n}"), url),
                "near": lambda _: driven(SLEEP, folder, [url], SLOW_PROMPTS),
                "far": lambda _: driven(SLEEP, folder, [far], SLOW_PROMPTS),
            },
            rounds=3,
        )
    idle = {name: 1 - ideal / seconds for name, seconds in took.items()}
    return [
        ("idle with 0.1 s jobs: the floor itself", in_percent(idle["floor"], 1), ""),
        ("idle, driven, server near", in_percent(idle["near"], 1), "<= 10 %"),
        ("idle, driven, 50 ms round trip added", in_percent(idle["far"], 1), "<= 10 %"),
    ]


def two_servers(urls: list[str], folder: Path) -> list[tuple[str, str, str]]:
    took = in_turns(
        {
            "one": lambda _: driven(SLEEP, folder, urls[:1], 2 * SLOW_PROMPTS),
            "two": lambda _: driven(SLEEP, folder, urls, 2 * SLOW_PROMPTS),
        },
        rounds=3,
    )
    return [("two servers to one, 0.1 s jobs", f"{took['one'] / took['two']:.2f} x", ">= 1.9")]


def grouping(url: str, folder: Path) -> list[tuple[str, str, str]]:
    """40 prompts that alternate between two slow models: as they come, and driven."""
    count = 40
    alternating = [
        {**graph, "3": {**MODELS["3"], "inputs": {"name": "ab"[number % 2]}}}
        for number, graph in enumerate(colours(MODELS, count, "models"))
    ]
    bound = {"EmptyImage.color": "$index", "StubSlowLoader.name": "$class_name"}
    took = in_turns(
        {
            "as they come": lambda _: floor(alternating, url),
            "driven": lambda _: driven(
                MODELS, folder, [url], count // 2, classes=["a", "b"], bind=bound
            ),
        },
        rounds=3,
    )
    ratio = took["as they come"] / took["driven"]
    return [("alternating models, driven to as they come", f"{ratio:.1f} x", ">= 10")]


def million(folder: Path) -> None:
    """Plan a million jobs into a ledger, finish it and open it again; run as a process of its own
    so that the memory is its own."""
    graph = folder / "graph.json"
    graph.write_text(json.dumps(PLAIN))
    recipe = {"workflow": str(graph), "output": str(folder / "set"), "images_per_class": PLANNED,
              "classes": ["one"], "bind": {"EmptyImage.color": "$seed"}}  # fmt: skip
    started = time.monotonic()
    plan = prepare(parse_recipe(recipe, "benchmark"), None)
    ledger = Ledger(folder / "set")
    for _ in ledger.read_plan(plan):
        pass
    ledger.take_plan(plan.fingerprint())
    planned = time.monotonic() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    ledger.mark_done(Done(job.id, 1, 0, "server", 0.1) for job in plan)
    ledger.close()
    started = time.monotonic()
    ledger = Ledger(folder / "set")
    plan = prepare(parse_recipe(recipe, "benchmark"), None)
    assert ledger.is_planned(plan.fingerprint())
    assert ledger.counts().done == PLANNED
    assert ledger.images() == (PLANNED, PLANNED)
    assert ledger.groups() == []
    reopened = time.monotonic() - started
    sys.stdout.write(json.dumps([planned, memory, reopened]))


def planning() -> list[tuple[str, str, str]]:
    code = [sys.executable, __file__, "million"]
    said = subprocess.run(code, capture_output=True, text=True, check=True).stdout
    planned, memory, reopened = json.loads(said)
    return [
        ("plan of 1,000,000 jobs, seconds", f"{planned:.0f}", "< 60"),
        ("its memory, MB", f"{memory:.0f}", "< 300"),
        ("its finished ledger opened again, seconds", f"{reopened:.1f}", "< 10"),
    ]


def main() -> None:
    console = Console()
    settings = ServerSettings(device="cpu", extra_nodes=(STUBS,))
    rows: list[tuple[str, str, str]] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = [stack.enter_context(EmbeddedServer(settings, console.print)) for _ in range(2)]
        urls = [server.url for server in servers]
        for part in (throughput, idleness, grouping):
            console.print(f"{part.__name__} …")
            rows += part(urls[0], folder)
        rows += two_servers(urls, folder)
    console.print("planning …")
    rows += planning()
    table = Table("what", "figure", "target")
    for row in rows:
        table.add_row(*row)
    console.print(table)


if __name__ == "__main__":
    if sys.argv[1:] == ["million"]:
        with tempfile.TemporaryDirectory() as place:
            million(Path(place))
    else:
        main()
