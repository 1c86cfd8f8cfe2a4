"""Strangers' files on a real server: none holds it up, and a bad one costs no node."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from manyshot.core.subject_file import KEY
from manyshot.driver.embedded import EmbeddedServer
from PIL import Image
from safetensors.numpy import save_file

from ..support.patience import PATIENCE
from ..support.server_client import Client
from ..support.subject_files import subject, write_subjects

pytestmark = pytest.mark.server
NODES = 17
DEEP = "[" * 100_000


def coco(segmentation: object, count: int, side: int) -> dict[str, Any]:
    annotation = {"image_id": 1, "category_id": 1, "segmentation": segmentation}
    return {
        "images": [{"id": 1, "file_name": "a.png", "height": side, "width": side}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [annotation] * count,
    }


RUNS = {"counts": [0, 9000 * 9000], "size": [9000, 9000]}
HOSTILE = {
    "run lengths of 81 megapixels, twenty times": lambda: coco(RUNS, 20, 9000),
    "20,000 outlines": lambda: coco([[0, 0, 8, 0, 8, 8]], 20_000, 64),
    "200,000 outlines": lambda: coco([[0, 0, 8, 0, 8, 8]], 200_000, 64),
    "10 MB of numbers": lambda: coco([[0, 1] * 50_000], 50, 64),
    "100,000 brackets": lambda: DEEP,
}


def slowest_answer(url: str, over: threading.Event) -> float:
    """Seconds that the slowest GET /queue took while something went on."""
    slowest = 0.0
    while not over.is_set():
        began = time.monotonic()
        requests.get(f"{url}/queue", timeout=PATIENCE)
        slowest = max(slowest, time.monotonic() - began)
    return slowest


@pytest.mark.parametrize("what", HOSTILE)
def test_the_server_answers_while_a_file_is_checked(client: Client, pairs: Path, what: str) -> None:
    folder = pairs / "coco"
    folder.mkdir()
    Image.new("RGB", (64, 64)).save(folder / "a.png")
    content = HOSTILE[what]()
    (folder / "a.json").write_text(content if isinstance(content, str) else json.dumps(content))
    name = folder.relative_to(pairs.parent).as_posix()
    inputs = {"folder": name, "layout": "coco", "first": 0, "count": 1, "times": 1}
    graph = {
        "1": {"class_type": "ManyshotLoadLabelled", "inputs": inputs},
        "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    }
    over = threading.Event()

    def ask() -> None:
        reply = client.post(graph)
        over.set()
        assert reply.status_code in (200, 400)
        requests.post(f"{client.url}/queue", json={"clear": True}, timeout=PATIENCE)
        requests.post(f"{client.url}/interrupt", json={}, timeout=PATIENCE)

    asking = threading.Thread(target=ask)
    asking.start()
    slowest = slowest_answer(client.url, over)
    asking.join()
    assert slowest < 3, "a second on a machine with nothing else to do"


@pytest.mark.slow
def test_bad_model_files_cost_no_node_at_the_start(comfyui: EmbeddedServer) -> None:
    folder = comfyui.folder / "models" / "loras"
    files = [folder / f"hostile-{name}.safetensors" for name in ("deep", "torn", "empty", "good")]
    deep, torn, empty, good = files
    save_file({}, deep, {KEY: DEEP, "ss_tag_frequency": DEEP})
    torn.write_bytes(b"\xff" * 100)
    empty.write_bytes(b"")
    write_subjects(good, subject("cat"))
    try:
        comfyui.restart()
        nodes = requests.get(f"{comfyui.url}/object_info", timeout=PATIENCE).json()
        ours = [name for name in nodes if name.startswith("Manyshot")]
        assert len(ours) == NODES
        shown = json.dumps(nodes["ManyshotSubject"])
        assert good.name in shown
        assert deep.name not in shown
        families = requests.get(f"{comfyui.url}/manyshot/families", timeout=PATIENCE)
        assert families.status_code == 200
    finally:
        for file in files:
            file.unlink(missing_ok=True)
