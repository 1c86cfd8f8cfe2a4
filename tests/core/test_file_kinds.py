"""A file of another kind where a recipe belongs: the sentence says what it is and what runs it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from manyshot.core.errors import InputError
from manyshot.core.file_kinds import KINDS, MEASUREMENT, RUN, SUBJECT, RecipeKind
from manyshot.core.recipe_file import read_recipe_file
from manyshot.driver.recipe import Recipe
from manyshot.trainer.measure.measure_recipe import MeasureRecipe
from manyshot.trainer.subjects.subject_recipe import SubjectRecipe
from pydantic import BaseModel

ROOT = Path(__file__).parents[2]
MODELS = {RUN: Recipe, MEASUREMENT: MeasureRecipe, SUBJECT: SubjectRecipe}
RECIPES = sorted((ROOT / "recipes").rglob("*.yaml"))
WORKFLOWS = sorted((ROOT / "workflows").rglob("*.json"))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.command)
def test_a_kind_has_keys_that_no_other_has(kind: RecipeKind) -> None:
    assert kind.keys <= MODELS[kind].model_fields.keys()
    for other in KINDS:
        if other is not kind:
            assert kind.keys & MODELS[other].model_fields.keys() == set()


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_is_taken_by_one_command_and_the_others_name_it(path: Path) -> None:
    takers, sentences = [], []
    for kind, model in MODELS.items():
        try:
            read_recipe_file(model, path)
            takers.append(kind)
        except InputError as error:
            sentences.append(str(error))
    assert len(takers) == 1
    for sentence in sentences:
        assert f"{path} is {takers[0].name}, not a" in sentence
        assert f"`{takers[0].command} {path}`" in sentence


@pytest.mark.parametrize("model", MODELS.values())
@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_workflow_is_named_as_one(path: Path, model: type[BaseModel]) -> None:
    with pytest.raises(InputError, match="is a ComfyUI workflow, not a .* recipe"):
        read_recipe_file(model, path)


def test_pictures_folders_and_results_are_named(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    results.write_text('{"runs": [], "gains": [], "data": {}}')
    for path, sentence in (
        (ROOT / "docs" / "pictures" / "canvas.png", "is a picture, not a run recipe"),
        (tmp_path, "is the folder of a measurement, not a run recipe"),
        (
            tmp_path / "results.json",
            f"`manyshot report {tmp_path}/results.json` redraws their report",
        ),
    ):
        with pytest.raises(InputError, match=sentence):
            read_recipe_file(Recipe, path)


def test_a_recipe_with_a_wrong_key_is_still_corrected(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("workflow: a.json\noutput: b\nclases: [cat]\n")
    with pytest.raises(InputError, match="Unknown key 'clases'. Did you mean 'classes'"):
        read_recipe_file(Recipe, path)


GRAPH = '{"1": {"class_type": "SaveImage", "inputs": {}}}'
FILES = {
    "run.yaml": ("a run recipe", "workflow: class_prompts\noutput: o\n"),
    "measure.yaml": ("a measurement recipe", "data: photos\noutput: o\n"),
    "subject.yaml": ("a subject recipe", "output: o\nsettings: {method: lora}\n"),
    "w.json": ("a ComfyUI workflow", GRAPH),
    "ui.json": ("a ComfyUI workflow", '{"nodes": [], "links": []}'),
    "info.json": ("a server's list of nodes", '{"SaveImage": {"input": {}}}'),
    "results.json": ("the results of a measurement", '{"runs": [], "gains": []}'),
    "schema.json": ("a JSON schema", '{"$defs": {}, "properties": {}}'),
    "report.html": ("the report of a measurement", ""),
    "manyshot.json": ("part of the dataset folder", "{}"),
    "metadata.jsonl": ("part of the dataset folder", ""),
    "x.png": ("a picture", ""),
    "x.safetensors": ("a file of weights", ""),
    "x.txt": ("a text file", "cat\ndog\n"),
    "x.pdf": ("a document", ""),
    "x.zip": ("an archive", ""),
    "dataset/metadata.jsonl": ("a dataset folder", ""),
    "measured/results.json": ("the folder of a measurement", "{}"),
    "trained/x.safetensors": ("a folder of trained weights", ""),
    "photos/cat/1.jpg": ("a folder of photos", ""),
}
FOLDERS = ("dataset", "measured", "trained", "photos")
DOORS: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
    (("run", "{}"), ("run.yaml",)),
    (("plan", "{}"), ("run.yaml",)),
    (("plan", "run.yaml", "--set", "classes={}"), ("x.txt",)),
    (("plan", "run.yaml", "--set", "workflow={}"), ("w.json", "ui.json", "x.png", *FOLDERS)),
    (("start", "{}"), ("photos", "dataset")),
    (("measure", "{}"), ("measure.yaml",)),
    (("shots", "{}", "out"), ("measure.yaml",)),
    (("subject", "train", "{}"), ("subject.yaml",)),
    (("recipe", "check", "{}"), ("run.yaml", "measure.yaml", "subject.yaml")),
    (("recipe", "show", "{}"), ("run.yaml", "measure.yaml", "subject.yaml")),
    *(((verb, "{}"), ("dataset", "photos")) for verb in ("status", "verify", "repair")),
    (("reject", "{}", "a.png"), ("dataset", "photos")),
    (("export", "{}", "--to", "coco", "--output", "out"), ("dataset", "photos")),
    (("curate", "{}", "--real", "photos", "--output", "out"), ("dataset", "photos")),
    (("report", "{}"), ("results.json", "measured")),
    (("workflow", "check", "{}", "--object-info", "info.json"), ("w.json", "ui.json", "x.png")),
    (("workflow", "check", "w.json", "--object-info", "{}"), ("info.json",)),
    (("workflow", "convert", "{}", "-o", "out.json"), ("w.json", "ui.json", "x.png")),
    (("subject", "evaluate", "{}", "--real", "photos"), ("x.safetensors", "trained")),
    (
        ("subject", "evaluate", "x.safetensors", "--real", "{}"),
        ("photos", "dataset", "measure.yaml"),
    ),
    (("subject", "evaluate", "--dataset", "{}", "--real", "photos"), ("dataset", "photos")),
]


@pytest.fixture(scope="module")
def every_kind(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file or folder of each kind."""
    folder = tmp_path_factory.mktemp("kinds")
    for name, (_, text) in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize("door", DOORS, ids=lambda door: "-".join(door[0]))
def test_every_command_says_what_a_file_of_another_kind_is(
    door: tuple[tuple[str, ...], tuple[str, ...]],
    every_kind: Path,
    manyshot: Callable[..., tuple[int, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(every_kind)
    words, accepted = door
    for name, (kind, _) in FILES.items():
        given = name.partition("/")[0]
        if given in accepted:
            continue
        code, sentence = manyshot(*(word.format(given) for word in words))
        assert code == 2, (given, sentence)
        assert f"{given} is {kind}" in sentence, (given, sentence)
        assert ", not " in sentence, (given, sentence)
    assert not (every_kind / "out").exists()
