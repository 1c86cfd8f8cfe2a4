"""`manyshot start`: what it decides, the recipes it writes, what it refuses, and the whole way."""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torchmetrics")
pytest.importorskip("diffusers")

from manyshot.cli import main
from manyshot.cli.start import steps
from manyshot.cli.start.models import WORKFLOWS, breeds
from manyshot.cli.start.options import Method, Options, Way
from manyshot.cli.start.photos import Photos, look_at, solar_cells
from manyshot.cli.start.recipes import recipe_files, write_recipes
from manyshot.cli.start.setup import Setup, decide
from manyshot.cli.start.sizes import FULL, QUICK, Size
from manyshot.core.recipe_file import read_recipe_file
from manyshot.core.records import read_records
from manyshot.driver.recipe import read_recipe
from manyshot.trainer.measure.measure_recipe import MeasureRecipe
from manyshot.trainer.measure.measure_results import read_results
from manyshot.trainer.subjects.subject_recipe import SubjectRecipe
from PIL import Image

from ..support.noise_photos import photo
from ..support.pair_folders import write_pairs

Call = Callable[..., tuple[int, str]]
TINY = Size(
    shots=5,
    draws=2,
    training={"lora": {"steps": 2, "every": 2, "rank": 1, "batch": 1}},
    images=1,
    seeds=1,
)


def fill(folder: Path, counts: Mapping[str, int], first: int = 0) -> Path:
    """Class folders of photos of nothing, none like another."""
    for number, (name, count) in enumerate(counts.items()):
        (folder / name).mkdir(parents=True)
        for index in range(count):
            pixels = photo(first + 1000 * number + index, 128, 128)
            Image.fromarray(pixels).save(folder / name / f"{index}.png")
    return folder


