"""SECURITY.md says what it says because a test does."""

import json
import pickle
import re
from pathlib import Path

import pytest
from manyshot.core.errors import InputError
from manyshot.core.recipe_file import read_recipe_file
from manyshot.core.subject_file import read_subject_file
from manyshot.driver.preview import preview_lines
from manyshot.driver.recipe import Recipe, read_recipe
from PIL import Image

ROOT = Path(__file__).parents[2]


def test_every_claim_names_a_test_that_is_there() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    rows = [row for row in text.splitlines() if row.startswith("| ") and "::test_" in row]
    assert len(rows) > 20
    named = re.findall(r"`(\w+/test_\w+\.py)::(test_\w+)`", text)
    assert len(named) >= len(rows)
    for file, test in named:
        assert f"def {test}(" in (ROOT / "tests" / file).read_text(encoding="utf-8"), test


@pytest.mark.parametrize(
    "value",
    ["!!python/object/apply:os.system [touch made]", "!!python/name:os.system ''",
     "!!python/object/new:pathlib.Path [made]", "!!python/module:os ''"],
)  # fmt: skip
def test_a_recipe_makes_no_python_objects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "r.yaml").write_text(f"output: {value}\n")
    with pytest.raises(InputError, match=r"r\.yaml"):
        read_recipe_file(Recipe, tmp_path / "r.yaml")
    assert [path.name for path in tmp_path.iterdir()] == ["r.yaml"]


def test_plan_lists_what_a_recipe_touches(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "photo.png")
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "x.png"}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
    }
    (tmp_path / "graph.json").write_text(json.dumps(graph))
    (tmp_path / "r.yaml").write_text(
        f"workflow: {tmp_path}/graph.json\noutput: {tmp_path}/out\nclasses: [cat]\n"
        f"images_per_class: 1\nbind: {{LoadImage.image: {{file: {tmp_path}/photo.png}}}}\n"
        "servers: [{url: 'http://gpu:8188', bearer: '${MANYSHOT_TOKEN}'}]\n"
    )
    lines, _ = preview_lines(read_recipe(tmp_path / "r.yaml"), False, 1)
    assert "Servers: http://gpu:8188." in lines
    assert "Secrets sent to them: MANYSHOT_TOKEN." in lines
    assert any(line.startswith("Files read: ") and "photo.png" in line for line in lines)


class Trap:
    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (Path("made"),)


@pytest.mark.parametrize("name", ["a.ckpt", "a.pt", "a.bin", "a.safetensors"])
def test_pickles_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name
    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(InputError):
        read_subject_file(path)
    transformers = pytest.importorskip("transformers")
    from manyshot.trainer.subjects.open_base import open_base

    with pytest.raises(InputError):
        open_base(path, transformers.CLIPTokenizer)
    assert not (tmp_path / "made").exists()
