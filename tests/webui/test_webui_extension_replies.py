"""What the extension says to others: infotext, the WebUI's API, its own routes."""

import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from ..support.webui_host import CLASSES, ROOT, Host, fake_webui, names, records


@pytest.fixture
def webui() -> Iterator[Host]:
    with fake_webui() as host:
        yield host


def test_the_infotext_replays_the_settings(webui: Host, tmp_path: Path) -> None:
    given = {
        "output": str(tmp_path / "d"),
        "classes": 'cat: a "big", odd cat\ndog',
        "templates": "a {class_name}: (sharp:1.2)",
        "images_per_class": 1,
        "seed": 12345678901,
        "control_weight": 0.5,
    }
    processed = webui.run(**given)
    text = processed.infotexts[0].splitlines()[-1]
    value = text.split("Manyshot: ", 1)[1]
    decoder = json.JSONDecoder()
    params = {"Manyshot": decoder.raw_decode(value)[0]}
    names_ = webui.part("webui.script_settings").NAMES
    pasted = {
        name: read(params)
        for name, (_, read) in zip(names_, webui.script.infotext_fields, strict=True)
    }
    assert {name: pasted[name] for name in given} == {**given, "output": None}
    assert str(tmp_path) not in text  # a path of this machine; the panel keeps what it shows
    assert "Script: Manyshot" in text
    assert [read({}) for _, read in webui.script.infotext_fields] == [None] * len(names_)


@pytest.mark.parametrize("option", ["hide_ui_dir_config", "share", "listen", "server_name"])
@pytest.mark.parametrize("path", ["/tmp/a", "~/a", "C:\\a", "\\\\host\\a", "../a"])
def test_a_webui_for_others_takes_no_absolute_paths(
    webui: Host, monkeypatch: pytest.MonkeyPatch, option: str, path: str
) -> None:
    options = webui.part("webui.host").shared.cmd_opts
    monkeypatch.setattr(options, option, True, raising=False)
    shown = webui.run(output=path, classes="cat", images_per_class=1).infotexts[0]
    assert "cannot be an absolute path" in shown or "leads outside the folder" in shown


def test_the_images_carry_the_infotext(webui: Host, tmp_path: Path) -> None:
    webui.run(output=str(tmp_path), classes="cat", images_per_class=1)
    (name,) = names(tmp_path)
    with Image.open(tmp_path / name) as image:
        assert "Manyshot: " in image.info["parameters"]  # pyright: ignore


def test_script_args_have_a_documented_order(webui: Host) -> None:
    listed = webui.part("webui.script_settings").NAMES
    text = (ROOT / "docs" / "webui.md").read_text()
    places = [text.index(f"| `{name}` |") for name in listed]
    assert places == sorted(places)
    assert [control.elem_id for control in webui.controls] == [
        f"script_txt2img_manyshot_{name}" for name in listed
    ]


def _login(pair: str) -> dict[str, str]:
    return {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def test_routes_tell_the_run_and_obey_the_login_of_the_api(webui: Host, tmp_path: Path) -> None:
    app = sys.modules["fastapi"].FastAPI()
    (add,) = webui.callbacks.app_started
    add(None, app)
    assert app.get("/manyshot/v1/status")["state"] == "idle"
    assert app.get("/manyshot/v1/records") == []
    webui.run(output=str(tmp_path), classes=CLASSES, images_per_class=2)
    status = app.get("/manyshot/v1/status")
    assert (status["state"], status["done"], status["planned"]) == ("ended", 4, 4)
    assert app.get("/manyshot/v1/records", after=1, limit=2) == records(tmp_path)[1:3]
    webui.shared.cmd_opts.api_auth = "ann:secret,bob:word"
    assert app.get("/manyshot/v1/status", _login("bob:word"))["done"] == 4
    for headers in ({}, _login("bob:secret"), _login("ann:"), {"authorization": "Basic %%"}):
        for path in app.routes:
            with pytest.raises(sys.modules["fastapi"].HTTPException) as caught:
                app.get(path, headers)
            assert caught.value.status_code == 401


def test_without_the_api_there_are_no_routes(webui: Host) -> None:
    webui.shared.cmd_opts.api = False
    app = sys.modules["fastapi"].FastAPI()
    webui.callbacks.app_started[0](None, app)
    assert app.routes == {}
