"""Tokens and file names of classes: unique, speakable, and those of before where they were."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("anyascii")
pytest.importorskip("diffusers")

from manyshot.core.errors import InputError
from manyshot.core.files import write_atomic
from manyshot.core.recipe_file import parse_recipe_data
from manyshot.trainer.plain_words import plain_words
from manyshot.trainer.subjects.evaluation.evaluation_markdown import sheet_names
from manyshot.trainer.subjects.resolve_subjects import class_subjects
from manyshot.trainer.subjects.subject_recipe import ClassFolders, SubjectRecipe


def tokens(folder: Path, names: list[str], **changes: Any) -> dict[str | None, str]:
    for name in names:
        write_atomic(folder / name / "1.png", b"")  # is not opened
    classes = ClassFolders(folder=folder, noun="thing", **changes)
    return {one.class_name: one.token for one in class_subjects(classes)}


TABLE = [
    (["猫", "犬", "Кот"], ["mao-m1", "quan-m1", "kot-m1"]),
    (["C", "C++", "C#"], ["c-m1", "c-3-m1", "c-2-m1"]),
    (["c-2", "C++", "C"], ["c-2-m1", "c-3-m1", "c-m1"]),
    (["Café", "Cafe"], ["cafe-2-m1", "cafe-m1"]),
    (["!!!", "(?)"], ["class-m1", "class-2-m1"]),
    (["Egyptian Mau", "american_pit_bull_terrier"],
     ["egyptian-mau-m1", "american-pit-bull-terrier-m1"]),
]  # fmt: skip


@pytest.mark.parametrize(("names", "wanted"), TABLE)
def test_each_class_has_a_speakable_token_of_its_own(
    names: list[str], wanted: list[str], tmp_path: Path
) -> None:
    assert tokens(tmp_path / "photos", names) == dict(zip(names, wanted, strict=True))


def test_names_that_are_words_keep_them() -> None:
    """Class folders that differ in case alone are refused before."""
    assert plain_words(["Cat", "cat"]) == {"Cat": "cat-2", "cat": "cat"}
    words = plain_words(["C", "C++", "c", "c-2"])
    assert words == {"C": "c-3", "C++": "c-4", "c": "c", "c-2": "c-2"}


def test_a_long_class_name_gives_a_token_that_fits(tmp_path: Path) -> None:
    found = tokens(tmp_path, ["x" * 100, "x" * 101], ending="-mine")
    assert sorted(map(len, found.values())) == [40, 40]
    assert len(set(found.values())) == 2


@given(st.lists(st.text(min_size=1), unique=True), st.integers(10, 40))
def test_words_are_plain_unique_and_short(names: list[str], longest: int) -> None:
    words = plain_words(names, longest)
    assert list(words) == names
    assert len(set(words.values())) == len(names)
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9-]*", word) for word in words.values())
    assert max(map(len, words.values()), default=0) <= longest


def test_pictures_of_classes_have_files_of_their_own() -> None:
    names = sheet_names(["猫", "犬", "blot", "Blot", "a b", "a-b"])
    assert len({name.lower() for name in names.values()}) == 6
    assert names["blot"] == "sheet-blot.jpg"


@pytest.mark.parametrize("noun", ["", "x" * 81])
def test_a_noun_that_cannot_be_used_is_told_with_its_class(noun: str, tmp_path: Path) -> None:
    write_atomic(tmp_path / "cat" / "1.png", b"")
    with pytest.raises(InputError, match=r"^The class 'cat': 'noun'"):
        class_subjects(ClassFolders(folder=tmp_path, noun={"cat": noun}))


def test_tokens_that_the_model_reads_alike_are_refused() -> None:
    subjects = [{"token": t, "noun": "dog", "photos": ["a"]} for t in ("Rex-m1", "rex-m1")]
    with pytest.raises(InputError, match="'Rex-m1' and 'rex-m1' differ only in"):
        parse_recipe_data(SubjectRecipe, {"output": "o", "subjects": subjects}, "r.yaml")
