"""The extension's real entry file under fake `modules.*`, which follow the WebUI's 1.8.0."""

import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from PIL import Image
from safetensors.numpy import save_file

from .webui_host import ROOT, Host, fake_webui

CLASSES = "cat\ndog: a small dog"


@pytest.fixture
def webui() -> Iterator[Host]:
    with fake_webui() as host:
        yield host


def names(folder: Path, kind: str = "images") -> set[str]:
    return {str(path.relative_to(folder)) for path in (folder / kind).rglob("*.png")}


def records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metadata.jsonl").read_text().splitlines()]


# the entry file


def test_the_entry_file_binds_the_folder_beside_packages_of_the_same_names(webui: Host) -> None:
    assert all(other.OTHER for other in webui.others)
    assert Path(sys.modules["manyshot"].__file__ or "") == ROOT / "__init__.py"
    assert webui.part("driver.ledger").Ledger.__module__ == "manyshot.driver.ledger"
    assert not hasattr(sys.modules["driver"], "ledger")
    assert str(ROOT) not in sys.path[:1]


def test_nothing_of_pydantic_and_torch_is_needed(webui: Host) -> None:
    bound = {n for n in sys.modules if n.startswith("manyshot.")}
    assert not {n for n in bound if n.endswith((".recipe", ".records", ".recipe_file"))}
    users = {n for n in bound if {"pydantic", "torch"} & set(vars(sys.modules[n]))}
    assert not users


def test_reload_brings_new_classes_and_one_callback(webui: Host, tmp_path: Path) -> None:
    before = type(webui.script)
    webui.load()
    assert type(webui.script) is not before
    assert len(webui.callbacks.app_started) == 1
    webui.run(output=str(tmp_path / "d"), classes=CLASSES, images_per_class=1)
    assert len(records(tmp_path / "d")) == 2


def test_install_does_nothing_outside_the_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    code = compile((ROOT / "install.py").read_text(), "install.py", "exec")
    asked: list[str] = []
    launch = SimpleNamespace(
        is_installed=lambda name: name != "pathvalidate",
        run_pip=lambda command, desc: asked.append(command),
    )
    for stand_in in (None, SimpleNamespace(), launch):
        monkeypatch.setitem(sys.modules, "launch", stand_in)
        exec(code, {"__name__": "__main__"})  # noqa: S102
    assert asked == ["install pathvalidate"]


# a run


def test_a_run_makes_the_dataset_folder(webui: Host, tmp_path: Path) -> None:
    folder = tmp_path / "d"
    processed = webui.run(output=str(folder), classes=CLASSES, images_per_class=3, seed=7)
    found = records(folder)
    assert {record["file_name"] for record in found} == names(folder)
    assert [record["class_name"] for record in found] == ["cat", "dog"] * 3
    assert found[1]["prompt"] == "a photo of a a small dog"
    assert processed.info == f"6 of 6 images are in {folder}."
    assert len(processed.images) == len(processed.infotexts) == 6
    manifest = json.loads((folder / "manyshot.json").read_text())
    (server,) = manifest["servers"]
    assert server["name"] == "webui"
    assert server["checkpoint"] == {"name": "tiny", "digest": "0123456789" + "0" * 54}


def test_prompts_seeds_and_records_are_those_of_the_driver(webui: Host, tmp_path: Path) -> None:
    webui.run(output=str(tmp_path), classes=CLASSES, images_per_class=2, seed=7)
    found = records(tmp_path)
    lines = (tmp_path / "metadata.jsonl").read_text().splitlines()
    record_file = webui.part("core.records")  # pydantic's, which the extension does not take
    prompts = webui.part("core.prompts").PromptSet(
        {"cat": "", "dog": "a small dog"}, ["a photo of a {class_name}"]
    )
    for line, record, index in zip(lines, found, [0, 0, 1, 1], strict=True):
        expected = prompts.at(record["class_name"], index, 7)
        assert (record["prompt"], record["seed"]) == (expected.prompt, expected.seed)
        assert record_file.Record(**record).line() == line + "\n"


def test_equal_settings_give_equal_names_and_what_decides_pixels_changes_them(
    webui: Host, tmp_path: Path
) -> None:
    def made(folder: str, **changes: Any) -> set[str]:
        webui.run(
            webui.page(**changes), output=str(tmp_path / folder), classes="cat", images_per_class=1
        )
        return names(tmp_path / folder)

    first = made("a")
    assert made("b", outpath_samples="elsewhere", seed=99) == first
    assert made("c", override_settings={"sd_model_checkpoint": "other"}) != first
    for number, change in enumerate([{"steps": 5}, {"cfg_scale": 3.0}, {"sampler_name": "DDIM"}]):
        assert made(f"d{number}", **change) != first


