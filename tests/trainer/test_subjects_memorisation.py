"""Pictures that repeat training photos, and which step of a training is chosen."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("peft")
pytest.importorskip("diffusers")

from manyshot.trainer.subjects.evaluation.checkpoint_choice import (
    ScoredCheckpoint,
    choose_checkpoint,
    explain_choice,
    list_checkpoints,
)
from manyshot.trainer.subjects.evaluation.memorisation import (
    crop_centre,
    measure_memorisation,
    square_crops,
)

from ..support.noise_photos import photo


@pytest.mark.parametrize(("height", "width"), [(48, 48), (48, 80), (80, 48), (48, 49)])
def test_square_crops_span_the_photo(height: int, width: int) -> None:
    image = photo(0, height, width)
    crops = square_crops(image)
    assert {crop.shape for crop in crops} == {(48, 48, 3)}
    assert np.array_equal(crops[0], image[:48, :48])
    assert np.array_equal(crops[-1], image[-48:, -48:])
    assert crop_centre(image).shape == (48, 48, 3)


def test_crops_of_training_photos_are_found_and_others_are_not() -> None:
    training, others = [photo(i) for i in range(4)], [photo(i) for i in range(10, 20)]
    copies = [square_crops(training[i])[-1][:, ::-1] for i in (2, 0)]
    fresh = [square_crops(image)[0] for image in others[:2]]
    found = measure_memorisation([*copies, *fresh], training, others)
    assert found.share == 0.5
    assert found.expected == 0
    assert found.excess == 0.5
    assert found.photo[:2].tolist() == [2, 0]


def test_memory_is_in_excess_of_what_photos_have_by_chance() -> None:
    alike = [photo(0) for _ in range(3)]
    found = measure_memorisation(alike, alike[:1], alike)
    assert (found.share, found.expected, found.excess) == (1, 1, 0)


def scored(*found: tuple[float, float]) -> list[ScoredCheckpoint]:
    return [ScoredCheckpoint(Path(f"{i}"), 10 * i, *one) for i, one in enumerate(found, 1)]


@pytest.mark.parametrize(
    ("found", "step", "said"),
    [
        ([(0.5, 0.0), (0.7, 0.05), (0.6, 0.0)], 20, "Step 20 is the most similar (0.700) of 3"),
        ([(0.5, 0.0), (0.7, 0.4), (0.6, 0.1)], 30, "1 of them excluded for repeating"),
        ([(0.7, 0.0), (0.7, 0.0)], 10, "Step 10"),
        (
            [(0.5, 0.3), (0.7, 0.9)],
            10,
            "At every step more than 10 % of the pictures repeat a training photo",
        ),
    ],
)
def test_the_most_like_step_that_does_not_copy_is_chosen(
    found: list[tuple[float, float]], step: int, said: str
) -> None:
    looks = scored(*found)
    chosen = choose_checkpoint(looks, 0.1)
    assert chosen.step == step
    assert said in explain_choice(chosen, looks, 0.1)


def test_looks_are_told_from_those_of_other_files(tmp_path: Path) -> None:
    (tmp_path / "looks").mkdir()
    for name in ("a-000010", "a-000002", "a-b-000002", "ab-000002", "a-x"):
        (tmp_path / "looks" / f"{name}.safetensors").touch()
    assert list(list_checkpoints(tmp_path / "a.safetensors")) == [2, 10]
    assert list_checkpoints(tmp_path / "looks" / "a.safetensors") == {}
