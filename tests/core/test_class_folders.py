"""Layouts of class folders: what is taken for what, in every reader of them."""

import json
from pathlib import Path

import pytest
from manyshot.core.class_folders import find_class_folders, find_splits
from manyshot.core.data.reader import read_folder
from manyshot.core.errors import InputError
from manyshot.driver.picture_files import pair_by_name
from manyshot.trainer.measure.photos import file_names
from manyshot.trainer.measure.segmentation.pair_data import Pair, folder_pairs
from manyshot.trainer.measure.sources import Example, folder_dataset, read_examples
from manyshot.trainer.subjects.resolve_subjects import class_subjects
from manyshot.trainer.subjects.subject_recipe import ClassFolders
from PIL import Image
from tiny_model.photo_data import read_broad


def with_images(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), len(name) * 99).save(root / name)
    return root


def of_parts(root: Path, *parts: str) -> Path:
    return with_images(
        root, *(f"{p}/{c}/{n}.png" for p in parts for c in ("cat", "dog") for n in "12")
    )


@pytest.mark.parametrize(
    ("parts", "description"),
    [
        (("train", "test"), "Folders: draws from train, tested on test."),
        (("Train", "Test"), "Folders: draws from Train, tested on Test."),
        (("train", "val"), "Folders: draws from train, tested on val."),
        (("training", "validation"), "Folders: draws from training, tested on validation."),
        (
            ("train", "val", "test"),
            "Folders: draws from train, tested on test. val is left out: rates and ratios "
            "are chosen within the shots alone.",
        ),
        (("images/train", "images/val"), "Folders: draws from images/train, tested on images/val."),
        (("data/train", "data/test"), "Folders: draws from data/train, tested on data/test."),
    ],
)
def test_parts_are_taken_for_what_they_are(
    tmp_path: Path, parts: tuple[str, ...], description: str
) -> None:
    found = folder_dataset(of_parts(tmp_path, *parts))
    assert found.description == description
    assert found.classes == ("cat", "dog")
    tested = description.split("tested on ")[1].split(".")[0]
    assert {one.path for one in found.real} == set((tmp_path / parts[0]).rglob("*.png"))
    assert {one.path for one in found.test} == set((tmp_path / tested).rglob("*.png"))


def test_train_alone_is_split_by_seed(tmp_path: Path) -> None:
    found = folder_dataset(of_parts(tmp_path, "train"))
    assert found.classes == ("cat", "dog")
    assert found.description == "25 % of each class, picked by seed 0, are the test split."


def test_a_folder_of_test_images_goes_before_parts(tmp_path: Path) -> None:
    of_parts(tmp_path / "data", "train", "val")
    of_parts(tmp_path, "other")
    found = folder_dataset(tmp_path / "data", tmp_path / "other")
    assert found.description == (
        "Folders: draws from train, tested on other. val is left out: rates and ratios are "
        "chosen within the shots alone."
    )


def test_classes_may_be_called_as_parts_are(tmp_path: Path) -> None:
    with_images(tmp_path, "train/1.png", "bus/1.png")
    assert find_splits(tmp_path) == {}
    assert [one.name for one in find_class_folders(tmp_path)] == ["bus", "train"]