def test_more_images_and_classes_change_no_image(webui: Host, tmp_path: Path) -> None:
    webui.run(output=str(tmp_path), classes="cat", images_per_class=2)
    first = names(tmp_path)
    webui.processing.calls.clear()
    webui.run(output=str(tmp_path), classes=CLASSES, images_per_class=3)
    assert first < names(tmp_path)
    assert len(webui.processing.calls) == 4


def test_an_inpaint_mask_counts_as_pixels(webui: Host) -> None:
    facts = webui.part("webui.pixels").processing_facts
    make = webui.processing.StableDiffusionProcessingImg2Img

    def found(mask: int, image: int) -> Any:
        images = [Image.new("RGB", (8, 8), image)]
        return facts(make(init_images=images, mask=Image.new("L", (8, 8), mask)))

    assert found(0, 0) == found(0, 0)
    assert found(0, 0) != found(1, 0) != found(1, 1)


def test_interrupt_keeps_nothing_half_drawn_and_the_next_run_gives_the_planned_set(
    webui: Host, tmp_path: Path
) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    settings = {"classes": CLASSES, "images_per_class": 3}
    webui.run(output=str(whole), **settings)
    webui.processing.calls.clear()
    webui.processing.faults[3] = lambda p, processed: setattr(
        webui.shared.state, "interrupted", True
    )
    stopped = webui.run(output=str(cut), **settings)
    assert "Stopped: 2 of 6 images" in stopped.info
    assert len(names(cut)) == len(records(cut)) == 2
    webui.shared.state.interrupted = False
    webui.run(output=str(cut), **settings)
    assert names(cut) == names(whole)
    assert records(cut) == records(whole)


def test_a_deleted_file_is_made_again_and_nothing_else(webui: Host, tmp_path: Path) -> None:
    settings = {"output": str(tmp_path), "classes": CLASSES, "images_per_class": 2}
    webui.run(**settings)
    before = names(tmp_path)
    (tmp_path / sorted(before)[0]).unlink()
    webui.processing.calls.clear()
    webui.run(**settings)
    assert names(tmp_path) == before
    assert len(webui.processing.calls) == 1


def test_skip_leaves_one_job_for_the_next_run(webui: Host, tmp_path: Path) -> None:
    webui.processing.faults[1] = lambda p, processed: setattr(webui.shared.state, "skipped", True)
    settings = {"output": str(tmp_path), "classes": CLASSES, "images_per_class": 2}
    assert "3 of 4" in webui.run(**settings).info
    assert not webui.shared.state.skipped
    assert "4 of 4" in webui.run(**settings).info


def test_progress_is_shown(webui: Host, tmp_path: Path) -> None:
    seen: list[tuple[int, str]] = []
    webui.processing.faults[2] = lambda p, processed: seen.append(
        (webui.shared.state.job_count, webui.shared.state.job)
    )
    webui.run(output=str(tmp_path), classes=CLASSES, images_per_class=2)
    assert seen == [(4, "manyshot 2 out of 4")]


def test_a_batch_is_one_job_and_the_last_one_is_cut(webui: Host, tmp_path: Path) -> None:
    webui.run(webui.page(batch_size=2), output=str(tmp_path), classes="cat", images_per_class=3)
    assert [p.batch_size for p in webui.processing.calls] == [2, 2]
    assert len(names(tmp_path)) == 3
    assert all(Image.open(tmp_path / name).size == (16, 16) for name in names(tmp_path))


# what the WebUI does not say


def _grid(p: Any, processed: Any) -> None:
    processed.images.insert(0, Image.new("RGB", (32, 16)))
    processed.infotexts.insert(0, "grid")
    processed.index_of_first_image = 1


def _short(p: Any, processed: Any) -> None:
    processed.images.pop()
    processed.infotexts.pop()


def _resized(p: Any, processed: Any) -> None:
    processed.images = [image.resize((24, 24)) for image in processed.images]


def _no_lora(p: Any, processed: Any) -> None:
    processed.comments = "Lora not found: cells\n"


def _raises(p: Any, processed: Any) -> None:
    raise RuntimeError("CUDA out of memory.")


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (lambda p, d: setattr(d, "sd_model_name", "other"), "with the checkpoint 'other', not"),
        (_short, "1 images came, 2 were expected"),
        (_resized, "has 24x24 pixels and not 16x16"),
        (_no_lora, "without all of the prompt: Lora not found: cells"),
        (_raises, "RuntimeError: CUDA out of memory."),
    ],
)
def test_what_fails_silently_is_a_failed_job_with_a_sentence(
    webui: Host, tmp_path: Path, fault: Any, sentence: str
) -> None:
    webui.processing.faults[1] = fault
    p = webui.page(batch_size=2)
    processed = webui.run(p, output=str(tmp_path), classes=CLASSES, images_per_class=2)
    assert sentence in "".join(p.comments)
    assert "2 of 4" in processed.info
    assert {record["class_name"] for record in records(tmp_path)} == {"dog"}


