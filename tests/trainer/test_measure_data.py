"""Data sets by their layout, splits used again, and what synthetic images were made from."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torchmetrics")

from manyshot.core.errors import InputError, ManyshotError
from manyshot.core.records import METADATA, Record
from manyshot.trainer.images import content_digest, pixel_digest
from manyshot.trainer.measure.added import select_added, without_sources
from manyshot.trainer.measure.arms import Arm
from manyshot.trainer.measure.caveats import notes_on_synthetic
from manyshot.trainer.measure.draws import draw_shots, folds
from manyshot.trainer.measure.food101 import food101
from manyshot.trainer.measure.material import make_table, read_data
from manyshot.trainer.measure.measure_recipe import Data, MeasureRecipe
from manyshot.trainer.measure.measure_results import Results, Split, write_results
from manyshot.trainer.measure.origins import origins
from manyshot.trainer.measure.overlap import find_overlap, load_or_find_overlap
from manyshot.trainer.measure.photos import lay_out_shots
from manyshot.trainer.measure.sources import Dataset, Example, folder_dataset, read_examples
from PIL import Image

from ..support.photo_folders import fill, picture

DISHES = ("apple_pie", "waffles")


def lay_out(root: Path) -> Path:
    """A tree as torchvision has Food-101's."""
    folder = root / "food-101"
    fill(folder / "images", 4, names=DISHES)
    (folder / "meta").mkdir()
    for part, numbers in (("train", (0, 1, 2)), ("test", (3,))):
        listed = {dish: [f"{dish}/{number:03}" for number in numbers] for dish in DISHES}
        (folder / "meta" / f"{part}.json").write_text(json.dumps(listed))
    for path in (folder / "images").rglob("*.png"):
        path.rename(path.with_suffix(".jpg"))
    return root


def test_food_101_as_torchvision_reads_it(tmp_path: Path) -> None:
    datasets = pytest.importorskip("torchvision.datasets")
    found = read_data(Data(kind="food101", path=lay_out(tmp_path)))
    for part, examples in (("train", found.real), ("test", found.test)):
        theirs = datasets.Food101(tmp_path, split=part)
        assert [example.path for example in examples] == theirs._image_files
        labels = [theirs.class_to_idx[example.class_name] for example in examples]
        assert labels == theirs._labels
    assert found.classes == DISHES
    assert all(example.path.is_file() for example in (*found.real, *found.test))


