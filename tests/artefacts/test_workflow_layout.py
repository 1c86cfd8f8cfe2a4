"""The templates are tidy: no node lies over another, in either renderer, and each stands in one
group; ids, samples, thumbnails and addresses are there."""

from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from canvas_layout import HEIGHTS, TITLE
from PIL import Image
from templates import MODELS, read_template, template_of, templates, tidied, workflow_name

WORKFLOWS = Path(__file__).parents[2] / "workflows"
SAMPLES = WORKFLOWS / "samples"
NO_TEMPLATE = {"subject_dreambooth"}  # its file is too large to come with the pack
THUMBNAIL_BYTES = 60_000
Box = tuple[float, float, float, float]


def box(node: dict[str, Any]) -> Box:
    """In the renderer that needs more room."""
    (x, y), (width, height) = node["pos"], node["size"]
    return x, y - TITLE, x + width, y + max(height, HEIGHTS.get(node["type"], 0))


def overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def within(one: Box, other: Box) -> bool:
    return other[0] <= one[0] and other[1] <= one[1] and one[2] <= other[2] and one[3] <= other[3]


each_template = pytest.mark.parametrize("path", templates(), ids=lambda path: path.stem)


@each_template
def test_nodes_stand_apart_in_their_groups(path: Path) -> None:
    canvas = read_template(path)
    groups = [
        (x, y, x + width, y + height)
        for x, y, width, height in (group["bounding"] for group in canvas["groups"])
    ]
    assert not any(overlap(*pair) for pair in combinations(groups, 2))
    for one, other in combinations(canvas["nodes"], 2):
        assert not overlap(box(one), box(other)), (one["title"], other["title"])
    for node in canvas["nodes"]:
        if node["type"] != "MarkdownNote":
            assert sum(within(box(node), group) for group in groups) == 1, node["title"]


def test_each_has_a_twin_of_its_own() -> None:
    names = [workflow_name(read_template(path)) for path in templates()]
    twins = {path.stem for path in (WORKFLOWS / "api").glob("*.json")}
    assert len(set(names)) == len(names)
    assert set(names) == twins - NO_TEMPLATE
    assert template_of("class_prompts").stem == "01 Images of your classes"


@each_template
def test_the_file_is_as_the_tool_makes_it(path: Path) -> None:
    """Else: `python tools/templates.py`."""
    assert path.read_text(encoding="utf-8") == tidied(path)


@each_template
def test_its_name_is_a_title_that_every_disk_and_address_takes(path: Path) -> None:
    assert path.stem[:2].isdigit()
    assert not set(path.stem) & set('#%?&:*"<>|/\\_')


@each_template
def test_it_has_a_thumbnail(path: Path) -> None:
    file = path.with_suffix(".jpg")
    assert file.stat().st_size < THUMBNAIL_BYTES
    with Image.open(file) as image:
        assert image.format == "JPEG"
        assert 300 <= image.width <= 800
        assert 1 <= image.width / image.height <= 2


@each_template
def test_its_samples_come_with_the_pack(path: Path) -> None:
    for node in read_template(path)["nodes"]:
        if node["type"] == "LoadImage":
            assert (SAMPLES / node["widgets_values"][0]).is_file()
        if node["type"] == "ManyshotLoadLabelled":
            assert (SAMPLES / node["widgets_values"][0] / "images").is_dir()


@each_template
def test_public_models_have_addresses(path: Path) -> None:
    """Every model file that does not come with the pack."""
    ours = {file.name for file in (WORKFLOWS.parent / "weights").rglob("*.safetensors")}
    for node in read_template(path)["nodes"]:
        values = [str(value) for value in node.get("widgets_values") or []]
        files = {value for value in values if value.endswith(".safetensors")} - ours
        models = node["properties"].get("models", [])
        assert {model["name"] for model in models} == files
        for model in models:
            assert model["url"].startswith("https://huggingface.co/")
            assert model["url"].endswith(f"/resolve/main/{model['name']}")
            assert model["directory"] == MODELS[model["name"]][0]