def test_a_grid_in_front_is_left_out(webui: Host, tmp_path: Path) -> None:
    webui.processing.faults[1] = _grid
    webui.run(webui.page(batch_size=2), output=str(tmp_path), classes="cat", images_per_class=2)
    sizes = {Image.open(tmp_path / name).size for name in names(tmp_path)}
    assert sizes == {(16, 16)}
    assert len(names(tmp_path)) == 2


def test_a_run_of_failures_stops(webui: Host, tmp_path: Path) -> None:
    webui.processing.faults.update(dict.fromkeys(range(1, 99), _raises))
    webui.run(output=str(tmp_path), classes="cat", images_per_class=50)
    assert len(webui.processing.calls) == 3


@pytest.mark.parametrize(
    ("page", "settings", "sentence"),
    [
        ({"width": 65}, {}, "The width 65 is no multiple of 8: the WebUI would draw 64 pixels"),
        (
            {"override_settings": {"sd_model_checkpoint": "tniy"}},
            {},
            "no checkpoint 'tniy'. Did you mean 'tiny'?",
        ),
        ({}, {"output": ""}, "Name the dataset folder"),
        ({}, {"classes": ""}, "There is no class"),
        ({}, {"classes": "../up"}, "cannot be used as a file name"),
        ({}, {"images_per_class": 1.5}, "must be a whole number"),
        ({}, {"masks": "nowhere"}, "There is no folder nowhere"),
        ({}, {"subjects": "nowhere"}, "There is no subject file at nowhere"),
        ({"prompt": "nothing"}, {}, "has no {class_name}"),
    ],
)
def test_wrong_input_is_a_sentence_on_the_page_and_422_for_the_api(
    webui: Host, tmp_path: Path, page: dict, settings: dict, sentence: str
) -> None:
    given = {"output": str(tmp_path / "d"), "classes": CLASSES, **settings}
    processed = webui.run(webui.page(**page), **given)
    assert sentence in processed.info
    p = webui.page(**page)
    p.is_api = True
    with pytest.raises(sys.modules["fastapi"].HTTPException) as caught:
        webui.run(p, **given)
    assert caught.value.status_code == 422
    assert not webui.processing.calls
    assert not (tmp_path / "d").exists()


def test_another_plan_in_the_folder_is_refused(webui: Host, tmp_path: Path) -> None:
    webui.run(output=str(tmp_path), classes="cat", images_per_class=1)
    processed = webui.run(output=str(tmp_path), classes="dog", images_per_class=1)
    assert "holds the images of 1 jobs" in processed.info
    assert len(names(tmp_path)) == 1


# LoRA, subjects, masks


def _networks(**files: Path) -> Any:
    known = {name: SimpleNamespace(filename=str(path)) for name, path in files.items()}
    return SimpleNamespace(
        available_network_aliases=known, available_networks={}, list_available_networks=lambda: None
    )


def test_a_missing_lora_is_found_before_it_is_drawn_without(webui: Host, tmp_path: Path) -> None:
    sys.modules["networks"] = _networks(cells=tmp_path / "cells.safetensors")
    p = webui.page(prompt="a {class_name} <lora:cels:0.8>")
    webui.run(p, output=str(tmp_path / "d"), classes=CLASSES, images_per_class=1)
    assert "no LoRA 'cels'. Did you mean 'cells'?" in "".join(p.comments)
    assert not webui.processing.calls


def test_a_lora_that_could_not_be_loaded_is_a_failure(webui: Host, tmp_path: Path) -> None:
    networks = _networks(cells=tmp_path / "cells.safetensors")
    networks.loaded_networks = []
    sys.modules["networks"] = networks
    p = webui.page(prompt="a {class_name} <lora:cells:0.8>")
    given = {"output": str(tmp_path / "d"), "classes": CLASSES, "images_per_class": 1}
    webui.run(p, **given)
    assert "could not load the LoRA 'cells'" in "".join(p.comments)
    networks.loaded_networks = [SimpleNamespace(name="cells")]
    assert (
        "2 of 2"
        in webui.run(p, output=str(tmp_path / "d"), classes=CLASSES, images_per_class=1).info
    )


