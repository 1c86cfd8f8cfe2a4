"""The archive for the ComfyUI registry: tracked files without those of .comfyignore."""

import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from manyshot.driver.embedded import EmbeddedServer, base_directory
from manyshot.driver.embedded.cache_folders import models_folder
from manyshot.driver.embedded.server_settings import ServerSettings

from ..support.patience import PATIENCE
from ..support.server_client import Client
from ..support.tiny_graphs import drawn, stock_graph
from ..support.train_graphs import train_graph

ROOT = Path(__file__).parents[2]


def _git(*arguments: str) -> set[str]:
    command = ["git", "ls-files", "-z", *arguments]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return set(listed.stdout.decode().split("\0")) - {""}


@pytest.fixture(scope="module")
def archived() -> set[str]:
    """The names that `comfy node pack` puts into the archive."""
    return _git() - _git("-ci", "--exclude-from=.comfyignore")


def test_it_holds_every_package_with_its_data(archived: set[str]) -> None:
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = [package.replace(".", "/") for package in setuptools["packages"]]
    inside = {f"manyshot/{name}" for name in archived}
    assert [folder for folder in folders if f"{folder}/__init__.py" not in inside] == []
    for package, patterns in setuptools["package-data"].items():
        folder = ROOT / Path(*package.split(".")[1:])
        data = {str(path.relative_to(ROOT)) for each in patterns for path in folder.glob(each)}
        assert data - archived == set(), package
    assert {"pyproject.toml", "README.md", "LICENSE", "NOTICE", "requirements.txt"} <= archived


def test_it_holds_nothing_that_only_developers_need(archived: set[str]) -> None:
    tops = {name.partition("/")[0] for name in archived}
    assert tops & {"tests", "docs", "benchmarks", "tools", ".ci", "constraints.txt"} == set()


@pytest.fixture(scope="module")
def unpacked(archived: set[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive as ComfyUI-Manager unpacks it into custom_nodes."""
    pack = tmp_path_factory.mktemp("registry") / "manyshot"
    for name in sorted(archived):
        if (ROOT / name).is_file():  # a deleted file is tracked until the next commit
            (pack / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, pack / name)
    return pack


@pytest.fixture(scope="module")
def packed_comfyui(unpacked: Path, _test_cache: None) -> Iterator[EmbeddedServer]:
    """A real ComfyUI whose only manyshot is the unpacked archive, and whose models folder is
    empty: nothing of this checkout is linked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base_directory, "PACKAGE", unpacked)
        patch.setattr(base_directory, "TINY_MODEL", unpacked / "nothing")
        patch.setattr(base_directory, "TINY_CONTROLNETS", {})
        with EmbeddedServer(ServerSettings(device="cpu")) as server:
            yield server


def _choices(url: str, loader: str, name: str) -> list[str]:
    info = requests.get(f"{url}/object_info/{loader}", timeout=30).json()
    kind, *options = info[loader]["input"]["required"][name]
    return kind if isinstance(kind, list) else options[0]["options"]


@pytest.mark.server
def test_its_own_weights_are_offered_to_stock_loaders(packed_comfyui: EmbeddedServer) -> None:
    url = packed_comfyui.url
    assert _choices(url, "CheckpointLoaderSimple", "ckpt_name") == ["manyshot-tiny.safetensors"]
    assert _choices(url, "ControlNetLoader", "control_net_name") == [
        "manyshot-tiny-canny.safetensors",
        "manyshot-tiny-segmentation.safetensors",
    ]


@pytest.mark.server
def test_it_draws_and_trains_in_a_real_comfyui(packed_comfyui: EmbeddedServer) -> None:
    assert len(drawn(packed_comfyui.url, stock_graph(steps=1))) == 2
    client = Client(packed_comfyui.url)
    client.socket.settimeout(PATIENCE)
    token = "archive-test-m1"
    try:
        assert client.run(train_graph(token=token)).error is None
    finally:
        client.socket.close()
        (models_folder() / "loras" / f"{token}.safetensors").unlink(missing_ok=True)
