"""Reading images for a measurement: folders as they should be, and the sentence for others."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torchmetrics")

from manyshot.core.errors import InputError
from manyshot.core.records import METADATA, Record
from manyshot.trainer.images import read_rgb
from manyshot.trainer.measure.backbones import Backbone
from manyshot.trainer.measure.feature_cache import CHUNK, file_features
from manyshot.trainer.measure.overlap import find_overlap, overlap_sentence, refuse_overlap
from manyshot.trainer.measure.sources import (
    Example,
    elpv,
    folder_dataset,
    of_classes,
    pets,
    read_examples,
)
from PIL import Image

from ..support.photo_folders import fill, picture


def test_a_folder_is_split_by_seed(tmp_path: Path) -> None:
    fill(tmp_path, 20)
    first, again, other = (folder_dataset(tmp_path, share=0.25, seed=seed) for seed in (0, 0, 1))
    assert (len(first.real), len(first.test)) == (30, 10)
    assert first == again
    assert set(first.test) != set(other.test)
    assert not set(first.real) & set(first.test)
    assert first.description == "25 % of each class, picked by seed 0, are the test split."


def test_train_and_test_folders_are_taken_as_they_are(tmp_path: Path) -> None:
    fill(tmp_path / "train", 4)
    fill(tmp_path / "test", 2, first=100)
    found = folder_dataset(tmp_path)
    assert found.classes == ("cat", "dog")
    assert [e.name for e in found.test] == ["cat/000.png", "cat/001.png", "dog/000.png"] + [
        "dog/001.png"
    ]
    assert folder_dataset(tmp_path / "train", tmp_path / "test") == found


def test_a_dataset_folder_gives_the_images_that_are_kept(tmp_path: Path) -> None:
    records = [
        Record(file_name=f"images/cat/{n}.png", class_name="cat", label=0, kept=n != 1)
        for n in range(3)
    ]
    (tmp_path / METADATA).write_text("".join(record.line() for record in records))
    assert [e.path for e in read_examples(tmp_path)] == [
        tmp_path / "images/cat/0.png",
        tmp_path / "images/cat/2.png",
    ]


def empty_class(folder: Path) -> None:
    fill(folder, 3)
    (folder / "bird").mkdir()


def flat(folder: Path) -> None:
    folder.mkdir()
    picture(0).save(folder / "a.png")


def torn_record(folder: Path) -> None:
    folder.mkdir()
    (folder / METADATA).write_text('{"file_name": "a.png"')


def leaving_record(folder: Path) -> None:
    folder.mkdir()
    record = Record(file_name="../../secret.png", class_name="cat", label=0)
    (folder / METADATA).write_text(record.line())


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (empty_class, "The class folder .*bird has no images. Add some or remove it."),
        (flat, "has no class folders: the layout is <folder>/<class name>/<images>"),
        (torn_record, "is not a record"),
        (leaving_record, "leads outside the folder"),
        (lambda folder: None, "There is no folder .*pets. Did you mean 'pet'?"),
    ],
)
def test_wrong_folders_get_a_sentence(
    tmp_path: Path, make: Callable[[Path], None], words: str
) -> None:
    (tmp_path / "pet").mkdir()
    make(tmp_path / "pets")
    with pytest.raises(InputError, match=words):
        read_examples(tmp_path / "pets")


@pytest.mark.parametrize(
    ("learned", "tested", "words"),
    [
        (("cat", "dog"), ("cat",), "The test split has no images of 'dog'"),
        (("cat", "dog"), ("cat", "dog", "dogs"), "has a class 'dogs' .* Did you mean 'dog'?"),
        (("cat",), ("cat",), "at least two classes; there are 1"),
    ],
)
def test_classes_that_do_not_fit_get_a_sentence(
    tmp_path: Path, learned: tuple[str, ...], tested: tuple[str, ...], words: str
) -> None:
    fill(tmp_path / "train", 2, names=learned)
    fill(tmp_path / "test", 2, names=tested)
    with pytest.raises(InputError, match=words):
        folder_dataset(tmp_path)


def test_synthetic_images_of_another_class_are_refused() -> None:
    strange = Example(Path("a.png"), "a.png", "Beagel")
    with pytest.raises(InputError, match="a class 'Beagel' .* Did you mean 'Beagle'?"):
        of_classes([strange], ["Beagle", "Pug"])


def cut_off(path: Path) -> None:
    picture(0).save(path)
    path.write_bytes(path.read_bytes()[:100])


@pytest.mark.parametrize(
    "make", [cut_off, lambda path: path.write_text("no image"), lambda path: path.write_bytes(b"")]
)
def test_unreadable_images_get_a_sentence(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / "a.png")
    with pytest.raises(InputError, match="The image .*a.png cannot be read .* Repair or remove"):
        read_rgb(tmp_path / "a.png", 64)


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "1", "I;16"])
def test_every_kind_of_image_becomes_rgb(tmp_path: Path, mode: str) -> None:
    shown = picture(0).convert("L" if mode == "I;16" else mode)
    if mode == "I;16":
        shown = Image.fromarray(np.asarray(shown, np.uint16) * 257)
    path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    shown.save(path)
    found = read_rgb(path, 32)
    assert (found.shape, found.dtype) == ((32, 32, 3), np.uint8)
    assert 20 < found.mean() < 235
    assert found.std() > 10


class Counted:
    """A backbone that is the mean colour, and counts what it reads."""

    def __init__(self) -> None:
        self.read = 0

    def features(self, images: Sequence[np.ndarray]) -> np.ndarray:
        self.read += len(images)
        return np.stack([image.mean(axis=(0, 1)) for image in images]).astype(np.float32)

    def backbone(self) -> Backbone:
        return Backbone("mean-1", "", 8, self.features)


def test_features_are_computed_once_for_each_content(tmp_path: Path) -> None:
    files = sorted(fill(tmp_path / "a", CHUNK).rglob("*.png"))
    copy = tmp_path / "copy.png"
    copy.write_bytes(files[0].read_bytes())
    first, again = Counted(), Counted()
    rows, digests = file_features([*files, copy], first.backbone(), tmp_path / "cache")
    assert first.read == len(files)
    assert (digests[-1], rows[-1].tolist()) == (digests[0], rows[0].tolist())
    other, _ = file_features(files[::-1], again.backbone(), tmp_path / "cache")
    assert again.read == 0
    np.testing.assert_array_equal(other, rows[-2::-1])


def test_an_interrupted_or_damaged_cache_goes_on(tmp_path: Path) -> None:
    files = sorted(fill(tmp_path / "a", CHUNK).rglob("*.png"))
    bad = tmp_path / "bad.png"
    bad.write_text("no image")
    first, second, third = Counted(), Counted(), Counted()
    with pytest.raises(InputError, match=r"bad.png"):
        file_features([*files, bad], first.backbone(), tmp_path / "cache")
    file_features(files, second.backbone(), tmp_path / "cache")
    assert (first.read, second.read) == (2 * CHUNK, 0)
    kept = sorted((tmp_path / "cache").rglob("*.safetensors"))
    kept[0].write_bytes(kept[0].read_bytes()[:50])
    file_features(files, third.backbone(), tmp_path / "cache")
    assert third.read == CHUNK


def examples(folder: Path) -> list[Example]:
    return read_examples(folder)


def test_copies_of_the_test_split_are_refused(tmp_path: Path) -> None:
    real, test, free = (
        examples(fill(tmp_path / name, 30, first=first))
        for name, first in (("real", 0), ("test", 100), ("free", 200))
    )
    assert not find_overlap(free, test, real).leaks

    with Image.open(test[3].path) as image:
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(free[5].path)
    found = find_overlap(free, test, real)
    assert found.identical == ((free[5].name, test[3].name),)
    with pytest.raises(InputError, match="1 of the 60 .* cat/005.png, the same as the test image"):
        refuse_overlap(found, tmp_path / "free")
    alike = overlap_sentence(replace(found, identical=()), "free")
    assert (
        alike == "1 of the 60 images of free are copies of test images: cat/005.png of cat/003.png."
    )


def test_what_is_as_near_among_real_images_is_not_called_a_copy(tmp_path: Path) -> None:
    """Photos of one thing, as solar cells are: each is near to all others."""
    for part in ("real", "test", "synthetic"):
        for name in ("cat", "dog"):
            (tmp_path / part / name).mkdir(parents=True)
            for index in range(20):
                noise = np.random.default_rng(len(part) * 100 + index).normal(0, 4, (40, 40, 3))
                pixels = np.clip(np.asarray(picture(0)) + noise, 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(tmp_path / part / name / f"{index}.png")
    parts = [examples(tmp_path / part) for part in ("synthetic", "test", "real")]
    found = find_overlap(*parts)
    assert found.usual > 0.5
    assert not found.beyond_chance


def test_solar_cells() -> None:
    pytest.importorskip("elpv_dataset")
    found = elpv()
    assert found.classes == (
        "mono defective",
        "mono functional",
        "poly defective",
        "poly functional",
    )
    assert len(found.real) + len(found.test) == 2624
    assert found.test[0].path.exists()


def test_pets_take_what_the_generator_has_not_seen() -> None:
    root = os.environ.get("MANYSHOT_SHARED")
    if not root or not (Path(root) / "data" / "oxford-iiit-pet").is_dir():
        pytest.skip("MANYSHOT_SHARED/data does not hold Oxford-IIIT Pet")
    found = pets(Path(root) / "data")
    assert (len(found.classes), len(found.real), len(found.test)) == (37, 3680, 3669)
    assert sum(not example.seen for example in found.real) == 370
    assert found.real[0].path.exists()
