"""What the documents and recipes say of WebUIs is what there is."""

import re
from pathlib import Path

import pytest
import yaml
from manyshot.driver.address import ServerAddress
from manyshot.driver.prepare import prepare
from manyshot.driver.recipe import read_recipe
from manyshot.driver.targets.webui.requests import find_requests
from manyshot.driver.targets.webui.webui_settings import DEFAULTS, Hires, Unit, WebUISettings

ROOT = Path(__file__).parents[2]
_ROW = re.compile(r"^\| (?P<keys>`[^|]+?) \|(?P<says>[^|]*)\|(?P<default>[^|]*)\|$", re.MULTILINE)


def rows() -> dict[tuple[str, ...], tuple[str, str]]:
    """The table of `webui`: its keys -> what they say, and their defaults."""
    text = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
    table = text.partition("| key of `webui` |")[2].partition("\n\n")[0]
    return {
        tuple(re.findall(r"`(\w+)`", row["keys"])): (row["says"], row["default"])
        for row in _ROW.finditer(table)
    }


def test_the_table_has_every_key_once() -> None:
    told = [key for keys in rows() for key in keys]
    assert sorted(told) == sorted(WebUISettings.model_fields)


def test_the_table_has_every_key_of_a_unit_and_of_hires_fix() -> None:
    for key, model in (("controlnet", Unit), ("hires", Hires)):
        assert set(re.findall(r"`(\w+)`", rows()[(key,)][0])) == set(model.model_fields)


def test_the_tables_defaults_are_the_settings() -> None:
    known = {name: field.default for name, field in WebUISettings.model_fields.items()} | DEFAULTS
    known |= {"checkpoint": "must be given", "vae": "Automatic"}
    none = ([], {}, None)
    for keys, (_, told) in rows().items():
        values = yaml.safe_load(f"[{told.replace('`', '')}]")
        assert values == ["none" if known[key] in none else known[key] for key in keys]


@pytest.mark.parametrize("name", ["webui", "comfyui_and_webui"])
def test_the_recipes_can_be_planned(name: str) -> None:
    plan = prepare(read_recipe(ROOT / "recipes" / f"{name}.yaml"), None)
    sent = find_requests(plan).request(next(iter(plan))).payload
    assert sent["override_settings"]["sd_model_checkpoint"] == "v1-5-pruned-emaonly.safetensors"
    assert (sent["sampler_name"], sent["scheduler"], sent["steps"]) == ("DPM++ 2M", "Karras", 30)
    assert (sent["width"], sent["height"]) == (512, 512)


def test_a_webui_among_the_servers_changes_no_job() -> None:
    both = read_recipe(ROOT / "recipes" / "comfyui_and_webui.yaml")
    alone = both.model_copy(update={"servers": [ServerAddress(url="embedded")]})
    assert next(iter(prepare(alone, None))).id == next(iter(prepare(both, None))).id
