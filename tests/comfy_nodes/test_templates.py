"""Templates as an artist meets them: samples are there, those of manyshot-tiny run at once,
nodes have names of their own, and pages that explain them."""

import json
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from manyshot.core.class_sheet import GAP, MARGIN, NAME_WIDTH, TILE, draw_class_rows
from manyshot.core.data.labelled_image import read_pair
from manyshot.core.data.reader import read_folder
from manyshot.core.errors import InputError
from manyshot.core.images import open_rgb
from manyshot.core.samples import SAMPLES, copy_samples
from manyshot.driver.embedded import EmbeddedServer
from manyshot.driver.workflow.own_nodes import fold
from PIL import Image
from templates import WORKFLOWS, read_template, templates, workflow_name

from ..support.server_client import Client

ROOT = WORKFLOWS.parent
ROOMS = {"prompts", "dataset", "masks", "control", "subjects"}
TINY = [path for path in templates() if "(SD" not in path.stem]
QUICK = {  # class of node -> inputs that spare time
    "KSampler": {"steps": 1},
    "ManyshotClassPrompts": {"images_per_class": 1},
    "ManyshotSubjectPrompts": {"images_per_class": 1},
    "ManyshotTrainSubject": {"steps": 2},
}


def test_samples_are_copied_once_and_never_replaced(tmp_path: Path) -> None:
    names = copy_samples(tmp_path)
    files = sorted(path.name for path in SAMPLES.rglob("*") if path.is_file())
    assert sorted(names) == files
    assert copy_samples(tmp_path) == []
    (tmp_path / "manyshot_photo.jpg").write_bytes(b"the artist's own")
    (tmp_path / "manyshot_control.png").unlink()
    assert copy_samples(tmp_path) == ["manyshot_control.png"]
    assert (tmp_path / "manyshot_photo.jpg").read_bytes() == b"the artist's own"


def test_samples_follow_no_link_out_of_the_input_folder(tmp_path: Path) -> None:
    (tmp_path / "input").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "input" / "manyshot_samples").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="leads outside the folder"):
        copy_samples(tmp_path / "input")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_samples_are_labelled_photos() -> None:
    files = read_folder(SAMPLES / "manyshot_samples", "auto")
    pairs = [read_pair(file) for file in files]
    assert [file.class_name for file in files] == ["Abyssinian"] * 2 + ["Beagle"] * 2
    assert [pair.mask.visible_classes() for pair in pairs] == [("cat",)] * 2 + [("dog",)] * 2
    assert all((pair.mask.labels == 255).any() for pair in pairs)  # the open outline


