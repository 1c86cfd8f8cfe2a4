"""Text files in other encodings than UTF-8 are refused, with a way out that works."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from manyshot.core.errors import InputError
from manyshot.core.text_file import read_text_file
from manyshot.driver.prepare import prepare
from manyshot.driver.recipe import read_recipe
from manyshot.driver.workflow.read_workflow import read_workflow

TEXT = "cat\ncafé: a café\n"


def file(folder: Path, encoding: str, text: str = TEXT, name: str = "classes.txt") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_utf_8_is_read(tmp_path: Path, encoding: str) -> None:
    assert read_text_file(file(tmp_path, encoding), "class file") == TEXT


ENCODINGS = [
    ("utf-16", "UTF-16", "UTF-16"),
    ("utf-16-le", "UTF-16 (little-endian)", "UTF-16LE"),
    ("utf-16-be", "UTF-16 (big-endian)", "UTF-16BE"),
    ("utf-32", "UTF-32", "UTF-32"),
    ("cp1252", "probably Windows-1252 (Latin-1): line 2 then reads 'café: a café'", "WINDOWS-1252"),
    ("latin-1", "probably Windows-1252 (Latin-1): line 2 then reads 'café: a café'", "ISO-8859-1"),
]


@pytest.mark.parametrize(("encoding", "shown", "_"), ENCODINGS)
def test_other_encodings_are_named(tmp_path: Path, encoding: str, shown: str, _: str) -> None:
    path = file(tmp_path, encoding)
    with pytest.raises(InputError) as error:
        read_text_file(path, "class file")
    assert f"The class file {path} is not UTF-8, but {shown}" in str(error.value)
    assert "'Save as' and the encoding UTF-8" in str(error.value)


@pytest.mark.skipif(shutil.which("iconv") is None, reason="no iconv here")
@pytest.mark.parametrize("encoding", [encoding for encoding, _, _ in ENCODINGS])
def test_the_advice_works_when_it_is_followed(tmp_path: Path, encoding: str) -> None:
    path = file(tmp_path, encoding)
    with pytest.raises(InputError) as error:
        read_text_file(path, "class file")
    command = re.search(r"'(iconv .*?)'\.", str(error.value))
    assert command
    *words, arrow, target = shlex.split(command[1])
    assert arrow == ">"
    made = subprocess.run(words, cwd=tmp_path, capture_output=True, check=True).stdout
    (tmp_path / target).write_bytes(made)
    assert read_text_file(tmp_path / target, "class file") == TEXT


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "cp1252"])
def test_class_files_recipes_and_workflows(tmp_path: Path, encoding: str) -> None:
    classes, recipe = file(tmp_path, encoding), tmp_path / "recipe.yaml"
    recipe.write_text(f"workflow: class_prompts\noutput: out\nclasses: {classes}\n")
    with pytest.raises(InputError, match=r"The class file .*classes.txt is not UTF-8, but "):
        prepare(read_recipe(recipe), None)
    recipe.write_bytes("classes: [café]\n".encode(encoding))
    with pytest.raises(InputError, match=r"The recipe .*recipe.yaml is not UTF-8, but "):
        read_recipe(recipe)
    graph = file(tmp_path, encoding, '{"1": "é"}', "graph.json")
    with pytest.raises(InputError, match=r"The workflow .*graph.json is not UTF-8, but "):
        read_workflow(graph, None)


def test_a_file_without_text_is_no_other_encoding(tmp_path: Path) -> None:
    assert read_text_file(file(tmp_path, "utf-8", ""), "class file") == ""


@pytest.mark.parametrize("data", [b"\0", b"cat\0", b"a\0\0b", bytes(40)])
def test_zero_bytes_alone_make_no_other_encoding(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.txt").write_bytes(data)
    assert read_text_file(tmp_path / "x.txt", "class file") == data.decode()
