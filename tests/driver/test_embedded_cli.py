"""`manyshot server` as it is typed."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

MANYSHOT = (sys.executable, "-c", "from manyshot.cli import main; main()", "server")


def manyshot(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*MANYSHOT, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


@pytest.fixture
def start(cache: Path, fake_comfyui: Path) -> Iterator[tuple[str, ...]]:
    """The words that start the fake ComfyUI; whatever still runs is stopped afterwards."""
    yield ("start", "--comfyui", str(fake_comfyui), "--device", "cpu")
    manyshot("stop")


def state(cache: Path) -> dict[str, int | str]:
    return json.loads((cache / "server.json").read_text())


def test_start_check_stop(start: tuple[str, ...], cache: Path, fake_comfyui: Path) -> None:
    first = manyshot(*start)
    assert (first.returncode, len(first.stderr.splitlines())) == (0, 1)
    url = str(state(cache)["url"])
    assert first.stdout.startswith(f"ComfyUI 0.3.75 is running at {url};")
    assert requests.get(f"{url}/system_stats", timeout=5).status_code == 200

    again = manyshot(*start)
    assert (again.returncode, again.stdout) == (0, f"ComfyUI 0.3.75 is already running at {url}.\n")

    check = manyshot("check", "--comfyui", str(fake_comfyui))
    assert f"running at {url}" in check.stdout
    assert "ComfyUI 0.3.75 on fake" in check.stdout
    assert "2, 1 of them manyshot's" in check.stdout

    pids = [int(state(cache)[name]) for name in ("guardian", "comfyui")]
    stop = manyshot("stop")
    assert (stop.returncode, stop.stdout) == (0, f"Stopped {url}.\n")
    assert not any(map(runs, pids))
    assert manyshot("stop").stdout == "No server was running.\n"


def runs(pid: int) -> bool:
    """Whether more than an exit code is left of it (which waits for a parent to collect it)."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_recycled_process_id_is_not_killed(start: tuple[str, ...], cache: Path) -> None:
    manyshot(*start)
    noted = state(cache)
    manyshot("stop")
    bystander = subprocess.Popen(["sleep", "600"])
    try:
        began = psutil.Process(bystander.pid).create_time()
        recycled = {"guardian": bystander.pid, "guardian_started": began - 60}
        recycled |= {"comfyui": bystander.pid, "comfyui_started": began - 60}
        (cache / "server.json").write_text(json.dumps(noted | recycled))
        assert manyshot("stop").stdout == "No server was running.\n"
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"url": 1}', "\0"])
def test_a_broken_state_file_is_no_server(cache: Path, text: str) -> None:
    cache.mkdir()
    (cache / "server.json").write_text(text)
    assert manyshot("stop").stdout == "No server was running.\n"


def test_a_start_that_fails_leaves_nothing(start: tuple[str, ...], cache: Path) -> None:
    failed = manyshot(*start, "--timeout", "1", "--python", "/bin/false")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "manyshot: " in failed.stderr
    assert "Traceback" not in failed.stderr
    assert not (cache / "server.json").exists()


def test_a_server_that_died_can_be_started_again(start: tuple[str, ...], cache: Path) -> None:
    manyshot(*start)
    killed = psutil.Process(int(state(cache)["comfyui"]))
    killed.kill()
    psutil.wait_procs([killed], timeout=10)
    assert "already" not in manyshot(*start).stdout


def test_foreground_ends_with_ctrl_c(start: tuple[str, ...], cache: Path) -> None:
    process = subprocess.Popen(
        [*MANYSHOT, *start, "--foreground"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert "Ctrl-C stops it" in process.stdout.readline()
    children = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(20) == 130
    process.stdout.close()
    assert psutil.wait_procs(children, timeout=0)[1] == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["start", "--comfyui", "/nowhere"], "/nowhere is not a ComfyUI folder"),
        (["check", "--comfyui", "/nowhere"], "/nowhere is not a ComfyUI folder"),
        (["install", "--wheel", "/nowhere.whl"], "The wheel /nowhere.whl cannot be read"),
        (["start", "--base-directory", "/dev/null/x"], "/dev/null/x cannot be used: Not a"),
        (["start", "--models", "/nowhere"], "There is no folder of models at /nowhere"),
        (["start", "--python", "/nowhere"], "There is no Python to run at /nowhere"),
        (["start", "--port", "70000"], "65535"),
    ],
)
def test_wrong_input(cache: Path, fake_comfyui: Path, arguments: list[str], sentence: str) -> None:
    own = [] if "--comfyui" in arguments else ["--comfyui", str(fake_comfyui)]
    done = manyshot(*arguments, *(own if arguments[0] == "start" else []))
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_cache_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MANYSHOT_CACHE", "/dev/null/cache")
    for command in ("install", "start", "stop"):
        done = manyshot(command)
        assert (done.returncode, done.stdout) == (2, "")
        assert "The folder /dev/null/cache cannot be used: Not a directory" in done.stderr


def test_check_says_what_is_missing(cache: Path) -> None:
    done = manyshot("check")
    assert done.returncode == 1
    assert "not installed: run `manyshot server install`" in done.stdout


def test_the_port_stays_the_same_and_another_is_told(start: tuple[str, ...], cache: Path) -> None:
    manyshot(*start)
    url = str(state(cache)["url"])
    manyshot("stop")
    assert manyshot(*start).returncode == 0
    assert state(cache)["url"] == url
    manyshot("stop")
    port = int(url.rpartition(":")[2])
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        third = manyshot(*start)
    assert third.returncode == 0
    assert f"Port {port}, which the server used last, is taken; using another." in third.stderr
    assert state(cache)["url"] != url
