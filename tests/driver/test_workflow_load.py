"""Workflow files as they come, good and hostile, and the command line over them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manyshot.cli import app
from manyshot.core.errors import InputError
from manyshot.driver.workflow.read_workflow import MAX_BYTES, parse_json, read_workflow, to_graph
from PIL import Image, PngImagePlugin
from typer.testing import CliRunner

from ..support.workflow_strategies import CATALOGUE, DATA, WORKFLOWS

INFO = DATA / "object_info.json"


def expected(name: str) -> Any:
    return json.loads((WORKFLOWS / f"{name}.api.json").read_text())


def png_with(path: Path, **texts: str) -> Path:
    info = PngImagePlugin.PngInfo()
    for key, text in texts.items():
        info.add_text(key, text)
    Image.new("RGB", (8, 8)).save(path, pnginfo=info)
    return path


def test_api_file_needs_no_catalogue() -> None:
    assert read_workflow(WORKFLOWS / "txt2img.api.json") == expected("txt2img")


def test_ui_file_is_converted() -> None:
    assert read_workflow(WORKFLOWS / "subgraph.json", CATALOGUE) == expected("subgraph")
    with pytest.raises(InputError, match="UI format"):
        read_workflow(WORKFLOWS / "subgraph.json")


def test_png_of_comfyui_is_read(tmp_path: Path) -> None:
    text = json.dumps(expected("txt2img")).replace("42", "NaN")
    graph = read_workflow(png_with(tmp_path / "a.png", prompt=text))
    assert graph["5"]["inputs"]["seed"] is None


def test_request_body_and_byte_order_mark_are_read(tmp_path: Path) -> None:
    body = {"prompt": expected("txt2img"), "client_id": "x"}
    path = tmp_path / "a.json"
    path.write_text(json.dumps(body), encoding="utf-8-sig")
    assert read_workflow(path) == expected("txt2img")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "line 1, column 1: broken JSON"),
        (b'{"1":\n {,}}', "line 2, column 3: broken JSON"),
        (b"\xff\xfe", "is not UTF-8, but UTF-16"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"1": {"class_type": "A", "inputs": {"x": ' + b"9" * 9000 + b"}}}", "too many digits"),
        (b"[]", "is not a ComfyUI workflow"),
        (b"3", "is not a ComfyUI workflow"),
        (b"{}", "is not a ComfyUI workflow"),
        (b'{"prompt": {}}', "is not a ComfyUI workflow"),
        (b'{"nodes": 3}', "is not a ComfyUI workflow"),
        (b"\x89PNG\r\n\x1a\nxxxx", "flow.json cannot be read ("),
    ],
)
def test_bad_file_is_one_sentence(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "flow.json"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_workflow(path, CATALOGUE)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_png_without_workflow_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="contains no workflow"):
        read_workflow(png_with(tmp_path / "a.png", parameters="a cat"))


def test_large_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(InputError, match="larger than 50 MB"):
        read_workflow(path)


@pytest.mark.parametrize("name", ["missing.json", ".", "a\0b"])
def test_path_that_is_no_file_is_one_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"cannot be read|is not a file"):
        read_workflow(tmp_path / name)


@pytest.mark.skipif(os.name == "nt", reason="devices and pipes")
def test_device_without_end_is_refused() -> None:
    with pytest.raises(InputError, match="is not a file"):
        read_workflow(Path("/dev/zero"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["nodes", "links", "prompt", "1", "class_type", "inputs", "id", "type"])
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_any_json_is_a_graph_or_a_sentence(data: Any) -> None:
    said = _graph_or_sentence(data)
    assert isinstance(said, dict) or ("f.json" in said and "\n" not in said)


@given(st.text(max_size=60))
def test_any_text_is_json_or_a_sentence(text: str) -> None:
    try:
        parse_json(text, "f.json")
    except InputError as error:
        sentence = str(error)
        assert sentence.startswith("f.json")  # noqa: PT017


def test_check_finds_nothing_and_something(tmp_path: Path) -> None:
    good = _manyshot("check", str(WORKFLOWS / "txt2img.json"), "--object-info", str(INFO))
    assert (good.exit_code, "7 nodes, no problem" in good.output) == (0, True)
    graph = expected("txt2img")
    graph["5"]["inputs"]["sampler_name"] = "eulr"
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(graph))
    bad = _manyshot("check", str(path), "--object-info", str(INFO))
    assert (bad.exit_code, "nearest is 'euler'" in bad.output) == (2, True)


def test_convert_writes_the_api_file(tmp_path: Path) -> None:
    target = tmp_path / "new" / "api.json"
    source = str(WORKFLOWS / "subgraph_nested.json")
    result = _manyshot("convert", source, "-o", str(target), "--object-info", str(INFO))
    assert result.exit_code == 0
    assert json.loads(target.read_text()) == expected("subgraph_nested")


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ([], 2, "--server URL or --object-info FILE"),
        (["--server", "localhost:8188"], 2, "is not a server address"),
        (["--server", "http://[::1"], 2, "is not a server address"),
        (["--server", "http://127.0.0.1:9"], 1, "did not answer"),
        (["--object-info", str(WORKFLOWS / "txt2img.api.json")], 2, "not a server's answer"),
    ],
)
def test_command_ends_with_a_sentence_and_a_code(options: list[str], code: int, words: str) -> None:
    command = [sys.executable, "-c", "from manyshot.cli import main; main()", "workflow", "check"]
    result = subprocess.run(
        [*command, str(WORKFLOWS / "txt2img.json"), *options],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "COLUMNS": "500"},
    )
    assert result.returncode == code
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def _manyshot(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["workflow", *arguments], env={"COLUMNS": "500"})


def _graph_or_sentence(data: Any) -> Any:
    try:
        return to_graph(data, CATALOGUE, "f.json")
    except InputError as error:
        return str(error)
