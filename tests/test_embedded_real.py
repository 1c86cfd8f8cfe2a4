"""The real ComfyUI, as the embedded server starts it."""

import pytest
import requests
from manyshot.driver.embedded import EmbeddedServer

STUBS = {"StubSleep", "StubRaise", "StubOOM", "StubSlowLoader"}


@pytest.mark.server
def test_has_the_stock_nodes_the_stubs_and_the_websocket_node(comfyui: EmbeddedServer) -> None:
    nodes = requests.get(f"{comfyui.url}/object_info", timeout=30).json()
    assert {"EmptyImage", "SaveImage", "SaveImageWebsocket", "KSampler"} | STUBS <= nodes.keys()


@pytest.mark.server
def test_says_its_version_and_device(comfyui: EmbeddedServer) -> None:
    assert (comfyui.facts.version, comfyui.facts.device) == ("0.3.75", "cpu")
