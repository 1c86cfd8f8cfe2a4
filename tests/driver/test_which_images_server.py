"""A table of prompts, and values by class, on a real server: the pixels say what was drawn."""

import json
from pathlib import Path
from typing import Any

import pytest
from manyshot.core.records import read_records
from manyshot.driver.embedded import EmbeddedServer
from manyshot.driver.recipe import parse_recipe
from PIL import Image

from ..support.fault_runs import GRAPH, drive

pytestmark = [pytest.mark.server, pytest.mark.usefixtures("hasty")]
RED, BLUE = 0xFF0000, 0x0000FF


def colours(folder: Path, comfyui: EmbeddedServer, **keys: Any) -> dict[str, tuple[int, ...]]:
    """Class name -> the colour of its image."""
    (folder / "g.json").write_text(json.dumps(GRAPH))
    data = {"workflow": str(folder / "g.json"), "output": str(folder / "out"), "save": "@9"}
    recipe = parse_recipe({**data, "servers": [comfyui.url], **keys}, "r.yaml")
    assert drive(recipe).exit_code == 0
    pixels = {}
    for record in read_records(recipe.output):
        with Image.open(recipe.output / record.file_name) as image:
            pixel = image.convert("RGB").getpixel((0, 0))
        assert isinstance(pixel, tuple)
        pixels[record.class_name] = pixel
    return pixels


def test_columns_of_a_table(tmp_path: Path, comfyui: EmbeddedServer) -> None:
    text = f"class_name,prompt,colour,id\ncat,a cat,{RED},a-1\ndog,a dog,{BLUE},a-2\n"
    (tmp_path / "p.csv").write_text(text)
    prompts = {"file": str(tmp_path / "p.csv")}
    drawn = colours(tmp_path, comfyui, prompts=prompts, bind={"EmptyImage.color": "$colour"})
    assert drawn == {"cat": (255, 0, 0), "dog": (0, 0, 255)}
    lines = (tmp_path / "out" / "metadata.jsonl").read_text().splitlines()
    assert [json.loads(line)["fields"]["id"] for line in lines] == ["a-1", "a-2"]


def test_values_by_class(tmp_path: Path, comfyui: EmbeddedServer) -> None:
    bind = {"EmptyImage.color": {"cat": BLUE, "dog": RED}}
    keys = {"classes": ["cat", "dog"], "images_per_class": 1, "price_per_hour": 2}
    drawn = colours(tmp_path, comfyui, bind=bind, **keys)
    assert drawn == {"cat": (0, 0, 255), "dog": (255, 0, 0)}