def test_a_sheet_has_a_row_for_each_class() -> None:
    red, blue = Image.new("RGB", (TILE, TILE), "red"), Image.new("RGB", (64, 64), "blue")
    sheet = draw_class_rows({"cat": [red, red], "dog": [blue]}, {"cat": 9, "dog": 1})
    pixels = np.asarray(sheet)
    left, second = MARGIN + NAME_WIDTH, MARGIN + TILE + GAP
    assert sheet.height == 2 * (TILE + GAP) + 2 * MARGIN
    assert pixels[MARGIN + 5, left + 5].tolist() == [255, 0, 0]
    assert pixels[MARGIN + 5, left + TILE + GAP + 5].tolist() == [255, 0, 0]
    assert pixels[second + 5, left + 5].tolist() == [0, 0, 255]
    names = pixels[:, MARGIN : MARGIN + NAME_WIDTH].min(axis=2) < 200
    assert names[: second - GAP].any()
    assert names[second:].any()
    few = draw_class_rows({"cat": [red, red], "dog": [blue]}, {"cat": 2, "dog": 1})
    beneath = slice(MARGIN + TILE // 2 + 12, MARGIN + TILE)
    assert names[beneath].any()
    assert not (np.asarray(few)[beneath, :NAME_WIDTH] < 200).any()


@pytest.mark.parametrize(("classes", "line"), [(60, False), (61, True)])
def test_a_sheet_says_how_many_classes_it_leaves_out(classes: int, line: bool) -> None:
    tile = Image.new("RGB", (8, 8), "white")
    names = [f"class {number}" for number in range(classes)]
    sheet = draw_class_rows({name: [tile] for name in names[:60]}, dict.fromkeys(names, 1))
    rows_end = MARGIN + (sheet.height - 2 * MARGIN) // (TILE + GAP) * (TILE + GAP)
    assert (np.asarray(sheet)[rows_end:] < 200).any() == line


@pytest.mark.parametrize("linked", [False, True])
def test_bulk_runs_leave_a_contact_sheet_out_unless_it_is_used(linked: bool) -> None:
    graph = json.loads((WORKFLOWS / "api" / "class_prompts.json").read_text("utf-8"))
    plain = {i: node for i, node in graph.items() if node["class_type"] != "ManyshotContactSheet"}
    (sheet,) = graph.keys() - plain.keys()
    if linked:
        save = {"class_type": "SaveImage", "inputs": {"images": [sheet, 0], "filename_prefix": "x"}}
        graph["99"] = save
        assert sheet in fold(graph).graph
    else:
        assert fold(graph) == fold(plain)


@pytest.mark.server
def test_samples_are_offered(comfyui: EmbeddedServer) -> None:
    for name in ("LoadImage", "ManyshotLoadMask"):
        info = requests.get(f"{comfyui.url}/object_info/{name}", timeout=60).json()[name]
        kind, *facts = next(iter(info["input"]["required"].values()))
        options = kind if isinstance(kind, list) else facts[0]["options"]
        assert {path.name for path in SAMPLES.glob("*.*")} <= set(options)
    assert (comfyui.folder / "input" / "manyshot_samples" / "palette.yaml").is_file()


@pytest.mark.server
def test_the_server_lists_templates_in_their_order(comfyui: EmbeddedServer) -> None:
    for route in ("workflow_templates", "api/workflow_templates"):
        listed = requests.get(f"{comfyui.url}/{route}", timeout=60).json()
        assert listed["manyshot"] == [path.stem for path in templates()]
    place = f"{comfyui.url}/api/workflow_templates/manyshot/{templates()[0].stem}"
    assert requests.get(f"{place}.jpg", timeout=60).content[:3] == b"\xff\xd8\xff"
    assert requests.get(f"{place}.json", timeout=60).json()["nodes"]


@pytest.mark.server
@pytest.mark.parametrize("path", TINY, ids=lambda path: path.stem)
def test_each_runs_at_the_first_press(client: Client, comfyui: EmbeddedServer, path: Path) -> None:
    name = workflow_name(read_template(path))
    graph: dict[str, Any] = json.loads((WORKFLOWS / "api" / f"{name}.json").read_text("utf-8"))
    folder, token = f"manyshot/first-press/{name}", f"t-{uuid.uuid4().hex[:12]}"
    for node in graph.values():
        node["inputs"].update(QUICK.get(node["class_type"], {}))
        if node["class_type"] == "ManyshotSaveLabelled":
            node["inputs"]["folder"] = folder
        if node["class_type"] == "ManyshotTrainSubject":
            node["inputs"]["token"] = token
    done = client.run(graph)
    for file in (comfyui.model_folders[1] / "loras").glob(f"{token}*"):
        file.unlink()
    assert done.error is None
    assert list((comfyui.folder / "output" / folder / "images").glob("*/*.png"))


@pytest.mark.server
def test_a_contact_sheet_on_the_canvas(client: Client, comfyui: EmbeddedServer) -> None:
    graph: dict[str, Any] = {
        "1": {
            "class_type": "EmptyImage",
            "inputs": {"width": 64, "height": 64, "batch_size": 9, "color": 0xFF0000},
        },
        "2": {
            "class_type": "ManyshotContactSheet",
            "inputs": {"images": ["1", 0], "class_name": "cat"},
        },
    }
    assert client.run(graph).error is None
    (file,) = sorted(
        (comfyui.folder / "temp").glob("*.png"), key=lambda path: path.stat().st_mtime
    )[-1:]
    tiles = [Image.new("RGB", (64, 64), "red")] * 8
    assert open_rgb(file).tobytes() == draw_class_rows({"cat": tiles}, {"cat": 9}).tobytes()


@pytest.fixture(scope="module")
def nodes(comfyui: EmbeddedServer) -> dict[str, Any]:
    return requests.get(f"{comfyui.url}/object_info", timeout=60).json()


@pytest.mark.server
def test_names_of_nodes_are_taken_by_no_other(nodes: dict[str, Any]) -> None:
    ours = {name: node for name, node in nodes.items() if name.startswith("Manyshot")}
    titles = [node["display_name"] for node in ours.values()]
    others = {node["display_name"] for name, node in nodes.items() if name not in ours}
    assert len(set(titles)) == len(titles)
    assert not set(titles) & (others | {"ControlNet", "Load Mask", "Subject"})
    assert {node["category"] for node in ours.values()} == {f"manyshot/{room}" for room in ROOMS}


@pytest.mark.server
def test_nodes_explain_themselves(nodes: dict[str, Any]) -> None:
    pages = {path.stem: path for path in (ROOT / "comfy_nodes" / "web" / "docs").glob("*.md")}
    ours = {name: node for name, node in nodes.items() if name.startswith("Manyshot")}
    assert pages.keys() == ours.keys()
    for name, node in ours.items():
        assert pages[name].read_text("utf-8").startswith(f"# {node['display_name']}\n")
        assert node["description"]
        inputs = {**node["input"].get("required", {}), **node["input"].get("optional", {})}
        assert [title for title, value in inputs.items() if not value[1].get("tooltip")] == []
