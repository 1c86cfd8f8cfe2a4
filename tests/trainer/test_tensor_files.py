"""Tensor files: readable by others, whole or not at all, written in one place."""

import re
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
from manyshot.core.subject_file import read_subject_file  # noqa: E402
from manyshot.trainer.tensor_files import write_tensors  # noqa: E402
from safetensors import safe_open  # noqa: E402
from safetensors.torch import load_file  # noqa: E402

from ..support.trained_subjects import write_trained  # noqa: E402

ROOT = Path(__file__).parents[2]


def test_tensors_and_facts_read_back_with_the_mode_of_any_file(tmp_path: Path) -> None:
    path, plain = tmp_path / "new" / "a.safetensors", tmp_path / "plain"
    plain.write_bytes(b"")
    write_tensors(path, {"a": torch.arange(3), "b": torch.ones(2, 2).half()}, {"k": "v"})
    assert load_file(path)["a"].tolist() == [0, 1, 2]
    with safe_open(path, "pt") as file:
        assert file.metadata() == {"k": "v"}
    assert path.stat().st_mode == plain.stat().st_mode
    assert list(path.parent.iterdir()) == [path]


def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write_tensors(path, {"a": torch.ones(1)})
    with pytest.raises(ValueError, match="contiguous"):
        write_tensors(path, {"a": torch.ones(2, 3).T})
    assert load_file(path)["a"].tolist() == [1]
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_of_each_method_can_be_read_by_other_users(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(b"")
    for method, path in write_trained(tmp_path).items():
        assert path.stat().st_mode == plain.stat().st_mode
        assert read_subject_file(path).method == method


def test_nothing_else_writes_tensors_into_files() -> None:
    """`save_file` gives its files mode 0600, and replaces those that it is given."""
    writers = [
        path.relative_to(ROOT).as_posix()
        for folder in ("core", "cli", "comfy_nodes", "driver", "trainer", "webui")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"\bsave_file\(", path.read_text(encoding="utf-8"))
    ]
    assert writers == ["trainer/tensor_files.py"]
