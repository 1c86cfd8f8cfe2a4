"""Runs use the server that `manyshot server start` left running, unless it may mislead them."""

import os
from pathlib import Path

import pytest
from manyshot.core.version import read_version
from manyshot.driver.embedded import shared
from manyshot.driver.embedded.background import BackgroundServer
from manyshot.driver.embedded.ready import ServerFacts
from manyshot.driver.embedded.shared import share_background

NAME = "loras/rex.safetensors"
Running = tuple[BackgroundServer, list[str]]


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BackgroundServer:
    server = BackgroundServer(
        url="http://127.0.0.1:1", version="0.3.75", folder=tmp_path / "server", log=tmp_path,
        guardian=1, guardian_started=0, comfyui=1, comfyui_started=0, manyshot=read_version(),
    )  # fmt: skip
    monkeypatch.setattr(shared, "find_background", lambda: server)
    facts = ServerFacts("0.3.75", "2.11", "cpu")
    monkeypatch.setattr(BackgroundServer, "facts", lambda _: facts)
    return server


@pytest.fixture
def subject(tmp_path: Path) -> Path:
    path = tmp_path / "rex.safetensors"
    path.write_bytes(b"first")
    os.utime(path, (1, 1))
    return path


def test_none_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "find_background", lambda: None)
    sentences: list[str] = []
    assert share_background({}, sentences.append) is None
    assert sentences == []


def test_it_is_used_with_the_recipes_files(running: BackgroundServer, subject: Path) -> None:
    sentences: list[str] = []
    for _ in range(2):  # the same file again is the same
        assert share_background({NAME: subject}, sentences.append) is running
    assert (running.folder / "models" / NAME).read_bytes() == b"first"
    assert sentences == ["Using the ComfyUI that runs at http://127.0.0.1:1"] * 2


def test_a_file_that_changed_since_is_not_drawn_from_memory(
    running: BackgroundServer, subject: Path
) -> None:
    sentences: list[str] = []
    assert share_background({NAME: subject}, sentences.append)
    later = (running.folder / "models" / NAME).lstat().st_mtime + 1
    os.utime(subject, (later, later))
    assert share_background({NAME: subject}, sentences.append) is None
    assert sentences[-1].endswith(
        f"may have cached another version of {NAME}; this run starts its own."
    )


def test_another_file_of_the_name_is_not_taken_for_it(
    running: BackgroundServer, subject: Path, tmp_path: Path
) -> None:
    sentences: list[str] = []
    other = tmp_path / "other.safetensors"
    other.write_bytes(b"other")
    assert share_background({NAME: other}, sentences.append)
    assert share_background({NAME: subject}, sentences.append) is None
    assert (running.folder / "models" / NAME).read_bytes() == b"other"


@pytest.mark.parametrize("version", [None, "0.0.1"])
def test_nodes_of_another_manyshot_are_not_used(
    version: str | None, running: BackgroundServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = running.model_copy(update={"manyshot": version})
    monkeypatch.setattr(shared, "find_background", lambda: earlier)
    sentences: list[str] = []
    assert share_background({}, sentences.append) is None
    assert "runs the nodes of manyshot" in sentences[0]


def test_one_that_does_not_answer_is_left(
    running: BackgroundServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BackgroundServer, "facts", lambda _: None)
    sentences: list[str] = []
    assert share_background({}, sentences.append) is None
    assert "does not answer" in sentences[0]
