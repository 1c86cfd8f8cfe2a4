"""One recipe with `each_draw: true` is the many that were written by hand, draw by draw."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from manyshot.core.draw_folders import draw_folders
from manyshot.core.errors import InputError
from manyshot.core.recipe_file import parse_recipe_data
from manyshot.driver.each_draw import draw_recipes, run_draws, subject_files
from manyshot.driver.embedded import EmbeddedServer
from manyshot.driver.prepare import prepare
from manyshot.driver.recipe import Recipe, parse_recipe

from ..support.subject_files import subject, write_subjects

DRAWS = ("5-0", "5-1", "5-10", "10-0")


@pytest.fixture
def subjects(tmp_path: Path) -> Path:
    folder = tmp_path / "subjects"
    for number, draw in enumerate(DRAWS):
        path = folder / draw / f"cells-{draw}.safetensors"
        write_subjects(path, subject("cat", token=f"cat-m1-{draw}"), weight=number)
    return folder


def pictures(folder: Path, output: Path, **changes: Any) -> Recipe:
    values = {"workflow": "subject_lora", "subjects": str(folder), "output": str(output)}
    return parse_recipe({**values, "images_per_class": 2, **changes}, "r.yaml")


def test_draws_come_by_shots_and_number(subjects: Path) -> None:
    (subjects / ".cache").mkdir()
    (subjects / "notes.txt").touch()
    assert tuple(folder.name for folder in draw_folders(subjects, "")) == DRAWS


@pytest.mark.parametrize(
    ("folders", "sentence"),
    [
        ([], "photos has no folder of a draw, such as 5-0. Make them."),
        (["cat", "dog"], "but {folder} has others: cat, dog. Make them."),
        (["5-0", "05-1"], "but {folder} has others: 05-1. Make them."),
        (["0-0"], "but {folder} has others: 0-0. Make them."),
        (None, "There is no folder {folder} with a folder for each draw. Make them."),
    ],
)
def test_other_folders_are_no_draws(
    folders: list[str] | None, sentence: str, tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    for name in folders or ():
        (folder / name).mkdir(parents=True)
    if folders == []:
        folder.mkdir()
    with pytest.raises(InputError) as refused:
        draw_folders(folder, "Make them.")
    assert str(refused.value).endswith(sentence.format(folder=folder))


def test_jobs_of_each_draw_are_those_of_a_recipe_of_its_own(subjects: Path, tmp_path: Path) -> None:
    recipe = pictures(subjects, tmp_path / "out", each_draw=True)
    alone = [pictures(subjects / draw, tmp_path / "out" / draw) for draw in DRAWS]
    assert draw_recipes(recipe) == alone
    ids = [[job.id for job in prepare(draw, None)] for draw in draw_recipes(recipe)]
    assert ids == [[job.id for job in prepare(draw, None)] for draw in alone]
    assert len({job for jobs in ids for job in jobs}) == 2 * len(DRAWS)


def test_a_recipe_without_draws_is_itself(subjects: Path, tmp_path: Path) -> None:
    recipe = pictures(subjects / "5-0", tmp_path)
    assert draw_recipes(recipe) == [recipe]


def test_one_server_has_the_files_of_all_draws(subjects: Path, tmp_path: Path) -> None:
    draws = draw_recipes(pictures(subjects, tmp_path, each_draw=True))
    assert subject_files(draws) == {
        f"loras/cells-{draw}.safetensors": subjects / draw / f"cells-{draw}.safetensors"
        for draw in DRAWS
    }


def test_two_files_of_one_name_are_refused_before_a_server_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(*_: object) -> None:
        raise AssertionError("a server is started")

    monkeypatch.setattr(EmbeddedServer, "__enter__", start)
    for number, draw in enumerate(DRAWS[:2]):
        path = tmp_path / "s" / draw / "cells.safetensors"
        write_subjects(path, subject("cat"), weight=number)
    recipe = pictures(tmp_path / "s", tmp_path / "out", each_draw=True)
    with pytest.raises(InputError, match=r"would know both as loras/cells\.safetensors"):
        list(run_draws(recipe, pytest.fail))  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("subjects", [None, {"cat": "a.safetensors"}])
def test_pictures_of_each_draw_need_a_folder_of_subjects(subjects: object, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'each_draw' is for 'subjects', a folder that has one"):
        pictures(tmp_path, tmp_path, each_draw=True, subjects=subjects)


@pytest.fixture
def training(tmp_path: Path) -> Callable[..., Any]:
    pytest.importorskip("diffusers")
    from manyshot.trainer.subjects.subject_recipe import SubjectRecipe

    def make(folder: Path, output: Path, **changes: Any) -> SubjectRecipe:
        classes = {"folder": str(folder), "noun": "cell", **changes.pop("classes", {})}
        values = {"output": str(output), "classes": classes, **changes}
        return parse_recipe_data(SubjectRecipe, values, "r.yaml")

    return make


def photos_of(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_subjects_of_each_draw_are_those_of_a_recipe_of_its_own(
    training: Callable[..., Any], tmp_path: Path
) -> None:
    from manyshot.trainer.subjects.each_draw import draw_recipes

    for draw in DRAWS:
        photos_of(tmp_path / "photos" / draw, "cat/1.png", "dog/1.png")
    recipe = training(tmp_path / "photos", tmp_path / "out", each_draw=True, together="cells")
    assert draw_recipes(recipe) == [
        training(
            tmp_path / "photos" / draw,
            tmp_path / "out" / draw,
            together=f"cells-{draw}",
            classes={"ending": f"-m1-{draw}"},
        )
        for draw in DRAWS
    ]


def test_captions_go_to_the_draws_that_hold_their_photos(
    training: Callable[..., Any], tmp_path: Path
) -> None:
    from manyshot.trainer.subjects.each_draw import draw_recipes

    photos_of(tmp_path / "5-0", "cat/1.png", "cat/2.png")
    photos_of(tmp_path / "5-1", "cat/2.png", "cat/3.png")
    captions = {"cat/2.png": "on grass", "cat/3.png": "in rain"}
    recipe = training(tmp_path, tmp_path / "o", each_draw=True, classes={"captions": captions})
    assert [draw.classes and draw.classes.captions for draw in draw_recipes(recipe)] == [
        {"cat/2.png": "on grass"},
        captions,
    ]
    wrong = training(
        tmp_path, tmp_path / "o", each_draw=True, classes={"captions": {"cat/4.png": "x"}}
    )
    with pytest.raises(InputError, match=r"'cat/4\.png' matches no photo of any draw\."):
        draw_recipes(wrong)


def test_each_draw_is_for_class_folders(training: Callable[..., Any], tmp_path: Path) -> None:
    from manyshot.trainer.subjects.subject_recipe import SubjectRecipe

    listed = [{"token": "a-m1", "noun": "dog", "photos": ["p"]}]
    values = {"output": "o", "subjects": listed, "each_draw": True}
    with pytest.raises(InputError, match="'each_draw' is for 'classes'"):
        parse_recipe_data(SubjectRecipe, values, "r.yaml")
