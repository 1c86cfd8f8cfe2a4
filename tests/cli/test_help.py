"""`--help` of every command: examples that are right, and no word broken where lines are short."""

import re
import shlex
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from manyshot.cli import app
from manyshot.cli.examples import EXAMPLES
from typer.main import get_command

Manyshot = Callable[..., tuple[int, str]]
ROOT: Any = get_command(app)


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The words and the command of all that `--help` lists."""
    for name, command in group.commands.items():
        if command.hidden:
            continue
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


LISTED = dict(commands(ROOT))


def test_every_listed_command_has_examples() -> None:
    assert {" ".join(path) for path in LISTED} == set(EXAMPLES)


@pytest.mark.parametrize("path", LISTED, ids=" ".join)
def test_examples_are_right_words_for_their_command(path: tuple[str, ...]) -> None:
    for example in EXAMPLES[" ".join(path)]:
        words = shlex.split(example)
        assert tuple(words[: len(path) + 1]) == ("manyshot", *path)
        rest = words[len(path) + 1 :]
        context = LISTED[path].make_context(words[-1], rest, resilient_parsing=True)
        assert not context.args
        assert example in LISTED[path].epilog


@pytest.mark.parametrize("path", [(), *LISTED], ids=" ".join)
def test_no_word_is_broken_at_60_columns(
    path: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def words(columns: int) -> set[str]:
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setattr("sys.argv", ["manyshot", *path, "-h"])
        from manyshot.cli import main

        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 0
        text = capsys.readouterr().out
        assert max(map(len, text.splitlines())) <= columns or columns > 60
        return set(text.split())

    assert words(60) - words(200) == set()


def test_developers_commands_are_not_listed_and_can_be_called(manyshot: Manyshot) -> None:
    assert not re.search(r"^ *base\b", manyshot("--help")[1], re.MULTILINE)
    for command in (
        "train",
        "train-autoencoder",
        "train-controlnet",
        "export",
        "import",
        "evaluate",
    ):
        assert manyshot("base", command)[0] == 2, "it has left the product"
    for words in (("webui", "add-tiny-model"), ("base", "webui")):
        code, text = manyshot(*words, "--help")
        assert code == 0
        assert "Add manyshot-tiny to AUTOMATIC1111's WebUI" in text


def test_the_version_and_short_help(manyshot: Manyshot) -> None:
    assert manyshot("--version")[1].startswith("manyshot ")
    assert manyshot("run", "-h") == manyshot("run", "--help")