def test_subjects_bring_their_words_and_lora(webui: Host, tmp_path: Path) -> None:
    file = tmp_path / "cells.safetensors"
    subjects = webui.part("core.subject_file")
    one = subjects.Subject("zwx", "cell", "zwx cell", "mono", ("ab" * 32,), ("on a roof",))
    facts = subjects.SubjectFile("lora", "tiny", "00", (one,), 10, 10, "{}")
    save_file({}, str(file), facts.metadata())
    sys.modules["networks"] = _networks(cells=file)
    webui.run(
        output=str(tmp_path / "d"),
        subjects=str(file),
        templates="a photo of a {class_name}, {context}",
        images_per_class=1,
        subject_weight=0.8,
    )
    (p,) = webui.processing.calls
    assert p.prompt == "a photo of a zwx cell, on a roof <lora:cells:0.8>"
    (record,) = records(tmp_path / "d")
    assert record["subject"] == "zwx"
    manifest = json.loads((tmp_path / "d" / "manyshot.json").read_text())
    assert manifest["subjects"][0]["classes"] == {"mono": "zwx"}


class _ControlNet:
    """Takes its arguments as both extensions do: a dict in the first place is a unit."""

    filename, args_from, args_to = "controlnet.py", 1, 2
    works = True
    units: list[Any]

    def title(self) -> str:
        return "ControlNet"

    def process(self, p: Any, unit: Any) -> None:
        self.units.append(unit)
        if self.works and unit:
            p.extra_generation_params["ControlNet 0"] = f"Model: {unit['model']}"


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    for name, colour in (("cat", 1), ("dog", 2)):
        folder = tmp_path / "masks" / name
        folder.mkdir(parents=True)
        Image.new("L", (8, 8), colour).save(folder / "0.png")
    return tmp_path / "masks"


def test_masks_go_to_controlnet_and_into_the_folder(
    webui: Host, tmp_path: Path, masks: Path
) -> None:
    control = _ControlNet()
    control.units = []
    webui.always.append(control)
    settings = {"classes": CLASSES, "images_per_class": 1, "masks": str(masks)}
    webui.run(output=str(tmp_path / "d"), control_model="seg [1]", **settings)
    assert [unit["model"] for unit in control.units] == ["seg [1]"] * 2
    assert {record["mask_file_name"] for record in records(tmp_path / "d")} == names(
        tmp_path / "d", "masks"
    )
    for record, colour in zip(records(tmp_path / "d"), (1, 2), strict=True):
        with Image.open(tmp_path / "d" / record["mask_file_name"]) as mask:
            assert mask.size == (16, 16)
            assert mask.getextrema() == (colour, colour)
    sent = base64.b64decode(control.units[0]["image"])
    assert sent.startswith(b"\x89PNG")


def test_a_controlnet_that_took_no_part_is_a_failure(
    webui: Host, tmp_path: Path, masks: Path
) -> None:
    control = _ControlNet()
    control.units, control.works = [], False
    webui.always.append(control)
    p = webui.page()
    given = {"output": str(tmp_path / "d"), "classes": CLASSES, "masks": str(masks)}
    webui.run(p, control_model="seg [1]", **given)
    assert "ControlNet took no part" in "".join(p.comments)
    assert not names(tmp_path / "d")


def test_a_controlnet_model_must_be_there(webui: Host, tmp_path: Path, masks: Path) -> None:
    webui.always.append(_ControlNet())
    given = {"output": str(tmp_path / "d"), "classes": CLASSES, "masks": str(masks)}
    assert "no model ''" in webui.run(**given).info
    state = ModuleType("lib_controlnet.global_state")
    vars(state)["get_all_controlnet_names"] = lambda: ["None", "seg [1]"]
    sys.modules[state.__name__] = state
    found = webui.run(control_model="sge [1]", **given).info
    assert found.endswith("Did you mean 'seg [1]'?")
    assert not webui.processing.calls


def test_masks_without_controlnet_are_refused(webui: Host, tmp_path: Path, masks: Path) -> None:
    processed = webui.run(output=str(tmp_path / "d"), classes=CLASSES, masks=str(masks))
    assert "there is a folder of masks, but no controlnet" in processed.info.lower()


# infotext, API


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
    names_ = webui.part("webui.settings").NAMES
    pasted = {
        name: read(params)
        for name, (_, read) in zip(names_, webui.script.infotext_fields, strict=True)
    }
    assert {name: pasted[name] for name in given} == given
    assert "Script: Manyshot" in text
    assert [read({}) for _, read in webui.script.infotext_fields] == [None] * len(names_)


def test_the_images_carry_the_infotext(webui: Host, tmp_path: Path) -> None:
    webui.run(output=str(tmp_path), classes="cat", images_per_class=1)
    (name,) = names(tmp_path)
    with Image.open(tmp_path / name) as image:
        assert "Manyshot: " in image.info["parameters"]  # pyright: ignore


def test_script_args_have_a_documented_order(webui: Host) -> None:
    listed = webui.part("webui.settings").NAMES
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
