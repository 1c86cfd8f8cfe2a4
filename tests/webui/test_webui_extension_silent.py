"""What the WebUI does not say, and wrong input: each is a sentence."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ..support.webui_host import CLASSES, Host, fake_webui, names, records


@pytest.fixture
def webui() -> Iterator[Host]:
    with fake_webui() as host:
        yield host


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
        (lambda p, d: setattr(d, "sd_model_name", "other"), "the checkpoint 'other' instead"),
        (_short, "1 image received, 2 expected"),
        (_resized, "has 24x24 pixels instead of 16x16"),
        (_no_lora, "without parts of the prompt: Lora not found: cells"),
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


def test_what_went_wrong_is_in_the_answer_of_the_api(webui: Host, tmp_path: Path) -> None:
    webui.processing.faults[1] = _raises
    processed = webui.run(output=str(tmp_path), classes=CLASSES, images_per_class=1)
    said = processed.extra_generation_params["Manyshot report"]
    assert said.startswith("1 of 2 images are in")
    assert "CUDA out of memory." in said


def test_an_extension_that_fails_and_is_left_out_is_a_failed_job(
    webui: Host, tmp_path: Path
) -> None:
    class Broken:
        filename, args_from, args_to = "broken.py", 1, 2

        def title(self) -> str:
            return "Broken"

        def process(self, p: Any, *args: Any) -> None:
            raise ValueError("no such style")

    webui.always.append(Broken())
    p = webui.page()
    webui.run(p, output=str(tmp_path), classes="cat", images_per_class=1)
    assert "WebUI extension failed and was not applied: no such style." in "".join(p.comments)
    assert not names(tmp_path)
    webui.always.clear()  # what was logged before a job says nothing of it
    assert "1 of 1" in webui.run(p, output=str(tmp_path), classes="cat", images_per_class=1).info


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
        (
            {"width": 65},
            {},
            "The width 65 is not a multiple of 8: the WebUI would silently draw 64 pixels",
        ),
        (
            {"override_settings": {"sd_model_checkpoint": "tniy"}},
            {},
            "no checkpoint 'tniy'. Did you mean 'tiny'?",
        ),
        ({}, {"output": ""}, "Name the dataset folder"),
        ({}, {"classes": ""}, "No class is given"),
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
    assert "holds 1 image that an earlier recipe planned" in processed.info
    assert len(names(tmp_path)) == 1
