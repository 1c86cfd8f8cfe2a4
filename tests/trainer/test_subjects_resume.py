"""Trainings of subjects go on with their own photos, words and settings alone, and end without a
file when they leave the range of numbers."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("peft")
pytest.importorskip("diffusers")

from manyshot.core.errors import InputError, ManyshotError
from manyshot.core.recipe_file import parse_recipe_data
from manyshot.core.sole_use import sole_use
from manyshot.core.subject_file import read_subject_file
from manyshot.trainer.subjects import fit
from manyshot.trainer.subjects import train_subject as train
from manyshot.trainer.subjects.machine import Machine
from manyshot.trainer.subjects.subject_photos import NewSubject, Photo, photos_from_arrays
from manyshot.trainer.subjects.subject_recipe import SubjectRecipe
from manyshot.trainer.subjects.subject_settings import Settings
from manyshot.trainer.subjects.token_embeddings import Token
from manyshot.trainer.subjects.train_recipe import is_trained, train_recipe
from manyshot.trainer.subjects.train_subject import train_subjects
from torch import Tensor

from ..support.opened_bases import opened

METHODS = ("textual_inversion", "lora", "dreambooth")
LORA = Settings(method="lora", rank=2, steps=4, every=2, batch=2)
Change = Callable[[NewSubject, Settings], tuple[NewSubject, Settings]]


@pytest.fixture(scope="module")
def subject() -> NewSubject:
    return NewSubject(Token("blot-m1", "dog"), _photos(0), "blot")


def _photos(seed: int) -> list[Photo]:
    rng = np.random.default_rng(seed)
    return photos_from_arrays(
        [rng.integers(0, 255, (128, 160, 3), np.uint8) for _ in range(3)], 128
    )


def _train(
    folder: Path, subject: NewSubject, settings: Settings, stepped: Callable[[int], None]
) -> Path:
    path = folder / "blot-m1.safetensors"
    own = (opened(), [subject], settings, Machine(), path)
    return train_subjects(*own, on_step=stepped, samples=0).path


def _on(step: int) -> None:
    del step


def _interrupt(step: int) -> None:
    raise KeyboardInterrupt


@pytest.fixture(scope="module")
def cut(subject: NewSubject, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training that was interrupted."""
    folder = tmp_path_factory.mktemp("cut")
    with pytest.raises(KeyboardInterrupt):
        _train(folder, subject, LORA, _interrupt)
    return folder


def _boxed(photos: list[Photo]) -> list[Photo]:
    return [replace(photo, box=(0, 0, 64, 64)) for photo in photos]


CHANGES: dict[str, Change] = {
    "different photos": lambda s, how: (replace(s, photos=_photos(1)), how),
    "different words": lambda s, how: (replace(s, token=Token("blot-m1", "cat")), how),
    "different captions": lambda s, how: (
        replace(s, photos=[replace(photo, context="on grass") for photo in s.photos]),
        how,
    ),
    "different masks or boxes": lambda s, how: (replace(s, photos=_boxed(s.photos)), how),
    "rate was 0.005 and is now 0.1": lambda s, how: (s, how.model_copy(update={"rate": 0.1})),
    "rank was 2 and is now 4": lambda s, how: (s, how.model_copy(update={"rank": 4})),
    "seed was 0 and is now 1": lambda s, how: (s, how.model_copy(update={"seed": 1})),
}


@pytest.mark.parametrize("said", CHANGES)
def test_an_interrupted_training_goes_on_with_nothing_else(
    said: str, subject: NewSubject, cut: Path
) -> None:
    before = {path: path.read_bytes() for path in cut.glob("*.training")}
    with pytest.raises(InputError) as caught:
        _train(cut, *CHANGES[said](subject, LORA), _on)
    assert f"was started with different settings: {said}" in str(caught.value)
    assert {path: path.read_bytes() for path in cut.iterdir() if path.is_file()} == before


def test_another_base_is_told(subject: NewSubject, cut: Path) -> None:
    base = replace(opened(), digest="0" * 64)
    with pytest.raises(InputError, match="was started with different settings: different base"):
        train_subjects(base, [subject], LORA, Machine(), cut / "blot-m1.safetensors", samples=0)


def test_a_finished_file_is_another_with_other_captions_or_masks(
    subject: NewSubject, tmp_path: Path
) -> None:
    path = _train(tmp_path, subject, LORA, _on)
    assert is_trained(path, LORA, opened(), [subject])
    for said in CHANGES:
        changed, settings = CHANGES[said](subject, LORA)
        with pytest.raises(InputError, match="was trained with a different base, photos"):
            is_trained(path, settings, opened(), [changed])
    assert read_subject_file(path).subjects[0].photos == tuple(p.digest for p in subject.photos)


def test_two_trainings_into_one_folder_are_refused(tmp_path: Path) -> None:
    data = {
        "output": str(tmp_path),
        "subjects": [{"token": "a-m1", "noun": "dog", "photos": [str(tmp_path)]}],
    }
    recipe = parse_recipe_data(SubjectRecipe, data, "r.yaml")
    tokenizer = opened().text_towers[0].tokenizer
    with sole_use(tmp_path), pytest.raises(InputError, match="Another manyshot is using"):
        train_recipe(recipe, tmp_path / "none", tokenizer, Machine())


LOSS = fit.batch_loss


def _no_number(*given: Any) -> Tensor:
    return LOSS(*given) * float("nan")


@pytest.fixture(params=METHODS)
def method(request: pytest.FixtureRequest) -> Iterator[str]:
    return request.param


def _diverged(folder: Path, subject: NewSubject, settings: Settings) -> str:
    with pytest.raises(ManyshotError) as caught:
        _train(folder, subject, settings, _on)
    assert caught.value.exit_code == 1
    assert not [path for path in folder.iterdir() if path.is_file()]
    return str(caught.value)


@pytest.mark.parametrize("held_out", [0, 1])
def test_a_loss_that_is_no_number_ends_without_a_file(
    method: str,
    held_out: int,
    subject: NewSubject,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fit, "batch_loss", _no_number)
    settings = Settings.model_validate(
        {**LORA.model_dump(), "method": method, "held_out": held_out, "rate": 0.5}
    )
    said = _diverged(tmp_path, subject, settings)
    what = "loss of the held-out photos" if held_out else "loss"
    assert said == (
        f"The training of blot-m1 ({method}, rate 0.5) failed at step 0: the {what} is no "
        "longer a number (nan). Nothing was written. Train it again with a lower 'rate': a tenth, "
        "or leave it out for the default."
    )


def test_weights_that_half_precision_cannot_hold_end_without_a_file(
    method: str, subject: NewSubject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = train.adapt_base

    def huge(*given: Any) -> Any:
        adapted = real(*given)
        first = next(iter(adapted.parameters.values()))[0]
        adapted.base.on("cpu")
        first.data.fill_(float("inf") if method == "textual_inversion" else 1e6)
        return adapted

    monkeypatch.setattr(train, "adapt_base", huge)
    monkeypatch.setattr(fit._Fit, "take_step", _counted)
    monkeypatch.setattr(fit._Fit, "_validation_loss", lambda *_: 1.0)
    settings = Settings.model_validate({**LORA.model_dump(), "method": method})
    assert "would contain values that are not numbers" in _diverged(tmp_path, subject, settings)


def _counted(run: Any, workers: object) -> None:
    run.clock.step += 1
