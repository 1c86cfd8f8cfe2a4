"""A run of the extension: the dataset folder, Interrupt, Skip, going on."""

import json
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ..support.webui_host import CLASSES, Host, fake_webui, names, records


@pytest.fixture
def webui() -> Iterator[Host]:
    with fake_webui() as host:
        yield host


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


@pytest.mark.parametrize(
    "sent",
    [
        {"hr_scheduler": "Automatic"},
        {"denoising_strength": 0.7},
        {"override_settings": {"sd_model_checkpoint": "0123456789"}},
        {"override_settings": {"CLIP_stop_at_last_layers": 1, "sd_vae_encode_method": "Full"}},
    ],
    ids=str,
)
def test_what_send_to_fills_in_without_use_changes_no_fact(webui: Host, sent: Any) -> None:
    pixels, make = (
        webui.part("webui.pixels"),
        webui.processing.StableDiffusionProcessingTxt2Img,
    )

    def facts(**changes: Any) -> Any:
        p = make(**changes)
        return pixels.processing_facts(p), pixels.option_facts(webui.shared.opts, p)

    assert facts(**sent) == facts()
    assert facts(override_settings={"CLIP_stop_at_last_layers": 2}) != facts()
    assert facts(enable_hr=True, hr_scheduler="Karras") != facts(enable_hr=True)


def test_an_enum_of_a_unit_counts_by_its_value(webui: Host) -> None:
    class Mode(Enum):
        BALANCED = "Balanced"
        CONTROL = "ControlNet is more important"

    fact = webui.part("webui.pixels").fact
    assert [fact(mode) for mode in Mode] == [mode.value for mode in Mode]


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
    other = {"sha256": ""}  # the files name their output
    assert [r | other for r in records(cut)] == [r | other for r in records(whole)]


def test_a_deleted_file_is_rejected_and_a_damaged_one_made_again(
    webui: Host, tmp_path: Path
) -> None:
    settings = {"output": str(tmp_path), "classes": CLASSES, "images_per_class": 2}
    webui.run(**settings)
    before = names(tmp_path)
    first, second = sorted(before)[:2]
    whole = (tmp_path / second).read_bytes()
    (tmp_path / first).unlink()
    (tmp_path / second).write_bytes(whole[:-9])
    webui.processing.calls.clear()
    webui.run(**settings)
    assert names(tmp_path) == before - {first}
    assert (tmp_path / second).read_bytes() == whole
    assert len(webui.processing.calls) == 1
    assert {line["file_name"] for line in records(tmp_path)} == before - {first}


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
