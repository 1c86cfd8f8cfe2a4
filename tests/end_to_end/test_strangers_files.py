"""Whatever a stranger's recipe, results.json or header holds, what leaves is a sentence."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from manyshot.cli import main  # noqa: E402
from manyshot.core.errors import InputError  # noqa: E402
from manyshot.core.recipe_file import parse_recipe_data, read_recipe_file  # noqa: E402
from manyshot.core.subject_file import KEY, read_subject_file  # noqa: E402
from manyshot.driver.recipe import Recipe  # noqa: E402
from manyshot.trainer.device import check_device  # noqa: E402
from manyshot.trainer.measure.measure_recipe import MeasureRecipe  # noqa: E402
from manyshot.trainer.measure.measure_results import read_results  # noqa: E402
from manyshot.trainer.subjects.subject_recipe import SubjectRecipe  # noqa: E402
from tiny_model.program import main as tiny_main  # noqa: E402

from ..support.subject_files import subject, write_subjects  # noqa: E402

MODELS = (Recipe, MeasureRecipe, SubjectRecipe)
SURROGATES = st.characters(categories=["Cs", "Cc", "L", "P"])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(SURROGATES)
VALUES = st.recursive(
    LEAVES, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(SURROGATES), v, max_size=3)
)
DEEP = "[" * 100_000
BROKEN = [b"", b"\xff\x00", DEEP.encode(), b'{"a":' * 50_000, b"[]", b"null", b"1" * 6_000,
          b'"\\ud800"', b'{"subjects": 5, "runs": "x"}']  # fmt: skip


def sentence(read: Callable[[], object]) -> None:
    """Reads, or says why not; any other error passes on."""
    with suppress(InputError):
        read()


@pytest.mark.parametrize("model", MODELS)
@given(data=st.data())
def test_recipes_of_any_values_are_read_or_told(model: Any, data: st.DataObject) -> None:
    keys = st.sampled_from(sorted(model.model_fields)) | st.text(SURROGATES)
    given_values = data.draw(st.dictionaries(keys, VALUES, max_size=5))
    sentence(lambda: parse_recipe_data(model, given_values, "r.yaml"))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("content", [*BROKEN, b'output: "a\\0b"', b'output: "\\ud800"', b"a: *b"])
def test_recipe_files_of_any_bytes_are_told(model: Any, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_bytes(content)
    with pytest.raises(InputError):
        read_recipe_file(model, tmp_path / "r.yaml")


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_characters_that_no_path_holds_are_told(text: str) -> None:
    with pytest.raises(InputError, match=r"contains the character '\\\w+'\. Remove it"):
        parse_recipe_data(SubjectRecipe, {"output": text}, "r.yaml")


@pytest.mark.parametrize("content", BROKEN)
def test_results_of_any_bytes_are_told(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "results.json").write_bytes(content)
    with pytest.raises(InputError, match=r"results\.json is not a file of this version"):
        read_results(tmp_path)
    with pytest.raises(InputError, match="cannot be read: Not a directory"):
        read_results(tmp_path / "results.json")


@given(VALUES)
def test_results_of_any_values_are_told(value: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "read_text", lambda *_, **__: json.dumps(value))
        with pytest.raises(InputError):
            read_results(Path("anywhere"))


FIELDS = st.sampled_from(["method", "subjects", "base", "step", "settings", "token", "photos"])


@given(VALUES | st.dictionaries(FIELDS, VALUES))
def test_headers_of_any_values_are_read_or_told(
    tmp_path_factory: pytest.TempPathFactory, value: Any
) -> None:
    from safetensors.numpy import save_file

    path = tmp_path_factory.mktemp("h") / "a.safetensors"
    save_file({}, path, {KEY: json.dumps(value)})
    with pytest.raises(InputError, match="cannot be understood"):
        read_subject_file(path)


@pytest.mark.parametrize("text", [DEEP, '{"a":' * 50_000, "1" * 6_000, ""])
def test_headers_of_any_text_are_told(text: str, tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({}, tmp_path / "a.safetensors", {KEY: text})
    with pytest.raises(InputError, match="cannot be understood"):
        read_subject_file(tmp_path / "a.safetensors")


def test_headers_of_ours_still_open(tmp_path: Path) -> None:
    write_subjects(tmp_path / "a.safetensors", subject("cat", contexts=("on grass",)))
    [found] = read_subject_file(tmp_path / "a.safetensors").subjects
    assert (found.class_name, found.contexts) == ("cat", ("on grass",))


@pytest.mark.parametrize("path", ["a\0b.safetensors", "\ud800.safetensors"])
def test_paths_that_no_disk_holds_are_told(path: str) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_subject_file(Path(path))


@pytest.mark.parametrize("name", ["gpu", "", "cuda:99", "meta", "vulkan"])
def test_a_device_that_is_not_there_is_told(name: str) -> None:
    with pytest.raises(InputError, match="Omit the option to use the CPU"):
        check_device(name)
    check_device("cpu")


COMMANDS = [
    ["subject", "train", "r.yaml", "--device", "cuda:99"],
    ["report", "results.json"],
]
DEVELOPERS = ["train", "--data", ".", "--run", "run", "--device", "gpu", "--steps", "1"]


@pytest.mark.parametrize(
    ("entry", "command"), [*((main, command) for command in COMMANDS), (tiny_main, DEVELOPERS)]
)
def test_commands_end_with_a_sentence(
    entry: Callable[[], None],
    command: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "results.json").write_text("")
    (tmp_path / "r.yaml").write_text(
        "output: out\nsubjects: [{token: a-m1, noun: dog, photos: [.]}]\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["manyshot", *command])
    with pytest.raises(SystemExit) as ended:
        entry()
    assert ended.value.code == 2
    assert capsys.readouterr().err.removeprefix("Loading PyTorch ...\n").startswith("manyshot: ")
