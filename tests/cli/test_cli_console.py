"""Text of users is text on the terminal: no markup, no emoji, no control sequences."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manyshot.cli import app
from manyshot.cli.console import PlainConsole, show_controls
from typer.testing import CliRunner

HOSTILE = [
    "[a|b]",
    "[/b]",
    "[bold]x[/bold]",
    ":cat:",
    "[link=http://x]y[/link]",
    "a\x1b[2Jb",
    "\\[x]",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_console_shows_text_as_it_is(text: str) -> None:
    console = PlainConsole()
    with console.capture() as capture:
        console.print(text)
    assert capture.get().strip() == show_controls(text)
    assert "\x1b" not in capture.get()


@pytest.mark.parametrize("soft_wrap", [True, False])
def test_a_terminal_breaks_no_word(soft_wrap: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("manyshot.cli.console.is_redrawn", lambda console: True)
    monkeypatch.setenv("COLUMNS", "60")
    console = PlainConsole(soft_wrap=soft_wrap)
    console.file = io.StringIO()
    sentence = "A folder /a/path/" + "x" * 70 + " and well-known words " * 5
    console.print(sentence)
    lines = console.file.getvalue().splitlines()
    assert [word for line in lines for word in line.split()] == sentence.split()
    assert [line for line in lines if len(line) > 60] == ["/a/path/" + "x" * 70]


def test_a_pipe_gets_a_sentence_as_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    console = PlainConsole()
    console.file = io.StringIO()
    sentence = " ".join(["word"] * 40)
    console.print(sentence)
    assert console.file.getvalue() == sentence + "\n"


@given(st.text())
def test_whatever_is_shown_cannot_steer_a_terminal(text: str) -> None:
    shown = show_controls(text)
    assert all(c.isprintable() or c in "\n\t" for c in shown)
    assert not text.isprintable() or shown == text


def test_plan_shows_prompts_as_they_are(tmp_path: Path) -> None:
    graph = (
        '{"1": {"class_type": "CLIPTextEncode", "inputs": {"text": "", "clip": ["2", 0]}},'
        '"3": {"class_type": "KSampler", "inputs": {"seed": 0}},'
        '"9": {"class_type": "SaveImage", "inputs": {"images": ["3", 0], "x": ["1", 0]}}}'
    )
    (tmp_path / "graph.json").write_text(graph)
    (tmp_path / "recipe.yaml").write_text(
        f"workflow: {tmp_path}/graph.json\noutput: {tmp_path}/out\nclasses: [cat]\n"
        "images_per_class: 1\nprompts: {templates: ['x [/b] :cat: [red]y']}\n"
        "bind: {CLIPTextEncode.text: $prompt, KSampler.seed: $seed}\n"
    )
    result = CliRunner().invoke(
        app, ["plan", str(tmp_path / "recipe.yaml")], env={"COLUMNS": "200"}
    )
    assert result.exit_code == 0, result.output
    assert "x [/b] :cat: [red]y" in result.output