READERS = {
    "synthetic images": read_examples,
    "subjects": lambda folder: class_subjects(ClassFolders(folder=folder, noun="pet")),
    "Load Labelled and 'pairs'": read_folder,
    "base model": lambda folder: read_broad(folder, 1),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    "parts", [("train", "val"), ("images/train", "images/val"), ("Train", "Test")]
)
def test_other_readers_ask_which_part_is_meant(
    tmp_path: Path, reader: str, parts: tuple[str, str]
) -> None:
    of_parts(tmp_path, *parts)
    with pytest.raises(InputError) as error:
        READERS[reader](tmp_path)
    assert "not classes. Name the split you mean, such as" in str(error.value)
    assert READERS[reader](tmp_path / parts[0])


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (
            ("train/a/1.png", "val/a/1.png", "cat/1.png"),
            "the splits train, val and also cat",
        ),
        (
            ("val/a/1.png", "validation/a/1.png"),
            "has two folders for one split, val and validation",
        ),
        (("val/a/1.png", "test/a/1.png"), "but no train: name the folder to draw from"),
        (("a/1.png", "b/1.png", "b/2.png"), "There is only one image of 'a', and a split by seed"),
    ],
)
def test_unclear_layouts_are_refused(tmp_path: Path, names: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(InputError) as error:
        folder_dataset(with_images(tmp_path, *names))
    assert sentence in str(error.value)


@pytest.mark.parametrize("layout", ["{part}/{kind}", "{kind}/{part}"])
def test_parts_of_pairs(tmp_path: Path, layout: str) -> None:
    names = [
        f"{layout.format(part=part, kind=kind)}/cat/{part}.png"
        for part in ("train", "val")
        for kind in ("images", "masks")
    ]
    found = folder_pairs(with_images(tmp_path, *names))
    for part, pairs in (("train", found.real), ("val", found.test)):
        names = [(one.path.stem, one.mask.stem) for one in pairs if isinstance(one, Pair)]
        assert names == [(part, part)]
    assert found.classes == ("cat",)


def test_images_without_masks_are_named_at_once(tmp_path: Path) -> None:
    with_images(tmp_path, "images/1.png", "images/2.png", "images/3.png", "masks/2.png")
    with pytest.raises(InputError, match="These images of .* have no mask in .*: 1.png, 3.png"):
        read_folder(tmp_path)


def test_two_images_do_not_share_a_mask(tmp_path: Path) -> None:
    with_images(tmp_path, "images/1.png", "images/1.jpg", "masks/1.png")
    with pytest.raises(InputError, match="share one mask, .*1.png. Rename one of them"):
        read_folder(tmp_path)


def test_hidden_folders_are_never_learned_from(tmp_path: Path) -> None:
    with_images(
        tmp_path,
        "cat/1.png",
        "cat/.ipynb_checkpoints/1-checkpoint.png",
        "cat/__MACOSX/1.png",
        "__MACOSX/cat/1.png",
        "@eaDir/1.png",
        "dog/1.png",
    )
    assert [one.name for one in read_examples(tmp_path)] == ["cat/1.png", "dog/1.png"]
    assert [pair.name for pair in read_folder(tmp_path)] == ["cat/1.png", "dog/1.png"]
    assert [one.class_name for one in class_subjects(ClassFolders(folder=tmp_path, noun="x"))] == [
        "cat",
        "dog",
    ]


def test_a_file_of_hugging_face_beside_class_folders_is_a_sentence(tmp_path: Path) -> None:
    with_images(tmp_path, "cat/1.png", "dog/1.png")
    line = json.dumps({"file_name": "cat/1.png", "text": "a cat"})
    (tmp_path / "metadata.jsonl").write_text(line)
    for reader in (read_examples, read_folder):
        with pytest.raises(InputError) as error:
            reader(tmp_path)
        assert str(error.value) == (
            f"{tmp_path}/metadata.jsonl, line 1, is not a record (class_name: Field required). If "
            "another program wrote it beside class folders, move the file away: they are read "
            "without it."
        )
    (tmp_path / "metadata.jsonl").unlink()
    assert len(read_examples(tmp_path)) == 2


def test_files_of_shots_keep_apart() -> None:
    names = ["1/a.jpg", "1_a.jpg", "1_A.jpg", "2/a.jpg", "1_a-2.jpg"]
    examples = [Example(Path(name), name, "cat") for name in names]
    other = Example(Path("1_a.jpg"), "1_a.jpg", "dog")
    assert file_names([*examples, other], range(6)) == [
        (0, "1_a"),
        (1, "1_a-2"),
        (2, "1_A-3"),
        (3, "2_a"),
        (4, "1_a-2-2"),
        (5, "1_a"),
    ]


def test_folders_bound_together_are_paired_by_name() -> None:
    photos, lines = ["p/1.jpg", "p/10.jpg", "p/2.jpg"], ["l/2.png", "l/10.png", "l/1.png"]
    assert pair_by_name({"a": photos, "b": lines}) == {
        "a": photos,
        "b": ["l/1.png", "l/10.png", "l/2.png"],
    }
    assert pair_by_name({"a": photos}) == {"a": photos}


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (["l/1.png", "l/3.png"], "these are not in all of them: 2. Add them, remove them"),
        (["l/1.png", "l/2.png", "l/3.png", "l/4.png"], "not in all of them: 4."),
        (["l/1.png", "l/1.jpg"], "b: l/1.png and l/1.jpg have the same name"),
    ],
)
def test_pictures_without_a_partner_are_named(lines: list[str], sentence: str) -> None:
    with pytest.raises(InputError) as error:
        pair_by_name({"a": ["p/1.jpg", "p/2.jpg", "p/3.jpg"], "b": lines})
    assert sentence in str(error.value)
