"""Every layout of labelled photos goes through measure and subjects with the same sentences."""

from pathlib import Path

import pytest
from manyshot.core.data.reader import read_folder
from manyshot.core.errors import InputError
from manyshot.trainer.measure.sources import folder_dataset, read_examples
from manyshot.trainer.subjects.evaluation.real_photos import find_photos
from manyshot.trainer.subjects.resolve_subjects import class_subjects
from manyshot.trainer.subjects.subject_recipe import ClassFolders

from ..core.test_data_formats import DAMAGE, NAMES, WRITERS, table, yolo

CONSUMERS = {
    "measure": read_examples,
    "evaluate": lambda folder: find_photos([folder]),
    "train": lambda folder: class_subjects(ClassFolders(folder=folder, noun="animal")),
}


@pytest.mark.parametrize("layout", WRITERS)
def test_each_layout_is_read_alike(layout: str, tmp_path: Path) -> None:
    folder = WRITERS[layout](tmp_path / "set")
    listed = [(name, name[:3]) for name in NAMES]
    assert [(item.path.stem, item.class_name) for item in read_examples(folder)] == listed
    assert [(item.path.stem, item.class_name) for item in find_photos([folder])] == listed
    subjects = class_subjects(ClassFolders(folder=folder, noun="animal"))
    assert [subject.class_name for subject in subjects] == ["cat", "dog"]
    data = folder_dataset(folder, share=0.5, search=lambda paths: [])
    assert data.classes == ("cat", "dog")
    assert (len(data.real), len(data.test)) == (2, 2)


@pytest.mark.parametrize("consumer", CONSUMERS)
@pytest.mark.parametrize("number", range(len(DAMAGE)))
def test_damage_is_the_same_sentence(consumer: str, number: int, tmp_path: Path) -> None:
    layout, spoil, _ = DAMAGE[number]
    folder = WRITERS[layout](tmp_path / "set")
    spoil(folder)
    with pytest.raises(InputError) as expected:
        read_folder(folder)
    with pytest.raises(InputError) as error:
        CONSUMERS[consumer](folder)
    assert str(error.value) == str(expected.value)


@pytest.mark.parametrize("seed", range(5))
def test_groups_stay_on_one_side_of_a_split_by_seed(seed: int, tmp_path: Path) -> None:
    data = folder_dataset(table(tmp_path), share=0.5, seed=seed, search=lambda paths: [])
    real, test = ({example.group for example in part} for part in (data.real, data.test))
    assert real | test == {"p1", "p2"}
    assert not real & test


def test_a_class_of_one_group_is_not_split(tmp_path: Path) -> None:
    folder = table(tmp_path)
    text = (folder / "labels.csv").read_text().replace(",p2", ",p1")
    (folder / "labels.csv").write_text(text)
    with pytest.raises(InputError, match="without dividing a group, such as 'p1'"):
        folder_dataset(folder, search=lambda paths: [])


def test_splits_of_a_layout_are_taken(tmp_path: Path) -> None:
    folder = yolo(tmp_path)
    for kind, suffix in (("images", ".png"), ("labels", ".txt")):
        for name in NAMES:
            file = folder / kind / (name + suffix)
            split = folder / kind / ("train" if "1" in name else "val")
            split.mkdir(exist_ok=True)
            file.rename(split / file.name)
    data = folder_dataset(folder)
    assert [example.name for example in data.real] == ["train/cat_1.png", "train/dog_1.png"]
    assert [example.name for example in data.test] == ["val/cat_2.png", "val/dog_2.png"]
    assert data.description == "Folders: draws from train, tested on val."
    assert [image.name for image in read_folder(folder)] == ["train/cat_1.png", "train/dog_1.png"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("0 0 0 1 1\n1 0 0 1 1\n", "shows several classes (cat, dog)"),
        ("", "cat_1.png has no label"),
    ],
)
def test_an_image_needs_one_class(text: str, sentence: str, tmp_path: Path) -> None:
    folder = yolo(tmp_path)
    (folder / "labels" / "cat_1.txt").write_text(text)
    for read in CONSUMERS.values():
        with pytest.raises(InputError) as error:
            read(folder)
        assert sentence in str(error.value)
