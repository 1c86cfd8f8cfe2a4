"""Ctrl-C and SIGTERM: exit code 130, our prompts taken back, nobody else's touched, resumable."""

import signal
from pathlib import Path
from typing import Any

import pytest
import requests
from manyshot.driver.embedded import EmbeddedServer

from ..support.fault_processes import done, start_driver
from ..support.fault_proxy import FaultProxy
from ..support.fault_runs import colours, drive, is_whole, queue, slow, wait_for

pytestmark = pytest.mark.server


def foreign_prompt(url: str, prompt_id: str, seconds: float) -> None:
    """Queue somebody else's prompt, different from all others."""
    nodes: dict[str, Any] = slow(seconds)
    nodes["1"]["inputs"]["color"] = 1_000_000 + hash(prompt_id) % 1_000_000
    body = {"prompt": nodes, "prompt_id": prompt_id, "client_id": "somebody"}
    requests.post(f"{url}/prompt", json=body, timeout=30).raise_for_status()


def is_running(url: str, prompt_id: str) -> bool:
    running = requests.get(f"{url}/queue", timeout=30).json()["queue_running"]
    return any(item[1] == prompt_id for item in running)


def succeeded(url: str, prompt_id: str) -> bool:
    entry = requests.get(f"{url}/history/{prompt_id}", timeout=30).json().get(prompt_id)
    return bool(entry) and entry["status"]["status_str"] == "success"


@pytest.mark.parametrize("transport", ["websocket", "view"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_somebody_elses_prompt_runs_and_another_waits(
    tmp_path: Path, comfyui: EmbeddedServer, number: signal.Signals, transport: str
) -> None:
    url = comfyui.url
    recipe = colours(tmp_path, [url], 40, slow(0.1), transport=transport)
    ids = [f"{number.name}-{transport}-{name}" for name in ("first", "second")]
    with start_driver(recipe) as driver:
        assert wait_for(lambda: done(recipe) >= 3)
        foreign_prompt(url, ids[0], 60)
        foreign_prompt(url, ids[1], 0.1)
        assert wait_for(lambda: is_running(url, ids[0]))
        driver.send_signal(number)
        said, _ = driver.communicate(timeout=60)
    assert driver.returncode == 130, said
    assert "Traceback" not in said
    assert "Run the same command again to resume" in said
    assert queue(url) == ids
    requests.post(f"{url}/interrupt", json={"prompt_id": ids[0]}, timeout=30)
    assert wait_for(lambda: succeeded(url, ids[1]))
    assert 0 < drive(recipe).progress.images < 40
    is_whole(recipe)


def test_a_job_of_ours_runs(tmp_path: Path, comfyui: EmbeddedServer) -> None:
    """It is interrupted; what waits behind it starts at once."""
    url = comfyui.url
    recipe = colours(tmp_path, [url], 5, slow(100))
    with start_driver(recipe) as driver:
        assert wait_for(lambda: len(queue(url)) == 4)
        foreign_prompt(url, "behind ours", 0.1)
        driver.send_signal(signal.SIGINT)
        said, _ = driver.communicate(timeout=60)
    assert driver.returncode == 130, said
    assert wait_for(lambda: succeeded(url, "behind ours"))
    assert queue(url) == []
    assert done(recipe) == 0


@pytest.mark.slow
def test_while_the_server_hangs(tmp_path: Path, comfyui: EmbeddedServer) -> None:
    """A reply that does not come does not hold the end up for long."""
    with FaultProxy(comfyui.url) as proxy:
        recipe = colours(tmp_path, [proxy.url], 40, slow(0.1), {"reply": 300})
        with start_driver(recipe) as driver:
            assert wait_for(lambda: done(recipe) >= 3)
            for path in ("/queue", "/interrupt", "/history"):
                proxy.on(path, hold=True)
            driver.send_signal(signal.SIGINT)
            driver.communicate(timeout=100)
        assert driver.returncode == 130
    assert wait_for(lambda: queue(comfyui.url) == [])
    assert drive(colours(tmp_path, [comfyui.url], 40, slow(0.1))).exit_code == 0
    is_whole(recipe)
