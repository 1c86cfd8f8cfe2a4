"""What test files share: the real ComfyUI, started once, and a fake one that starts at once."""

import importlib.util
import os
import random
import signal
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import settings
from manyshot.core.subject_file import Method
from manyshot.driver.embedded import EmbeddedServer, ServerSettings

if TYPE_CHECKING:
    from .support.server_client import Client

TESTS = Path(__file__).parent

# The same examples in every run: a failure is one of the code, not of a slow machine, which a
# deadline would make one. `make explore` looks further.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("explore", derandomize=False, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


def pytest_configure() -> None:
    """Background jobs and nohup begin with signals ignored, and what we start would inherit that;
    a signal with a handler is back at its default there."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, lambda *_: None)


@pytest.fixture(autouse=True)
def _seeds() -> None:
    """Every test draws the same random numbers, whatever ran before it."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - libraries draw from it
    if torch := sys.modules.get("torch"):
        torch.manual_seed(0)


@pytest.fixture(scope="session", autouse=True)
def _test_cache() -> None:
    """MANYSHOT_TEST_CACHE replaces the user's cache for the whole run."""
    if cache := os.environ.get("MANYSHOT_TEST_CACHE"):
        os.environ["MANYSHOT_CACHE"] = cache


@pytest.fixture
def manyshot(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Call the command line; gives its exit code and all it said on one line."""

    from manyshot.cli import main

    def call(*words: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["manyshot", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return int(ended.value.code or 0), " ".join((said.out + said.err).split())

    return call


@pytest.fixture(scope="session")
def comfyui(_test_cache: None) -> Iterator[EmbeddedServer]:
    """A running ComfyUI on the CPU with the node pack and the nodes of tests/stub_nodes.

    One for the whole run: leave its queue empty, and use server.restart() if you kill it.
    """
    if importlib.util.find_spec("torch") is None:
        pytest.skip('torch is not installed: pip install "manyshot[server]"')
    settings = ServerSettings(device="cpu", extra_nodes=(TESTS / "stub_nodes",))
    with EmbeddedServer(settings) as server:
        yield server


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of its own for one test."""
    monkeypatch.setenv("MANYSHOT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of few jobs end at once: lanes look often, and what failed is tried again at once."""
    monkeypatch.setattr("manyshot.driver.worker.TICK", 0.02)
    monkeypatch.setattr("manyshot.driver.dispatch.BACKOFF", {})


@pytest.fixture(scope="session")
def fake_comfyui() -> Path:
    """A ComfyUI folder whose main.py answers /system_stats and does nothing else."""
    return TESTS / "fake_comfyui"


@pytest.fixture(scope="session")
def trained_subjects(comfyui: EmbeddedServer) -> Iterator[dict[Method, Path]]:
    """The server's files of trained subjects, one of each method."""
    from .support.trained_subjects import write_trained

    found = write_trained(comfyui.folder / "models")
    yield found
    for path in found.values():
        path.unlink(missing_ok=True)


@pytest.fixture
def client(comfyui: EmbeddedServer) -> "Iterator[Client]":
    """A websocket client of the server."""
    from .support.server_client import Client

    made = Client(comfyui.url)
    yield made
    made.socket.close()


@pytest.fixture
def pairs(comfyui: EmbeddedServer) -> Iterator[Path]:
    """A folder of its own inside the server's input folder, with three labelled photos."""
    from .support.mask_graphs import write_pairs

    folder = comfyui.folder / "input" / f"test-{uuid.uuid4().hex}"
    write_pairs(folder)
    yield folder
    rmtree(folder)
