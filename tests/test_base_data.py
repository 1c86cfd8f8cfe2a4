"""Which images manyshot-tiny may learn from, and what they are called."""

import os
from collections import Counter
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from manyshot.core.errors import InputError
from manyshot.trainer.base.captions import TEMPLATES, add_unknown_words, captions
from manyshot.trainer.base.data import (
    Entry,
    centre_crop,
    parse_list,
    pool_split,
    read_image,
    read_split,
)

START, END = 49_406, 49_407


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


def test_captions_name_class_or_species() -> None:
    found = captions(Entry("american_bulldog_1", 1, "dog"))
    assert len(set(found)) == len(TEMPLATES)
    assert found[0] == "a photo of a American Bulldog"
    assert all("American Bulldog" in text or "dog" in text for text in found)


@given(st.integers(0, 75), st.floats(0, 1), st.integers(1, 80))
def test_unknown_words_only_lengthen_a_prompt(words: int, share: float, most: int) -> None:
    ids = torch.full((3, 77), END)
    ids[:, 0] = START
    ids[:, 1 : words + 1] = 320
    found = add_unknown_words(ids, share, most)
    assert found.shape == ids.shape
    assert torch.equal(found[:, : words + 1], ids[:, : words + 1])
    lengths = (found != END).sum(dim=1)
    assert ((lengths >= words + 1) & (lengths <= min(words + 1 + most, 76))).all()
    for row, length in zip(found, lengths.tolist(), strict=True):
        assert (row[length:] == END).all()
        assert (row[1:length] < START).all()


def test_unknown_words_come_at_their_share() -> None:
    torch.manual_seed(0)
    ids = torch.full((400, 77), END)
    ids[:, 0] = START
    changed = (add_unknown_words(ids, 0.25) != ids).any(dim=1).float().mean()
    assert 0.17 < changed < 0.33
    assert torch.equal(add_unknown_words(ids, 0.0), ids)
