"""Losses of trainings beside the console: TensorBoard's files, W&B without a network."""

from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

pytest.importorskip("tensorboard")

from manyshot.core import extras
from manyshot.core.errors import InputError
from manyshot.trainer.training_log import FOLDER, METRIC, LogKind, open_log
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

LOSSES = {"a": [(10, 0.5), (20, 0.25)], "b": [(10, 0.75)]}


def log_losses(kind: LogKind | None, output: Path) -> None:
    with open_log(kind, output) as log_loss:
        for name, losses in LOSSES.items():
            for step, loss in losses:
                log_loss(name, step, loss)


def test_tensorboard_has_a_run_for_each_file(tmp_path: Path) -> None:
    log_losses("tensorboard", tmp_path)
    for name, losses in LOSSES.items():
        events = EventAccumulator(str(tmp_path / FOLDER / name)).Reload()
        assert [(event.step, event.value) for event in events.Scalars(METRIC)] == losses


def test_wandb_keeps_them_here_when_it_is_offline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    log_losses("wandb", tmp_path)
    assert len(list((tmp_path / FOLDER).glob("wandb/offline-run-*/*.wandb"))) == len(LOSSES)


def test_without_a_log_nothing_is_written(tmp_path: Path) -> None:
    log_losses(None, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_the_extra_a_sentence_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(extras, "version", version)
    with pytest.raises(InputError, match="`--log wandb` needs Python packages that are missing"):
        log_losses("wandb", tmp_path)
