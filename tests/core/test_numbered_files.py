"""Files of Save Labelled are numbered as Save Image numbers its own."""

from pathlib import Path

import pytest
from manyshot.core.dataset_files import next_number


@pytest.mark.parametrize(
    ("files", "number"),
    [
        ([], 0),
        (["images/cat/a_0.png"], 1),
        (["images/cat/a_0.png", "images/cat/a_10.png"], 11),
        (["masks/cat/a_3.png"], 4),
        (["images/cat/A_2.png"], 3),  # one file where letters' case does not tell files apart
        (["images/dog/a_7.png", "images/cat/ab_7.png", "images/cat/a_7.jpg"], 0),
        (["images/cat/a_b_7.png", "images/cat/a_.png", "images/cat/a_-1.png"], 0),
    ],
)
def test_numbers_count_on(tmp_path: Path, files: list[str], number: int) -> None:
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_bytes(b"")
    assert next_number(tmp_path, "cat", "a") == number
