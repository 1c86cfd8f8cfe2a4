"""What fuzzing found, and the inputs that it starts from: each ends well, or with a sentence.

`make fuzz` looks further.
"""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from manyshot.core.errors import InputError, ManyshotError  # noqa: E402
from manyshot.driver import upkeep  # noqa: E402
from manyshot.driver.embedded.ready import read_facts  # noqa: E402
from manyshot.driver.job import Job  # noqa: E402
from manyshot.driver.ledger import FILE_NAME, Ledger, Rejected  # noqa: E402
from manyshot.driver.targets.webui.verify_reply import first_image
from manyshot.driver.targets.webui.webui_client import WebUI
from manyshot.trainer.measure.measure_results import pack, unpack

from ..fuzz.targets import (  # noqa: E402
    ID,
    TARGETS,
    Answers,
    json_of,
    seeds,
    with_classes,
    with_columns,
)

GOOD = '"id":"0123456789abcdef0123456789abcdef","class_name":"cat"'
WHOLE = f'{GOOD},"label":0,"first_index":0,"prompt":"a","negative":"","seed":1'

FOUND = [
    ("comfyui_replies", b'{"system": {}, "devices": -1}'),
    ("comfyui_replies", b'{"system": {}, "devices": [1e+308]}'),
    ("webui_replies", b'{"loaded": 1}'),
    ("webui_replies", b'{"model_list": 1}'),
    ("webui_replies", b'{"images": [""], "info": "{\\"index_of_first_image\\": \\"a\\"}"}'),
    ("webui_replies", b'{"images": [""], "info": "{\\"index_of_first_image\\": -1}"}'),
    ("metadata", b'{"file_name": "\\ud800", "class_name": "cat"}'),
    ("metadata", b'{"file_name": "images/\\ud800/1_0.png", "class_name": "\\ud800"}'),
    ("webui_replies", '{"images": ["\u0411"], "info": "{}"}'.encode()),
    ("ledger", f'{{"images": 1, "job": {{{GOOD}}}}}'.encode()),
    ("ledger", f'{{"job": {{{WHOLE},"more":1}}}}'.encode()),
    ("ledger", f'{{"job": {{{WHOLE},"keep":"x"}}}}'.encode()),
    ("ledger", b'{"masks": 1, "objects": 5}'),
    ("ledger", b'{"files": ' + b"[" * 200 + b"]" * 200 + b"}"),
    ("ledger", b'{"seq": "x"}'),
]


@pytest.mark.parametrize(("name", "data"), FOUND)
def test_what_was_found_ends_with_a_sentence(name: str, data: bytes) -> None:
    with suppress(ManyshotError):
        TARGETS[name](data)


@pytest.mark.parametrize("name", TARGETS)
def test_good_inputs_end_well_or_with_a_sentence(name: str) -> None:
    there = list(seeds(name))
    assert there
    for data in there[:20]:
        with suppress(ManyshotError):
            TARGETS[name](data)


@pytest.mark.parametrize("devices", [-1, [1e308], None, {}, "cpu"])
def test_devices_of_another_form_are_unknown(devices: object) -> None:
    assert read_facts({"system": {}, "devices": devices}).device == "unknown"


@pytest.mark.parametrize("value", [1, "x", [], None, True])
def test_lists_of_another_form_are_empty(value: object) -> None:
    client = WebUI(Answers({"loaded": value, "model_list": value, "module_list": value}))  # type: ignore[arg-type]
    assert client.embeddings() == (set(), set())
    assert client.control_lists() == ([], [])


@pytest.mark.parametrize(
    ("value", "place"), [(2, 2), (0, 0), (None, 0), (-1, 0), ("1", 0), (True, 0), ([], 0)]
)
def test_the_first_image_has_a_place(value: object, place: int) -> None:
    assert first_image({"index_of_first_image": value}) == place


@pytest.mark.parametrize("text", ["\u0411", "AAA", "", "AAAA" * 9, "A A="])
def test_values_that_were_cut_off_are_told(text: str) -> None:
    with pytest.raises(InputError, match="are damaged: cut off or changed"):
        unpack(text, 100)


def test_values_come_back() -> None:
    for values in (np.arange(9) % 2 == 0, np.linspace(0, 1, 9, dtype=np.float32)):
        assert (unpack(pack(values), 9) == values).all()


COLUMNS = [
    f'{{"job": {{{GOOD}}}}}',
    f'{{"job": {{{WHOLE},"more":1}}}}',
    f'{{"job": {{{WHOLE},"keep":"x"}}}}',
    f'{{"job": {{{WHOLE},"pairs":{{}}}}}}',
    f'{{"job": {{{GOOD},"label":0,"first_index":0,"prompt":1,"negative":"","seed":1}}}}',
    '{"seq": "x"}',
]


@pytest.mark.parametrize("row", COLUMNS)
def test_a_job_of_another_form_is_damage_that_repair_mends(tmp_path: Path, row: str) -> None:
    (tmp_path / FILE_NAME).write_bytes(with_columns(json_of(row.encode())))
    image = tmp_path / "images" / "cat" / f"{ID}_0.png"
    image.parent.mkdir(parents=True)
    image.write_bytes(with_classes(b"[]"))
    with pytest.raises(InputError, match=r"is damaged: 1 of its rows cannot be read.*repair"):
        Ledger(tmp_path, read_only=True)
    mended = upkeep.repair(tmp_path)
    assert (mended.restored, mended.condition.whole) == (1, 1)


def test_jobs_in_all_their_fields_are_no_damage(tmp_path: Path) -> None:
    jobs = [
        Job(ID, "cat", 0, 0, "a", "", 2**63, "g", 4, 2, "s", "t", {"A.b": "c"}, {"d": 0.5}, ["e"]),
        Job("1" * 32, "dog", 1, 2, "", "b", 0),
    ]
    book = Ledger(tmp_path)
    list(book.read_plan(jobs))
    book.take_plan("f")
    book.close()
    book = Ledger(tmp_path, read_only=True)
    assert [job for group in ("g", "") for _, job in book.open_jobs(group, -1, 9)] == jobs
    book.close()


def test_half_a_character_goes_into_no_ledger(tmp_path: Path) -> None:
    image = tmp_path / "images" / "cat" / f"{ID}_0.png"
    image.parent.mkdir(parents=True)
    image.write_bytes(with_classes(b"[]"))
    name = image.relative_to(tmp_path).as_posix()
    line = f'{{"file_name": "{name}", "class_name": "cat", "workflow": "w", "prompt": "\\ud800"}}\n'
    (tmp_path / "metadata.jsonl").write_text(line)
    assert upkeep.repair(tmp_path).restored == 1
    book = Ledger(tmp_path)
    book.reject([Rejected(ID, 0, "\ud800")])
    assert book.rejections()[ID, 0].reason == "?"
    assert [job.prompt for job, _ in book.read_done_jobs()] == ["?"]
    book.close()
