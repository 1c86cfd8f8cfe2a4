"""Class names from every door are one name, or two that anybody can tell apart."""

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manyshot.core.classes import check_class_names, normalise_class
from manyshot.core.errors import InputError
from manyshot.core.lines import read_classes, read_words
from manyshot.core.masks.coco import read_coco
from manyshot.core.masks.set_code import Palette, compile_palette
from manyshot.core.records import read_records
from manyshot.core.subject_file import parse_facts
from manyshot.driver.picture_files import list_pictures
from manyshot.driver.recipe import Prompts, Recipe
from manyshot.trainer.measure.sources import read_examples

NFC, NFD = "caf\u00e9", "cafe\u0301"


def first_class(key: str, value: object) -> str:
    recipe = Recipe.model_validate({"workflow": "w", "output": "out", key: value})
    return next(iter(getattr(recipe, key)))


DOORS = {
    "class file": lambda name: next(iter(read_classes(f"{name}\n"))),
    "words": lambda name: next(iter(read_words(f"{name}: a bar\n"))),
    "recipe list": lambda name: first_class("classes", [name]),
    "recipe words": lambda name: first_class("classes", {name: "a bar"}),
    "prompts.words": lambda name: next(iter(Prompts(words={name: "a bar"}).words)),
    "palette": lambda name: compile_palette(
        Palette(classes={name: [1], "cat": [2]}), "palette.yaml"
    ).classes[0],
    "subject file": lambda name: (
        parse_facts(
            {
                "method": "lora",
                "base": "sd15",
                "base_digest": "",
                "subjects": [
                    {"token": "t", "noun": "n", "word": "w", "class_name": name}
                    | {"photos": [], "contexts": []}
                ],
                "step": 1,
                "steps": 1,
                "settings": "{}",
            }
        )
        .subjects[0]
        .class_name
    ),
    "subjects": lambda name: first_class("subjects", {name: "a.safetensors"}),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", [NFD, "\ufeff" + NFC])
def test_one_name_is_one_class(door: str, name: str) -> None:
    assert DOORS[door](name) == NFC


def test_folders_of_macos_are_the_same_classes(tmp_path: Path) -> None:
    (tmp_path / NFD).mkdir()
    (tmp_path / NFD / "1.png").touch()
    [example] = read_examples(tmp_path)
    assert (example.class_name, example.name) == (NFC, f"{NFD}/1.png")
    assert list_pictures(tmp_path, NFC) == [str(tmp_path / NFD / "1.png")]


def test_records_and_categories_are_the_same_classes(tmp_path: Path) -> None:
    line = {"file_name": f"images/{NFD}/1.png", "class_name": NFD, "label": 0}
    (tmp_path / "metadata.jsonl").write_text("\ufeff" + json.dumps(line) + "\n", encoding="utf-8")
    [record] = read_records(tmp_path)
    assert (record.class_name, record.file_name) == (NFC, f"images/{NFD}/1.png")
    file = {"images": [], "annotations": [], "categories": [{"id": 1, "name": NFD}]}
    (tmp_path / "coco.json").write_text(json.dumps(file))
    assert read_coco(tmp_path / "coco.json")[0] == (NFC,)


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["cat", "cat"], "The class 'cat' is listed twice. Remove one of them."),
        (["cat", "Cat"], "The classes 'cat' and 'Cat' differ only in case"),
        (
            ["cat", "\uff43\uff41\uff54"],
            "The classes 'cat' and '\uff43\uff41\uff54' (U+FF43 U+FF41 U+FF54) look the same.",
        ),
        ([NFC, NFD], f"The classes '{NFC}' (U+00E9) and '{NFD}' (U+0301) look the same."),
        (["black cat", "black\u00a0cat"], "'black\\xa0cat' (U+00A0) look the same."),
        (["cat", "ca\u200dt"], "'ca\\u200dt' (U+200D) look the same."),
        (
            ["cat", "cat\u200b"],
            "The class name 'cat\\u200b' contains an invisible character: U+200B",
        ),
        (["cat "], "it begins or ends with a space"),
    ],
)
def test_twins_are_shown_apart(names: list[str], sentence: str) -> None:
    with pytest.raises(InputError) as error:
        check_class_names(names)
    assert sentence in str(error.value)


def test_two_categories_of_one_name_are_refused(tmp_path: Path) -> None:
    categories = [{"id": 1, "name": "cat"}, {"id": 2, "name": "cat"}]
    file = {"images": [], "annotations": [], "categories": categories}
    (tmp_path / "coco.json").write_text(json.dumps(file))
    with pytest.raises(InputError, match="The class 'cat' is listed twice"):
        read_coco(tmp_path / "coco.json")


@given(st.text(st.characters(categories=("L", "M", "N", "Zs")), min_size=1))
def test_normalising_twice_changes_nothing(name: str) -> None:
    once = normalise_class(name)
    assert normalise_class(once) == once == unicodedata.normalize("NFC", name)


TWINS = [
    (["cat", "\u0441at"], "The classes 'cat' and '\u0441at' (U+0441) look the same."),
    (["cat", "\u0441\u0430t"], "'\u0441\u0430t' (U+0441 U+0430) look the same."),
    (["BAT", "\u0412AT"], "'\u0412AT' (U+0412) look the same."),
    (["dog", "d\u03bfg"], "'d\u03bfg' (U+03BF) look the same."),
    (["\u0441\u043e\u0440", "cop"], "'\u0441\u043e\u0440' (U+0441 U+043E U+0440) and 'cop' look"),
    (["A", "\u0391", "\u0410"], "'\u0391' (U+0391) look the same."),
    (["Cat", "\u0441at"], "'\u0441at' (U+0441) look the same."),
]


@pytest.mark.parametrize(("names", "sentence"), TWINS)
def test_letters_of_other_scripts_that_look_latin_are_shown_apart(
    names: list[str], sentence: str
) -> None:
    with pytest.raises(InputError) as error:
        check_class_names(names)
    assert sentence in str(error.value)


@pytest.mark.parametrize(
    "names", [["кот", "собака", "cat"], ["кит", "кот"], ["\u03b3\u03ac\u03c4\u03b1", "cat"]]
)
def test_words_of_other_scripts_are_classes(names: list[str]) -> None:
    check_class_names(names)