@pytest.fixture
def manyshot(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Call:
    """Call the command line in `tmp_path`; gives its exit code and all it said on one line."""
    monkeypatch.chdir(tmp_path)

    def call(*words: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["manyshot", *map(str, words)])
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        printed = capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        return code, " ".join((printed.out + printed.err).split())

    return call


def photos(
    counts: Mapping[str, int], tested: int, split: bool, pairs: Path | None = None
) -> Photos:
    return Photos({"path": "photos"}, pairs, dict(counts), tested, split, "sha256:0")


def options(**changes: object) -> Options:
    base = Options(Path("photos"), Path("out"), noun="food")
    return replace(base, **changes)  # pyright: ignore[reportArgumentType]


CUPS = {"cup": 5, "key": 5, "tree": 5}
PAIRS = Path("photos")


@pytest.mark.parametrize(
    ("given", "there", "way", "shots", "draws", "images"),
    [
        ({}, photos(CUPS, 90, split=False), Way.SUBJECTS, 5, 1, 10),
        ({}, photos({"cup": 15, "key": 20}, 9, split=True), Way.SUBJECTS, 5, 5, 10),
        ({}, photos({"cup": 4, "key": 4}, 2, split=True), Way.SUBJECTS, 4, 1, 8),
        ({}, photos({"cup": 4, "key": 5}, 2, split=True), Way.SUBJECTS, 4, 5, 8),
        ({"quick": True}, photos(CUPS, 90, split=False), Way.SUBJECTS, 5, 1, 5),
        ({"shots": 3, "draws": 4}, photos(CUPS, 90, split=False), Way.SUBJECTS, 3, 4, 6),
        ({}, photos({"beagle": 9, "Maine_Coon": 9}, 4, split=True), Way.NAMES, 5, 5, 10),
        ({}, photos({"beagle": 9, "cup": 9}, 4, split=True), Way.SUBJECTS, 5, 5, 10),
        ({}, photos(CUPS, 90, split=False, pairs=PAIRS), Way.MASKS, 5, 1, 10),
        ({"way": Way.NAMES}, photos(CUPS, 90, split=False, pairs=PAIRS), Way.NAMES, 5, 1, 10),
        ({"workflow": "class_prompts_sd15"}, photos(CUPS, 9, split=False), Way.NAMES, 5, 1, 10),
        ({"workflow": "subject_lora"}, photos(CUPS, 9, split=False), Way.SUBJECTS, 5, 1, 10),
        (
            {"workflow": "keep_object_sd15"},
            photos(CUPS, 9, split=False, pairs=PAIRS),
            Way.MASKS,
            5,
            1,
            10,
        ),
        ({"images": 7}, photos(CUPS, 90, split=False), Way.SUBJECTS, 5, 1, 7),
    ],
)
def test_what_is_decided(
    given: dict[str, object], there: Photos, way: Way, shots: int, draws: int, images: int
) -> None:
    setup = decide(options(**given), there)
    assert (setup.way, setup.shots, setup.draws, setup.images) == (way, shots, draws, images)
    recipe_files(setup)


def written(setup: Setup, output: Path) -> dict[str, Path]:
    """The recipes of a setup as files, by their names."""
    files = recipe_files(replace(setup, options=replace(setup.options, output=output)))
    assert write_recipes(files) == []
    return {file.path.name: file.path for file in files}


@pytest.mark.parametrize("method", list(Method))
@pytest.mark.parametrize("quick", [False, True])
def test_the_recipes_of_subjects_can_be_run_by_hand(
    tmp_path: Path, method: Method, quick: bool
) -> None:
    setup = decide(options(folder=None, method=method, quick=quick), solar_cells())
    files = written(setup, tmp_path)
    assert list(files) == ["01-subjects.yaml", "02-pictures.yaml", "03-measure.yaml"]
    learned = read_recipe_file(SubjectRecipe, files["01-subjects.yaml"])
    drawn = read_recipe(files["02-pictures.yaml"])
    measured = read_recipe_file(MeasureRecipe, files["03-measure.yaml"])
    size = QUICK if quick else FULL
    assert (learned.each_draw, learned.settings.method) == (True, method.value)
    assert (drawn.each_draw, drawn.workflow) == (True, WORKFLOWS[method])
    assert drawn.subjects == learned.output
    assert measured.synthetic == drawn.output
    assert (measured.draws, measured.data.kind) == (size.draws, "elpv")
    assert learned.classes
    assert learned.classes.folder == tmp_path / "draws"
    text = files["01-subjects.yaml"].read_text()
    assert text.splitlines()[1].startswith("# Turns the photos into words")
    assert f"#   manyshot subject train {files['01-subjects.yaml']}" in text
    assert f"manyshot shots {files['03-measure.yaml']} {tmp_path / 'draws'} --each-draw" in text


@pytest.mark.parametrize("quick", [False, True])
def test_there_are_images_enough_for_every_arm(tmp_path: Path, quick: bool) -> None:
    setup = decide(options(quick=quick), photos({"cup": 15, "key": 20}, 9, split=True))
    measured = read_recipe_file(MeasureRecipe, written(setup, tmp_path)["03-measure.yaml"])
    added = [arm.ratio for arm in measured.arms if arm.add == "synthetic"]
    assert all(float(ratio) * 5 <= 100 * setup.images for ratio in added)
    assert any(arm.add == "real" for arm in measured.arms)


def test_names_of_breeds_are_drawn_by_the_words_that_the_model_learned(tmp_path: Path) -> None:
    setup = decide(options(), photos({"beagle": 9, "Maine_Coon": 9}, 4, split=True))
    files = written(setup, tmp_path)
    assert list(files) == ["01-pictures.yaml", "02-measure.yaml"]
    drawn = read_recipe(files["01-pictures.yaml"])
    assert drawn.classes == {"Maine_Coon": "Maine Coon cat", "beagle": "Beagle dog"}
    assert len(breeds()) == 37


def test_other_models_are_asked_for_the_classes_by_name(tmp_path: Path) -> None:
    given = {"workflow": "class_prompts_sd15", "servers": ("http://127.0.0.1:8188",)}
    setup = decide(options(**given), photos({"espresso_cup": 9, "sushi": 9}, 4, split=True))
    drawn = read_recipe(written(setup, tmp_path)["01-pictures.yaml"])
    assert drawn.classes == {"espresso_cup": "espresso cup", "sushi": "sushi"}
    assert drawn.prompts
    assert drawn.prompts.templates == ["a photo of a {class_name}, a type of food"]
    assert [server.url for server in drawn.servers] == ["http://127.0.0.1:8188"]
    assert (drawn.bind, drawn.batch_size) == ({}, None)


def test_photos_with_masks_keep_their_objects(tmp_path: Path) -> None:
    folder = write_pairs(tmp_path / "photos", 8)
    there = look_at(folder, None, lambda *_: None)
    assert (there.pairs, there.counts) == (folder, {"Beagle": 6, "Persian": 6})
    setup = decide(options(folder=folder, noun=None), there)
    files = written(setup, tmp_path / "out")
    assert list(files) == ["01-pictures.yaml", "02-measure.yaml", "03-measure-masks.yaml"]
    drawn = read_recipe(files["01-pictures.yaml"])
    assert drawn.workflow == "keep_object"
    assert drawn.pairs
    assert drawn.pairs.folder == tmp_path / "out" / "draws"
    measured = read_recipe_file(MeasureRecipe, files["02-measure.yaml"])
    assert measured.data.path == folder / "images"
    assert measured.synthetic == drawn.output


def test_paths_with_signs_of_recipes_are_read_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    setup = decide(options(), photos(CUPS, 9, split=False))
    files = written(setup, Path("~grün $HOME #1"))
    drawn = read_recipe(files["02-pictures.yaml"])
    assert drawn.output == Path("~grün $HOME #1/pictures")


def test_each_recipe_begins_with_the_schema_of_its_kind(tmp_path: Path) -> None:
    for file in recipe_files(decide(options(output=tmp_path), photos(CUPS, 9, split=False))):
        write_recipes([file])
        first = file.path.read_text("utf-8").splitlines()[0]
        schema = tmp_path / first.removeprefix("# yaml-language-server: $schema=")
        properties = json.loads(schema.read_text("utf-8"))["properties"]
        assert file.values.keys() <= properties.keys()


def test_an_edited_recipe_is_kept_and_named(tmp_path: Path) -> None:
    setup = decide(options(output=tmp_path), photos(CUPS, 9, split=False))
    files = recipe_files(setup)
    assert write_recipes(files) == []
    path = tmp_path / "02-pictures.yaml"
    text = path.read_text().replace("images_per_class: 10", "images_per_class: 12")
    path.write_text(text)
    assert write_recipes(files) == [files[1]]
    assert path.read_text() == text


def test_the_plan_says_what_will_not_be_told_and_does_nothing(
    manyshot: Call, tmp_path: Path
) -> None:
    fill(tmp_path / "photos", CUPS)
    code, said = manyshot("start", "photos", "--noun", "thing", "--plan")
    assert code == 0
    for sentence in (
        "3 classes with 4 photos each to train on, and 3 test photos, held out of the same",
        "manyshot-tiny knows none of these classes",
        "On 3 test photos a gain of less than about 71 points cannot be told from zero.",
        "the answer holds for these photos and says nothing about others",
    ):
        assert sentence in said
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def _a_file(folder: Path) -> None:
    folder.write_text("workflow: x\n")


def _loose(folder: Path) -> None:
    folder.mkdir()
    Image.fromarray(photo(0)).save(folder / "1.png")


def _nested(folder: Path) -> None:
    fill(folder / "train set", CUPS)


def _no_images(folder: Path) -> None:
    fill(folder, {"cup": 5, "key": 0})
    (folder / "key" / "notes.txt").write_text("no photo")


def _damaged(folder: Path) -> None:
    fill(folder, CUPS)
    (folder / "cup" / "1.png").write_text("no picture")


@pytest.mark.parametrize(
    ("make", "words", "sentence"),
    [
        (lambda folder: None, [], "There is no folder photos. `manyshot start` takes a folder of"),
        (Path.mkdir, [], "photos has no class folders. `manyshot start` takes a folder of"),
        (_a_file, [], "photos is a file. `manyshot start` takes a folder of class folders"),
        (_loose, [], "1 image lies in photos itself, such as 1.png, outside any class folder"),
        (_nested, [], "If these are the classes, pass photos/train set."),
        (_no_images, [], "The class folder photos/key has no images. Add some or remove it."),
        (_damaged, [], "photos/cup/1.png"),
        (lambda f: fill(f, {"cup": 5}), [], "photos has one class, 'cup', but a measurement needs"),
        (
            lambda f: fill(f, {"cup": 1, "key": 1}),
            [],
            "the class 'cup' has 0 besides those held out",
        ),
        (
            lambda f: fill(f, {"cup": 2, "key": 5}),
            [],
            "the class 'cup' has 1 besides those held out",
        ),
        (lambda f: fill(f, CUPS), ["--shots", "5"], "--shots 5 needs that many photos per class"),
        (lambda f: fill(f, CUPS), ["--way", "masks"], "Images from masks need masks"),
        (lambda f: fill(f, CUPS), ["--noun", " "], "--noun is empty"),
        (
            lambda f: fill(f, CUPS),
            ["--test", "photos"],
            "--test is the folder of the photos itself",
        ),
        (lambda f: fill(f, CUPS), ["--test", "no"], "There is no folder no."),
        (lambda f: fill(f, CUPS), ["--output", "photos/x"], "is inside photos (FOLDER)"),
        (lambda f: fill(f, CUPS), ["--workflow", "no"], "There is no workflow no: pass a file"),
        (lambda f: fill(f, CUPS), ["--base", "a.ckpt"], "There is no checkpoint at a.ckpt."),
    ],
)
def test_what_cannot_be_started_is_a_sentence(
    make: Callable[[Path], object],
    words: list[str],
    sentence: str,
    manyshot: Call,
    tmp_path: Path,
) -> None:
    make(tmp_path / "photos")
    code, said = manyshot("start", "photos", *words)
    assert code == 2
    assert sentence in said
    assert not (tmp_path / "start").exists()


def test_a_checkpoint_that_the_embedded_server_lacks_is_told_before_anything_is_trained(
    manyshot: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from manyshot.cli.start import recipes

    monkeypatch.setattr(recipes, "image_size", lambda base: 512)
    fill(tmp_path / "photos", CUPS)
    code, said = manyshot("start", "photos", "--base", "mine.safetensors")
    assert code == 2
    assert "does not have mine.safetensors. Name a ComfyUI" in said


class Reached(Exception):
    """A step was begun."""


def test_a_start_goes_on_with_the_same_options_alone(
    manyshot: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(steps, "lay_out_shots", stop)
    monkeypatch.setattr("manyshot.driver.embedded.source.ensure_installed", lambda say: None)
    fill(tmp_path / "photos", CUPS)
    assert manyshot("start", "photos")[0] == 130
    folder = tmp_path / "start" / "photos"
    assert json.loads((folder / "start.json").read_text())["folder"] == "photos"
    assert manyshot("start", "photos")[0] == 130
    code, said = manyshot("start", "photos", "--noun", "thing", "--quick")
    assert code == 2
    assert (
        "start/photos was started with different noun and quick. Use the same again to resume"
        in said
    )
    Image.fromarray(photo(77, 128, 128)).save(tmp_path / "photos" / "cup" / "9.png")
    code, said = manyshot("start", "photos")
    assert code == 2
    assert "was started with different photos." in said


def test_a_folder_of_others_is_left_alone(manyshot: Call, tmp_path: Path) -> None:
    fill(tmp_path / "photos", CUPS)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letter.txt").touch()
    code, said = manyshot("start", "photos", "--output", "out")
    assert code == 2
    assert "out is not empty and was not started by `manyshot start`." in said


@pytest.mark.server
@pytest.mark.slow
def test_the_whole_way_and_nothing_twice(
    manyshot: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("manyshot.cli.start.setup.FULL", TINY)
    fill(tmp_path / "photos", {"rote Tasse": 3, "Schlüssel": 3})
    fill(tmp_path / "test", {"rote Tasse": 2, "Schlüssel": 2}, first=500)
    words = ("start", "photos", "--noun", "thing", "--test", "test", "--shots", 2)
    code, first = manyshot(*words)
    assert code == 0, first
    folder = tmp_path / "start" / "photos"
    assert "in prompts: schlussel-m1-2-0 thing, rote-tasse-m1-2-0 thing" in first
    images = [
        record for draw in ("2-0", "2-1") for record in read_records(folder / "pictures" / draw)
    ]
    assert len(images) == 2 * 2 * 2
    assert (folder / "results" / "report.html").is_file()
    results = read_results(folder / "results")
    assert {(row.shots, row.draws) for row in results.gains} == {(2, 2)}
    trained = {path: path.stat().st_mtime_ns for path in folder.rglob("*.safetensors")}
    assert len(trained) == 2

    def start(*_: object, **__: object) -> None:
        raise AssertionError("a server is started")

    monkeypatch.setattr(steps, "run_draws", start)
    code, again = manyshot(*words)
    assert code == 0
    assert again.split()[-40:] == first.split()[-40:]
    assert trained == {path: path.stat().st_mtime_ns for path in folder.rglob("*.safetensors")}
