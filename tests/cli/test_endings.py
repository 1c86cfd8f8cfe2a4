"""Ctrl-C, SIGTERM and a closed terminal end every command in the same way, unless ignored."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from manyshot import cli
from manyshot.core.endings import termination_signals, treat_as_interrupt

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
ENDINGS = [signal.SIGTERM, signal.SIGHUP]
# The command's words, and what does its work.
COMMANDS = {
    "run recipe.yaml": "manyshot.driver.recipe.read_recipe",
    "measure recipe.yaml": "manyshot.core.recipe_file.read_recipe_file",
    "shots recipe.yaml photos": "manyshot.core.recipe_file.read_recipe_file",
    "subject train recipe.yaml": "manyshot.core.recipe_file.read_recipe_file",
    "curate a --real b --output c": "manyshot.trainer.curation.curate.curate",
    "export a --to coco --output b": "manyshot.driver.export.export_dataset.export",
    "demo": "manyshot.driver.embedded.source.ensure_installed",
}


@pytest.fixture(autouse=True)
def _default_handlers() -> Iterator[None]:
    before = {number: signal.signal(number, signal.SIG_DFL) for number in ENDINGS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, *ENDINGS])
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_ends_as_by_ctrl_c(
    command: str,
    number: signal.Signals,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    if command.startswith(("curate", "measure", "shots", "subject", "demo")):
        pytest.importorskip("torch")

    def end(*_: object, **__: object) -> NoReturn:
        os.kill(os.getpid(), number)
        raise AssertionError("it goes on")

    monkeypatch.chdir(tmp_path_factory.mktemp("work"))
    for folder in ("a", "b", "photos"):
        Path(folder).mkdir()
    monkeypatch.setattr(COMMANDS[command], end)
    monkeypatch.setattr(sys, "argv", ["manyshot", *command.split()])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 130


@pytest.mark.parametrize("number", ENDINGS)
def test_what_is_ignored_stays_so(number: signal.Signals) -> None:
    """nohup ignores SIGHUP for the command that it starts."""
    signal.signal(number, signal.SIG_IGN)
    treat_as_interrupt()
    os.kill(os.getpid(), number)
    assert signal.getsignal(number) is signal.SIG_IGN
    assert termination_signals() == [other for other in ENDINGS if other != number]


@pytest.mark.parametrize("number", [signal.SIGINT, *ENDINGS])
def test_a_training_ends_after_its_step(number: signal.Signals) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("diffusers")
    from manyshot.trainer.training import Clock, stoppable

    clock = Clock(5, None)
    with stoppable(clock):
        os.kill(os.getpid(), number)
        assert clock.over
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
