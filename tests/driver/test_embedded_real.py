"""The real ComfyUI, as the embedded server starts it."""

import subprocess
import sys
from pathlib import Path

import pytest
import requests
from manyshot.driver.embedded import EmbeddedServer, ensure_installed

STUBS = {"StubSleep", "StubRaise", "StubOOM", "StubSlowLoader"}


@pytest.mark.server
def test_has_the_stock_nodes_the_stubs_and_the_websocket_node(comfyui: EmbeddedServer) -> None:
    nodes = requests.get(f"{comfyui.url}/object_info", timeout=30).json()
    assert {"EmptyImage", "SaveImage", "SaveImageWebsocket", "KSampler"} | STUBS <= nodes.keys()


@pytest.mark.server
def test_says_its_version_and_device(comfyui: EmbeddedServer) -> None:
    assert (comfyui.facts.version, comfyui.facts.device) == ("0.3.75", "cpu")


@pytest.mark.server
@pytest.mark.slow
def test_the_command_line_starts_checks_and_stops_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = ensure_installed().folder
    (tmp_path / installed.name).symlink_to(installed)
    monkeypatch.setenv("MANYSHOT_CACHE", str(tmp_path))
    try:
        assert " is running at http://127.0.0.1:" in manyshot("start").stdout
        check = manyshot("check")
        assert (check.returncode, check.stderr) == (0, "")
        assert "ComfyUI 0.3.75 on " in check.stdout
    finally:
        assert manyshot("stop").stdout.startswith("Stopped http://127.0.0.1:")


def manyshot(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from manyshot.cli import main; main()", "server", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
