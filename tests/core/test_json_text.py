"""JSON of strangers: bounded in size and depth, whatever file it is in."""

import json
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manyshot.core.errors import InputError
from manyshot.core.json_text import MOST_DEPTH, parse_json, read_bounded_lines, read_json
from manyshot.core.masks.coco import read_coco
from manyshot.core.metadata_lines import read_lines
from manyshot.core.records import read_foreign_models, read_records, read_training_photos
from manyshot.core.subject_file import KEY, read_subject_file
from manyshot.trainer.measure.measure_results import read_results_file

DEEP = "[" * 100_000 + "]" * 100_000
NESTED = {"lists": "[" * 101 + "]" * 101, "maps": '{"a":' * 101 + "1" + "}" * 101}

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(VALUES)
def test_what_is_within_the_bounds_is_read_as_json_has_it(value):
    assert parse_json(json.dumps(value)) == value
    assert parse_json(json.dumps(value).encode()) == value


def test_as_many_brackets_as_are_allowed_are_read():
    assert parse_json("[" * MOST_DEPTH + "]" * MOST_DEPTH)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (DEEP, "nested too deeply"),
        (NESTED["lists"], "nested too deeply"),
        (NESTED["maps"], "nested too deeply"),
        ("9" * 9000, "too many digits"),
        (b"\xff\xfe\xff", "not UTF-8"),
        ("{", "Expecting"),
        ("[1, 2, 3, 4]", "larger than 10 bytes"),
    ],
)
def test_what_is_beyond_them_is_a_value_error_in_a_few_words(text, reason):
    with pytest.raises(ValueError, match=reason):
        parse_json(text, most=10 if "larger" in reason else 10**6)


def test_a_file_is_read_no_further_than_it_may_be_large(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b"\xef\xbb\xbf[1]")
    assert read_json(path) == [1]
    path.write_bytes(b"[" + b"1," * 100 + b"1]")
    with pytest.raises(ValueError, match="larger than 20 bytes"):
        read_json(path, most=20)


def test_lines_are_bounded_before_they_are_in_memory():
    assert list(read_bounded_lines(BytesIO(b"a\nb"), most=2)) == [b"a\n", b"b"]
    with pytest.raises(ValueError, match="longer than 3 bytes"):
        list(read_bounded_lines(BytesIO(b"aa\n" + b"b" * 10), most=3))


def _subject_file(folder: Path, text: str) -> Path:
    import numpy as np
    from safetensors.numpy import save_file

    path = folder / "a.safetensors"
    save_file({"a": np.zeros(1, np.float32)}, path, {KEY: text})
    return path


@pytest.mark.parametrize("text", [DEEP, NESTED["lists"], '["' + "x" * 2**21 + '"]'])
def test_no_file_of_a_stranger_ends_in_a_traceback(tmp_path, text):
    for name in ("metadata.jsonl", "manyshot.json", "results.json", "coco.json"):
        (tmp_path / name).write_text(text)
    readers = {
        "metadata.jsonl": lambda: list(read_records(tmp_path)),
        "metadata.jsonl ": lambda: list(read_lines(tmp_path)),
        "manyshot.json": lambda: read_training_photos(tmp_path),
        "results.json": lambda: read_results_file(tmp_path / "results.json"),
        "coco.json": lambda: read_coco(tmp_path / "coco.json"),
        "a.safetensors": lambda: read_subject_file(_subject_file(tmp_path, text)),
    }
    for name, read in readers.items():
        if name == "metadata.jsonl ":
            (tmp_path / "metadata.jsonl").write_text(text + "\n")
        with pytest.raises(InputError, match=name.strip()):
            read()
    assert read_foreign_models(tmp_path) == ()
