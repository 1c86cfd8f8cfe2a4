"""Images made with subjects: added only to draws that hold every photo learned from."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torchmetrics")

from manyshot.core.errors import InputError
from manyshot.core.records import MANIFEST, METADATA, Record, read_training_photos
from manyshot.trainer.images import content_digest
from manyshot.trainer.measure.added import select_added, usable, without_sources
from manyshot.trainer.measure.arms import Arm
from manyshot.trainer.measure.caveats import notes_on_synthetic, retrains_each_draw
from manyshot.trainer.measure.draws import draw_shots, folds
from manyshot.trainer.measure.example_table import Table
from manyshot.trainer.measure.grid import Grid
from manyshot.trainer.measure.material import Material, make_table
from manyshot.trainer.measure.measure_recipe import Data, MeasureRecipe
from manyshot.trainer.measure.photos import lay_out_shots
from manyshot.trainer.measure.sources import Dataset, Example, folder_dataset
from manyshot.trainer.measure.synthetic import read_synthetic
from manyshot.trainer.measure.tune import candidates

from ..support.photo_folders import fill, picture

CLASSES = ("cat", "dog")
Learned = Mapping[str, Sequence[str]]  # class name -> sha256 of its photos


@pytest.fixture
def data(tmp_path: Path) -> Dataset:
    return folder_dataset(fill(tmp_path / "photos", 16))


def made_with(folder: Path, learned: Learned, each: int = 6, known: bool = True) -> Path:
    """A dataset folder made with one file that holds a subject of each class."""
    records = []
    for label, name in enumerate(CLASSES):
        for number in range(each):
            file = folder / f"images/{name}/{number}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            picture(50_000 + 100 * sum(map(ord, folder.name)) + 10 * label + number).save(file)
            record = Record(
                file_name=str(file.relative_to(folder)),
                class_name=name,
                label=label,
                subject=f"{name}-m1",
            )
            records.append(record)
    (folder / METADATA).write_text("".join(record.line() for record in records))
    subjects = [{"token": f"{n}-m1", "photos": list(photos)} for n, photos in learned.items()]
    facts = {"classes": {name: f"{name}-m1" for name in CLASSES}, "subjects": subjects}
    (folder / MANIFEST).write_text(json.dumps({"subjects": [facts]} if known else {}))
    return folder


def digests(examples: Sequence[Example], name: str) -> list[str]:
    return [content_digest(example.path) for example in examples if example.class_name == name]


def of_draw(data: Dataset, count: int, seed: int) -> Learned:
    shots = draw_shots(make_table(data, []), count, seed).shots
    held = [data.real[row] for row in shots]
    return {name: digests(held, name) for name in CLASSES}


def recipe_of(data: Dataset, folder: Path | list[Path], tmp_path: Path) -> MeasureRecipe:
    given = {"data": Data(path=tmp_path), "synthetic": folder, "output": tmp_path}
    return MeasureRecipe(**given, cache=tmp_path / "cache")


def table_of(data: Dataset, folder: Path | list[Path], tmp_path: Path) -> Table:
    return make_table(data, read_synthetic(recipe_of(data, folder, tmp_path), data))


def test_a_subjects_images_are_added_to_draws_with_all_its_photos(
    data: Dataset, tmp_path: Path
) -> None:
    """One folder for each draw; a draw of more shots holds those of fewer."""
    for seed in range(3):
        made_with(tmp_path / "made" / f"3-{seed}", of_draw(data, 3, seed))
    table = table_of(data, tmp_path / "made", tmp_path)
    first = len(table.real)
    for seed in range(3):
        own = set(range(first + 12 * seed, first + 12 * (seed + 1)))
        for count, held in ((3, own), (5, own), (2, set())):
            draw = draw_shots(table, count, seed)
            found = {int(row) for label in (0, 1) for row in usable(table, draw, label)}
            assert found == held
    with pytest.raises(InputError, match=r"there are 6 \(12 more come from .* draw 0 does not"):
        select_added(table, draw_shots(table, 3, 0), Arm(add="synthetic", ratio=250))


def test_photos_of_the_other_classes_of_a_file_count_too(data: Dataset, tmp_path: Path) -> None:
    learned = {**of_draw(data, 3, 0), "dog": of_draw(data, 3, 1)["dog"]}
    table = table_of(data, made_with(tmp_path / "made", learned), tmp_path)
    for seed in (0, 1):
        assert not len(usable(table, draw_shots(table, 3, seed), CLASSES.index("cat")))


def test_auto_has_nothing_to_choose_by_when_all_shots_were_learned_from(
    data: Dataset, tmp_path: Path
) -> None:
    table = table_of(data, made_with(tmp_path / "made", of_draw(data, 3, 0)), tmp_path)
    draw, arm = draw_shots(table, 3, 0), Arm(add="synthetic", ratio="auto")
    parts = folds(table, draw)
    added = select_added(table, draw, arm.with_mixing(100, "concatenate", None))
    assert len(added.rows) == 6
    assert all(not len(without_sources(table, added, fold.held_out).rows) for fold in parts)
    assert candidates(table, draw, arm, parts) == []


def notes(data: Dataset, folder: Path, tmp_path: Path) -> str:
    recipe = recipe_of(data, folder, tmp_path)
    synthetic = read_synthetic(recipe, data)
    return " ".join(notes_on_synthetic(recipe, data, synthetic, make_table(data, synthetic)))


def test_a_subject_that_learned_from_test_images_is_a_leak(data: Dataset, tmp_path: Path) -> None:
    learned = {**of_draw(data, 3, 0), "dog": digests(data.test, "dog")[:1]}
    with pytest.raises(InputError, match="12 of the images .* subject trained on test"):
        notes(data, made_with(tmp_path / "made", learned), tmp_path)


@pytest.mark.parametrize(
    ("strange", "known", "sentence"),
    [
        ([], True, "12 of the synthetic images were made with a subject trained on real"),
        (["f" * 64], True, "photos of which some are not among the real ones"),
        ([], False, "a subject whose training photos are unknown"),
    ],
)
def test_what_is_known_of_the_photos_is_told(
    data: Dataset, tmp_path: Path, strange: list[str], known: bool, sentence: str
) -> None:
    learned = of_draw(data, 3, 0)
    learned = {**learned, "cat": [*learned["cat"], *strange]}
    assert sentence in notes(data, made_with(tmp_path / "made", learned, known=known), tmp_path)


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"subjects": 3}', '{"subjects": [{"classes": {}}, {"classes": 1}]}']
)
def test_a_manifest_that_cannot_be_understood_gets_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(InputError, match="it is unknown what its subjects were trained on"):
        read_training_photos(tmp_path)


def test_folders_are_read_together_and_an_unfinished_one_is_refused(
    data: Dataset, tmp_path: Path
) -> None:
    one, two = (made_with(tmp_path / "made" / name, {}, each=2) for name in ("one", "two"))
    listed = read_synthetic(recipe_of(data, [one, two], tmp_path), data)
    inside = read_synthetic(recipe_of(data, tmp_path / "made", tmp_path), data)
    assert listed == inside
    assert len({example.name for example in listed}) == len(listed) == 8
    assert listed[0].name == "one/images/cat/0.png"
    (two / METADATA).unlink()
    with pytest.raises(InputError, match=r"two is not one: it has no metadata\.jsonl"):
        read_synthetic(recipe_of(data, tmp_path / "made", tmp_path), data)


def test_each_draw_can_have_a_folder_of_its_own(data: Dataset, tmp_path: Path) -> None:
    recipe = MeasureRecipe(
        data=Data(path=tmp_path / "photos"),
        arms=[Arm(add="real")],
        shots=[1, 3],
        draws=2,
        output=tmp_path / "out",
    )
    assert lay_out_shots(recipe, tmp_path / "shots", each_draw=True) == 2 * 2 * (1 + 3)
    for count in (1, 3):
        for seed in range(2):
            for name, photos in of_draw(data, count, seed).items():
                folder = tmp_path / "shots" / f"{count}-{seed}" / name
                assert sorted(map(content_digest, folder.iterdir())) == sorted(photos)
    assert np.all([path.is_dir() for path in (tmp_path / "shots").iterdir()])


def test_results_say_whether_each_draw_has_images_of_its_own(data: Dataset, tmp_path: Path) -> None:
    folders = [
        made_with(tmp_path / "made" / f"3-{seed}", of_draw(data, 3, seed)) for seed in (0, 1)
    ]
    table = table_of(data, folders, tmp_path)
    for draws, own in ((2, True), (1, False)):
        material = Material((), table, "", 0)
        assert retrains_each_draw(material, Grid((), (3,), draws)) == own
    without = Material((), make_table(data, []), "", 0)
    assert not retrains_each_draw(without, Grid((), (3,), 2))
