"""Which images manyshot-tiny may learn from, and what they are called."""

import os
from collections import Counter
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

pytest.importorskip("torch")
pytest.importorskip("transformers")

from manyshot.core.errors import InputError
from manyshot.core.pets import FOLDER, Entry, parse_list, read_split
from manyshot.core.subsets import evenly, pool_split
from tiny_model.captions import (
    COLOURS,
    TEMPLATES,
    background_colour,
    broad_captions,
    captions,
    colour_name,
    nearness,
    with_unknown_words,
)
from tiny_model.corpus import Example, caption_texts, list_seen_examples, shares
from tiny_model.photo_data import centre_crop, read_broad, read_image, read_images, read_trimaps


@pytest.mark.parametrize(
    ("name", "class_name"),
    [
        ("Abyssinian_100", "Abyssinian"),
        ("american_pit_bull_terrier_7", "American Pit Bull Terrier"),
        ("Egyptian_Mau_12", "Egyptian Mau"),
    ],
)
def test_class_name_is_torchvisions(name: str, class_name: str) -> None:
    assert Entry(name, 0, "cat").class_name == class_name


def test_parse_list_skips_the_header() -> None:
    text = "#Image CLASS-ID SPECIES BREED ID\nAbyssinian_1 1 1 1\n\nbeagle_9 5 2 4\n"
    assert parse_list(text) == [Entry("Abyssinian_1", 0, "cat"), Entry("beagle_9", 4, "dog")]


numbers = st.sets(st.integers(0, 999), max_size=30)


@given(st.lists(numbers, min_size=1, max_size=4), st.integers(0, 12), st.randoms())
def test_split_is_a_partition_by_digest(classes, reserved, random) -> None:
    entries = [
        Entry(f"breed{label}_{number}", label, "dog")
        for label, group in enumerate(classes)
        for number in group
    ]
    shuffled = random.sample(entries, len(entries))
    split = pool_split(shuffled, reserved)
    assert split == pool_split(entries, reserved)
    assert sorted((*split.reserved, *split.pool), key=repr) == sorted(entries, key=repr)
    counts = Counter(entry.label for entry in split.reserved)
    assert all(counts[label] == min(reserved, len(group)) for label, group in enumerate(classes))
    digests = {entry: sha256(entry.name.encode()).hexdigest() for entry in entries}
    for kept in split.reserved:
        others = [digests[entry] for entry in split.pool if entry.label == kept.label]
        assert all(digests[kept] < other for other in others)


def test_split_of_the_real_lists() -> None:
    root = os.environ.get("MANYSHOT_SHARED")
    if not root or not (Path(root) / "data" / "oxford-iiit-pet").is_dir():
        pytest.skip("MANYSHOT_SHARED does not hold Oxford-IIIT Pet")
    split = pool_split(read_split(Path(root) / "data"))
    test = {entry.name for entry in read_split(Path(root) / "data", "test")}
    assert (len(split.reserved), len(split.pool)) == (370, 3310)
    assert set(Counter(entry.label for entry in split.reserved).values()) == {10}
    assert not test & {entry.name for entry in (*split.reserved, *split.pool)}
    assert {e.label: e.class_name for e in split.pool}[0] == "Abyssinian"


def test_a_missing_data_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"oxford-iiit-pet.*trainval\.txt is missing"):
        read_split(tmp_path)


@pytest.mark.parametrize("size", [(40, 30), (30, 40), (30, 30), (64, 90)])
def test_read_image_sizes_the_short_side(tmp_path: Path, size: tuple[int, int]) -> None:
    Image.new("L", size, 90).save(tmp_path / "x.png")
    image = read_image(tmp_path / "x.png", 32)
    assert min(image.shape[:2]) == 32
    assert image.shape[2] == 3
    assert (image == 90).all()
    assert centre_crop(image, 32).shape == (32, 32, 3)


def test_centre_crop_takes_the_middle() -> None:
    image = np.arange(6)[None, :, None] * np.ones((2, 1, 3), dtype=int)
    assert centre_crop(image, 2)[0, :, 0].tolist() == [2, 3]


@pytest.fixture
def broad(tmp_path: Path) -> Path:
    for name, count in (("school bus", 5), ("espresso", 1)):
        (tmp_path / name).mkdir()
        for number in range(count):
            Image.new("RGB", (64, 64), (number * 10, 0, 0)).save(tmp_path / name / f"{number}.JPEG")
    (tmp_path / "school bus" / "boxes.txt").write_text("not an image")
    return tmp_path


def test_broad_images_come_evenly_from_each_class(broad: Path) -> None:
    names, images = read_broad(broad, 2, 128)
    assert names == ["espresso", "school bus", "school bus"]
    assert {image.shape for image in images} == {(128, 128, 3)}
    assert images[2].mean() > images[1].mean()
    assert read_broad(broad, 1)[1][0].shape == (64, 64, 3)


def test_a_folder_without_classes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no class folders"):
        read_broad(tmp_path, 1)
    with pytest.raises(InputError, match="There is no folder"):
        read_broad(tmp_path / "absent", 1)


