"""The command line as its user meets it: a sentence and the right exit code, no traceback."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from manyshot.core.records import read_records
from manyshot.driver.ledger import FILE_NAME
from PIL import Image

COLOURS = {
    "1": {"class_type": "EmptyImage", "_meta": {"title": "Colour"},
          "inputs": {"width": 16, "height": 16, "batch_size": 1, "color": 0}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
}  # fmt: skip


@pytest.fixture
def recipe(tmp_path):
    """Write a recipe for the colour workflow, changed as given; gives its path."""

    def write(graph: object = None, **changes: object) -> Path:
        text = graph if isinstance(graph, str) else json.dumps(graph or COLOURS)
        (tmp_path / "colours.json").write_text(text)
        data = {"workflow": str(tmp_path / "colours.json"), "output": str(tmp_path / "out"),
                "classes": ["red"], "images_per_class": 3, "bind": {"Colour.color": "$index"},
                **changes}  # fmt: skip
        path = tmp_path / "recipe.yaml"
        path.write_text(yaml.safe_dump({k: v for k, v in data.items() if v is not None}))
        return path

    return write


def test_help_is_quick_and_imports_nothing_heavy():
    code = "import sys, manyshot.cli; print({'torch', 'requests', 'PIL'} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "set()"


def test_the_generated_command_help_is_up_to_date():
    from command_docs import command_docs

    for name, text in command_docs().items():
        written = (Path(__file__).parents[2] / "docs" / name).read_text(encoding="utf-8")
        assert written == text, "run: make docs"


def test_the_schema_is_json(manyshot):
    code, said = manyshot("recipe", "schema")
    assert code == 0
    assert "images_per_class" in json.loads(said)["properties"]


def test_plan_shows_jobs_without_a_server(manyshot, recipe):
    code, said = manyshot("plan", recipe())
    assert code == 0
    assert "3 jobs: 1 class x 3 images" in said


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"imags_per_class": 1}, "Unknown key 'imags_per_class'. Did you mean 'images_per_class'?"),
        ({"workflow": "class_promts"}, "Did you mean 'class_prompts'?"),
        ({"workflow": "nowhere/w.json"}, "There is no workflow file nowhere/w.json"),
        ({"graph": '{"1": '}, "colours.json, line 1, column 7"),
        ({"graph": "[]"}, "is not a ComfyUI workflow"),
        ({"graph": {"nodes": [], "links": []}}, "is in UI format"),
        ({"bind": {"Colour.colour": 1}}, "Did you mean 'color'?"),
        ({"bind": {"Color.color": 1}}, "Did you mean 'Colour'?"),
        ({"classes": ["../x"]}, "cannot be used as a file name"),
        ({"classes": None}, "names no classes"),
        (
            {"servers": [{"url": "http://127.0.0.1:1", "bearer": "${MANYSHOT_NOT_SET_ANYWHERE}"}]},
            "MANYSHOT_NOT_SET",
        ),
    ],
)
def test_wrong_input_ends_with_2_and_a_sentence(manyshot, recipe, changes, sentence):
    verb = "run" if "servers" in changes else "plan"
    code, said = manyshot(verb, recipe(**changes))
    assert code == 2
    assert sentence in said


def test_no_server_ends_with_1(manyshot, recipe):
    code, said = manyshot("run", recipe(), "--server", "http://127.0.0.1:1")
    assert code == 1
    assert "http://127.0.0.1:1/object_info did not answer: connection refused" in said


@pytest.mark.parametrize("words", [("run",), ("run", "--nonsense"), ("nonsense",), ("status", "x")])
def test_wrong_words_end_with_2(manyshot, words):
    assert manyshot(*words)[0] == 2


def test_a_missing_recipe_and_a_folder_that_is_none(manyshot, tmp_path):
    assert "There is no recipe at" in manyshot("run", tmp_path / "r.yaml")[1]
    assert "is not a dataset folder" in manyshot("status", tmp_path)[1]


AMBIGUOUS = {**COLOURS, "3": {**COLOURS["1"], "_meta": {"title": "Other"}},
             "4": {"class_type": "ImageBlend", "inputs": {
                 "image1": ["1", 0], "image2": ["3", 0], "blend_factor": 0.5,
                 "blend_mode": "normal"}},
             "2": {"class_type": "SaveImage", "inputs": {
                 "images": ["4", 0], "filename_prefix": "x"}}}  # fmt: skip
CHECKPOINT = {
    **COLOURS,
    "5": {"class_type": "CheckpointLoaderSimple",
          "inputs": {"ckpt_name": "manyshot-tin.safetensors"}},
    "6": {"class_type": "VAEDecode", "inputs": {"samples": ["7", 0], "vae": ["5", 2]}},
    "7": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}},
    "2": {**COLOURS["2"], "inputs": {"images": ["6", 0], "filename_prefix": "x"}},
}  # fmt: skip
UNKNOWN = {**COLOURS, "2": {**COLOURS["2"], "class_type": "SaveImag"}}
LOAD = {**COLOURS, "1": {"class_type": "LoadImage", "inputs": {"image": "nowhere.png"}}}


@pytest.mark.server
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"graph": AMBIGUOUS, "bind": {"EmptyImage.color": "$index"}}, "fits 2 nodes"),
        ({"graph": CHECKPOINT, "bind": {"EmptyLatentImage.width": "$index"}}, "ckpt_name"),
        ({"graph": UNKNOWN}, "SaveImage"),
        ({"graph": LOAD, "bind": {}, "images_per_class": 1}, "nowhere.png"),
        ({"bind": {"Colour.color": "$index", "Colour.width": 0}}, "'width'"),
        ({"bind": {"Colour.color": "$index", "Colour.width": "wide"}}, "'wide' is not"),
        ({"bind": {}, "sweep": {"Colour.color": [1, -1]}, "images_per_class": 1}, "'color'"),
    ],
)
def test_what_the_server_would_refuse_is_said_before_anything_is_queued(
    manyshot, recipe, comfyui, tmp_path, changes, sentence
):
    code, said = manyshot("run", recipe(**changes), "--server", comfyui.url)
    assert code == 2
    assert sentence in said
    assert not (tmp_path / "out").exists()


@pytest.mark.server
@pytest.mark.parametrize("transport", ["websocket", "view"])
def test_a_run_its_resume_and_its_status(manyshot, recipe, comfyui, tmp_path, transport):
    path = recipe(transport=transport)
    assert manyshot("run", path, "--server", comfyui.url)[0] == 0
    folder = tmp_path / "out"
    records = list(read_records(folder))
    assert len(records) == 3
    colours = {Image.open(folder / r.file_name).getpixel((0, 0)) for r in records}
    assert colours == {(0, 0, 0), (0, 0, 1), (0, 0, 2)}
    first = folder / records[0].file_name
    kept = {r.file_name: (folder / r.file_name).stat().st_mtime_ns for r in records[1:]}
    first.unlink()
    code, said = manyshot("run", path, "--server", comfyui.url)
    assert code == 0
    assert "1 image had been deleted: it counts as rejected" in said
    assert "2 of 3 are there, 1 rejected" in said
    assert not first.exists()
    code, said = manyshot("run", path, "--server", comfyui.url, "--redraw")
    assert code == 0
    assert "1 image in" in said
    assert "3 of 3 are there" in said
    assert first.exists()
    assert kept == {name: (folder / name).stat().st_mtime_ns for name in kept}
    assert "3 of 3 jobs done" in manyshot("status", folder)[1]


def lead_outside(folder: Path, way: str) -> Path:
    """Have a finished folder name a file that lies outside of it, as its done image."""
    [image, *_] = sorted((folder / "images" / "red").iterdir())
    outside = folder.parent / "victim" / image.name
    outside.parent.mkdir()
    outside.write_bytes(image.read_bytes())
    if way == "link":
        (folder / "images" / "red").rename(folder.parent / "own")
        (folder / "images" / "red").symlink_to(outside.parent)
        return outside
    job_id, class_name = image.stem.removesuffix("_0"), "../../victim"
    if way == "id":
        job_id, class_name = f"../../../victim/{job_id}", "red"
    with sqlite3.connect(folder / FILE_NAME) as ledger:
        ledger.execute(
            "UPDATE jobs SET id = ?, class_name = ?, job = json_set(job, '$.id', ?, "
            "'$.class_name', ?) WHERE id = ?",
            (job_id, class_name, job_id, class_name, image.stem.removesuffix("_0")),
        )
    ledger.close()
    return outside


@pytest.mark.server
@pytest.mark.parametrize("way", ["class", "id", "link"])
def test_a_strangers_folder_has_nothing_outside_deleted(manyshot, recipe, comfyui, tmp_path, way):
    server = ("--server", comfyui.url)
    assert manyshot("run", recipe(), *server)[0] == 0
    outside = lead_outside(tmp_path / "out", way)
    before = outside.read_bytes()
    code, said = manyshot("run", recipe(images_per_class=1), *server, "--prune")
    assert code in (0, 1, 2), said
    manyshot("repair", tmp_path / "out")
    manyshot("verify", tmp_path / "out")
    assert [path.name for path in outside.parent.iterdir()] == [outside.name]
    assert outside.read_bytes() == before


@pytest.mark.server
def test_a_changed_recipe_in_the_same_folder_needs_prune(manyshot, recipe, comfyui, tmp_path):
    server = ("--server", comfyui.url)
    assert manyshot("run", recipe(), *server)[0] == 0
    code, said = manyshot("run", recipe(images_per_class=2), *server)
    assert code == 2
    assert "--prune" in said
    assert manyshot("run", recipe(images_per_class=2), *server, "--prune")[0] == 0
    assert len(list(read_records(tmp_path / "out"))) == 2
    assert len(list((tmp_path / "out" / "images").rglob("*.png"))) == 2


@pytest.mark.server
def test_a_second_run_in_the_same_folder_is_refused(manyshot, recipe, comfyui, tmp_path):
    from manyshot.driver.ledger import Ledger

    ledger = Ledger(tmp_path / "out")
    code, said = manyshot("run", recipe(), "--server", comfyui.url)
    ledger.close()
    assert code == 2
    assert "Another run is using" in said
    assert (tmp_path / "out" / FILE_NAME).exists()