def test_food_101_that_is_not_there_is_not_downloaded(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="train.json is missing: .* 'download: true'"):
        food101(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("listed", ["[]", '{"apple_pie": [1]}', "{"])
def test_a_list_of_another_kind_is_refused(tmp_path: Path, listed: str) -> None:
    (lay_out(tmp_path) / "food-101" / "meta" / "test.json").write_text(listed)
    with pytest.raises(InputError, match="test.json is not Food-101's list"):
        food101(tmp_path)


def test_names_do_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    listed = json.dumps({dish: ["../../secret"] for dish in DISHES})
    (lay_out(tmp_path) / "food-101" / "meta" / "test.json").write_text(listed)
    with pytest.raises(InputError, match="leads outside the folder"):
        food101(tmp_path)


def test_a_download_that_fails_gets_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    datasets = pytest.importorskip("torchvision.datasets")

    def unreachable(root: Path, split: str, download: bool) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(datasets, "Food101", unreachable)
    with pytest.raises(ManyshotError, match=r"could not download .* \(no route to host\)"):
        read_data(Data(kind="food101", path=tmp_path, download=True))


def results(split: Split) -> Results:
    return Results(
        recipe={}, versions={}, classes=["cat", "dog"], learner="", backbone="", split=split
    )


def written(data: Dataset, folder: Path) -> Path:
    """The split of `data` as a measurement writes it down."""
    real, test = ([example.name for example in part] for part in (data.real, data.test))
    write_results(folder, results(Split(description="S", real=real, synthetic=[], test=test)))
    return folder / "results.json"


def test_a_written_split_outlives_new_images(tmp_path: Path) -> None:
    first = folder_dataset(fill(tmp_path / "photos", 12), share=0.25, seed=3)
    file = written(first, tmp_path / "out")
    picture(77).save(tmp_path / "photos" / "cat" / "001b.png")
    again = read_data(Data(path=tmp_path / "photos", split=file))
    assert (again.real, again.test) == (first.real, first.test)
    assert again.description == f"As in {file}: S"
    (tmp_path / "photos" / "dog" / "003.png").unlink()
    with pytest.raises(InputError, match="has 1 image that the data .* such as 'dog/003.png'"):
        read_data(Data(path=tmp_path / "photos", split=file))


def test_names_that_are_not_unique_have_no_written_split(tmp_path: Path) -> None:
    fill(tmp_path / "photos" / "train", 3)
    fill(tmp_path / "photos" / "test", 3, first=50)
    file = written(folder_dataset(tmp_path / "photos"), tmp_path / "out")
    with pytest.raises(InputError, match="Two images of the data have the same name"):
        read_data(Data(path=tmp_path / "photos", split=file))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    root = tmp_path_factory.mktemp("photos")
    fill(root / "train", 12)
    for path in fill(root / "test", 4, first=500).rglob("*.png"):
        path.rename(path.with_stem(f"t{path.stem}"))
    return folder_dataset(root)


def derived(folder: Path, sources: Sequence[tuple[str, str | None]]) -> Path:
    """A dataset folder of one image for each class and source."""
    records: list[Record] = []
    for number, (class_name, source) in enumerate(sources):
        name = f"images/{class_name}/{number}.png"
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        picture(9000 + number).save(folder / name)
        label = ("cat", "dog").index(class_name)
        records.append(
            Record(file_name=name, class_name=class_name, label=label, source_image=source)
        )
    (folder / METADATA).write_text("".join(record.line() for record in records))
    return folder


def from_all(data: Dataset, folder: Path) -> Path:
    """Two images of each real one: its file named, and a map of it that is gone."""
    files = [(example.class_name, str(example.path)) for example in data.real]
    maps = [(name, f"elsewhere/{Path(path).stem}.tiff") for name, path in files]
    return derived(folder, [*files, *maps])


def test_images_made_from_a_real_one_are_added_only_where_it_is(
    data: Dataset, tmp_path: Path
) -> None:
    table = make_table(data, read_examples(from_all(data, tmp_path / "made")))
    assert table.source is not None
    for seed in range(5):
        draw = draw_shots(table, 3, seed)
        added = select_added(table, draw, Arm(add="synthetic", ratio=200))
        assert len(set(added.rows)) == 2 * 2 * 3
        assert set(table.source[added.rows, 0]) == set(draw.shots)
        assert (table.labels[added.rows] == table.labels[table.source[added.rows, 0]]).all()
        for fold in folds(table, draw):
            kept = without_sources(table, added, fold.held_out)
            assert set(table.source[kept.rows, 0]) == set(fold.learned)
    with pytest.raises(InputError, match=r"there are 6 \(18 more .* draw 0 does not hold\)"):
        select_added(table, draw_shots(table, 3, 0), Arm(add="synthetic", ratio=250))


def measured(data: Dataset, made: Path, cache: Path, allowed: bool = False) -> list[str]:
    """The notes on a folder of synthetic images."""
    recipe = MeasureRecipe(
        data=Data(path=made), synthetic=made, output=made, cache=cache, allow_overlap=allowed
    )
    synthetic = read_examples(made)
    return notes_on_synthetic(recipe, data, synthetic, make_table(data, synthetic))


def test_images_made_from_test_images_are_refused(data: Dataset, tmp_path: Path) -> None:
    one = data.test[0]
    made = derived(tmp_path / "made", [("cat", None), ("dog", None), ("cat", str(one.path))])
    with pytest.raises(InputError, match="1 of the images of .* were made from test images"):
        measured(data, made, tmp_path)
    assert measured(data, made, tmp_path, allowed=True)


def test_sources_that_are_not_known_are_told(data: Dataset, tmp_path: Path) -> None:
    made = derived(tmp_path / "made", [("cat", str(data.real[0].path)), ("dog", "gone.png")])
    notes = " ".join(measured(data, made, tmp_path))
    assert "1 of the synthetic images were made from real ones" in notes
    assert "1 of the synthetic images were made from pictures that are not among" in notes


def test_the_search_for_copies_is_made_once_for_the_same_pictures(
    data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = read_examples(fill(tmp_path / "free", 4, first=7000))
    first = load_or_find_overlap(free, data.test, data.real, tmp_path)
    assert first == find_overlap(free, data.test, data.real)
    searched: list[int] = []

    def search(*parts: Sequence[np.ndarray]) -> None:
        searched.append(len(parts[0]))
        raise KeyboardInterrupt

    monkeypatch.setattr("manyshot.trainer.measure.overlap.search_copies", search)
    assert load_or_find_overlap(free, data.test, data.real, tmp_path) == first
    assert not searched
    [kept] = (tmp_path / "overlap").iterdir()
    kept.write_text(kept.read_text()[:-4])
    with pytest.raises(KeyboardInterrupt):
        load_or_find_overlap(free, data.test, data.real, tmp_path)
    assert searched == [8]


def test_the_photos_of_all_draws_are_laid_out_and_known_again(tmp_path: Path) -> None:
    fill(tmp_path / "photos", 12)
    recipe = MeasureRecipe(
        data=Data(path=tmp_path / "photos"),
        arms=[Arm(add="real")],
        shots=[1, 2],
        draws=2,
        output=tmp_path / "out",
    )
    count = lay_out_shots(recipe, tmp_path / "shots")
    data = read_data(recipe.data)
    table = make_table(data, [])
    held = np.unique(np.concatenate([draw_shots(table, 2, seed).shots for seed in range(2)]))
    laid_out = sorted((tmp_path / "shots").rglob("*.png"))
    assert len(laid_out) == count == len(held)
    made = [Example(path, path.name, path.parent.name, sources=(str(path),)) for path in laid_out]
    found = origins(data, made)
    assert found is not None
    assert sorted(found[:, 0]) == list(held)


def test_photos_that_a_subject_learned_from_are_known_by_file_or_pixels(tmp_path: Path) -> None:
    fill(tmp_path / "photos", 3)
    data = read_data(Data(path=tmp_path / "photos"))
    one, two = data.real[0].path, data.real[1].path
    drawn = np.asarray(Image.open(two).convert("RGB"))
    learned = (content_digest(one), pixel_digest(drawn), "0" * 64)
    made = [Example(one, "made.png", data.real[0].class_name, photos=learned)]
    found = origins(data, made)
    assert found is not None
    assert found.tolist() == [[0, 1]]
