"""LoRA, subjects and masks in the extension."""

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

from ..support.webui_host import CLASSES, Host, fake_webui, names, records


@pytest.fixture
def webui() -> Iterator[Host]:
    with fake_webui() as host:
        yield host


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


@pytest.mark.parametrize(
    "loaded", [[], [SimpleNamespace(name="cells", modules={})]], ids=["not loaded", "fits nothing"]
)
def test_a_lora_that_changes_nothing_is_a_failure(
    webui: Host, tmp_path: Path, loaded: list[Any]
) -> None:
    networks = _networks(cells=tmp_path / "cells.safetensors")
    networks.loaded_networks = loaded
    sys.modules["networks"] = networks
    p = webui.page(prompt="a {class_name} <lora:cells:0.8>")
    given = {"output": str(tmp_path / "d"), "classes": CLASSES, "images_per_class": 1}
    webui.run(p, **given)
    assert "drew without the LoRA 'cells'" in "".join(p.comments)
    networks.loaded_networks = [SimpleNamespace(name="cells", modules={"a": 1})]
    assert "2 of 2" in webui.run(p, **given).info


def test_a_lora_that_fits_in_part_fails_every_job_though_the_webui_says_so_once(
    webui: Host, tmp_path: Path
) -> None:
    networks = _networks(cells=tmp_path / "cells.safetensors")
    networks.loaded_networks = [SimpleNamespace(name="cells", modules={"a": 1})]
    sys.modules["networks"] = networks
    layer = SimpleNamespace(network_current_names=("cells",))  # by an earlier picture
    webui.shared.sd_model.network_layer_mapping = {"a": layer}

    def applied(p: Any, processed: Any) -> None:
        if layer.network_current_names != ("cells",):
            processed.comments = "Networks with errors: cells (2)\n"
        layer.network_current_names = ("cells",)

    webui.processing.faults.update({1: applied, 2: applied})
    p = webui.page(prompt="a {class_name} <lora:cells:0.8>")
    webui.run(p, output=str(tmp_path / "d"), classes=CLASSES, images_per_class=1)
    assert "Networks with errors: cells" in "".join(p.comments)
    assert not names(tmp_path / "d")


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
    """Takes its arguments as both extensions do: a dict in the first place is a unit. `fault`: it
    says in the infotext that it took part all the same, as theirs do."""

    filename, args_from, args_to = "controlnet.py", 1, 2
    works, fault = True, ""
    units: list[Any]

    def title(self) -> str:
        return "ControlNet"

    def process(self, p: Any, unit: Any) -> None:
        self.units.append(unit)
        if self.works and unit:
            p.extra_generation_params["ControlNet 0"] = f"Model: {unit['model']}"
        if self.fault:
            raise RuntimeError(self.fault)


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


@pytest.mark.parametrize(
    ("works", "fault", "sentence"),
    [
        (False, "", "ControlNet was not applied"),
        (True, "model not found: None", "failed and was not applied: model not found: None."),
    ],
)
def test_a_controlnet_that_took_no_part_is_a_failure(
    webui: Host, tmp_path: Path, masks: Path, works: bool, fault: str, sentence: str
) -> None:
    control = _ControlNet()
    control.units, control.works, control.fault = [], works, fault
    webui.always.append(control)
    p = webui.page()
    given = {"output": str(tmp_path / "d"), "classes": CLASSES, "masks": str(masks)}
    webui.run(p, control_model="seg [1]", **given)
    assert sentence in "".join(p.comments)
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
    vars(state)["get_all_controlnet_names"] = lambda: ["None"]
    assert "no model 'seg [1]'" in webui.run(control_model="seg [1]", **given).info
    assert not webui.processing.calls


def test_masks_without_controlnet_are_refused(webui: Host, tmp_path: Path, masks: Path) -> None:
    processed = webui.run(output=str(tmp_path / "d"), classes=CLASSES, masks=str(masks))
    assert "a folder of masks is set, but there is no controlnet" in processed.info.lower()