@given(st.lists(st.integers()), st.integers(0, 12))
def test_evenly_keeps_order_and_count(items: list[int], count: int) -> None:
    found = evenly(items, count)
    assert len(found) == min(count, len(items))
    assert found == items or len(found) < len(items)
    rest = iter(items)
    assert all(any(item == other for other in rest) for item in found)  # in their order


def test_trimaps_fit_their_images(tmp_path: Path) -> None:
    folders = [tmp_path / FOLDER / part for part in ("images", "annotations/trimaps")]
    for folder in folders:
        folder.mkdir(parents=True)
    Image.new("RGB", (300, 200)).save(folders[0] / "Beagle_1.jpg")
    trimap = Image.new("L", (300, 200), 2)
    trimap.paste(1, (100, 50, 200, 150))
    trimap.save(folders[1] / "Beagle_1.png")
    entries = [Entry("Beagle_1", 0, "dog")]
    image, found = read_images(tmp_path, entries, 128)[0], read_trimaps(tmp_path, entries, 128)[0]
    assert found.shape == image.shape[:2]
    assert set(np.unique(found)) == {1, 2}  # no values in between
    assert (found == 1).mean() == pytest.approx(1 / 6, abs=0.01)


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((10, 10, 20), "black"),
        ((240, 240, 235), "white"),
        ((128, 128, 128), "grey"),
        ((120, 80, 50), "brown"),
        ((60, 140, 60), "green"),
        ((60, 90, 200), "blue"),
        ((200, 40, 40), "red"),
        ((200, 40, 90), "red"),
    ],
)
def test_colours_have_names(rgb: tuple[int, int, int], name: str) -> None:
    assert colour_name(np.array(rgb)) == name


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_every_colour_has_a_name(rgb: tuple[int, int, int]) -> None:
    assert colour_name(np.array(rgb)) in COLOURS


def test_what_a_trimap_tells() -> None:
    image = np.zeros((10, 10, 3), np.uint8)
    image[:, 5:] = (60, 140, 60)
    half = np.full((10, 10), 1, np.uint8)
    half[:, 5:] = 2
    assert background_colour(image, half) == "green"
    assert nearness(half) == "close-up"
    assert background_colour(image, np.ones((10, 10), np.uint8)) is None
    few = np.full((10, 10), 2, np.uint8)
    few[:, :1] = 1
    assert nearness(few) == "far away"
    few[:, :3] = 1
    assert nearness(few) is None


def test_captions_say_what_is_known() -> None:
    plain = captions(Entry("american_bulldog_1", 1, "dog"))
    assert len({caption.text for caption in plain}) == len(TEMPLATES)
    assert plain[0].text == "a photo of a American Bulldog"
    for caption in plain:
        assert (caption.class_name is not None) == ("American Bulldog" in caption.text)
        assert caption.species == "dog"
        assert caption.background is caption.nearness is None
    more = captions(Entry("american_bulldog_1", 1, "dog"), "green", "close-up")
    assert more[: len(plain)] == plain
    for caption in more:
        assert (caption.background == "green") == ("green background" in caption.text)
        assert (caption.nearness == "close-up") == ("close-up" in caption.text)


def test_broad_captions_are_blurry() -> None:
    found = broad_captions("school bus")
    assert all("blurry" in caption.text and caption.species is None for caption in found)
    assert found[-1].class_name is None


@given(st.randoms(use_true_random=False), st.integers(1, 6))
def test_unknown_words_change_nothing_that_is_said(rng, most: int) -> None:
    caption = captions(Entry("beagle_1", 1, "dog"), "red", "close-up")[-2]
    found = with_unknown_words(caption, ["alpha", "beta"], rng, most)
    assert found.text.startswith(f"{caption.text}, ")
    assert 1 <= len(found.text.split()) - len(caption.text.split()) <= most
    assert replace(found, text=caption.text) == caption


def test_shares_hold_for_each_source() -> None:
    image = np.zeros((128, 128, 3), np.uint8)
    pets = [Example(image, (), np.ones((128, 128), np.uint8), "cat")] * 3
    broad_ones = [Example(image, ())]
    found = shares([*pets, *broad_ones], 0.2)
    assert found.tolist() == pytest.approx([0.8 / 3] * 3 + [0.2])
    assert shares(pets, 0.0).sum() == pytest.approx(1.0)
    assert [one.trimap is None for one in list_seen_examples([*pets, *broad_ones], True)] == [
        *[False] * 3,
        True,
        *[False] * 3,
    ]


def test_a_mirror_turns_image_and_trimap_together() -> None:
    image = np.arange(4, dtype=np.uint8)[None, :, None].repeat(3, axis=2)
    one = Example(image, (), np.array([[1, 2, 2, 3]], np.uint8), "cat").mirror()
    assert one.image[0, :, 0].tolist() == [3, 2, 1, 0]
    assert one.trimap is not None
    assert one.trimap.tolist() == [[3, 2, 2, 1]]


def test_captions_of_examples_end_with_unknown_words() -> None:
    said = tuple(captions(Entry("beagle_1", 1, "dog")))
    example = Example(np.zeros((8, 8, 3), np.uint8), said)
    [texts] = caption_texts([example], ["alpha"])
    assert texts[:-2] == [caption.text for caption in said]
    assert all("alpha" in text for text in texts[-2:])
