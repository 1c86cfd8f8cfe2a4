"""Kinds of servers are a table: what is above it names none, and a new one needs a line."""

import ast
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import manyshot
import pytest
import yaml
from manyshot.core.records import read_records
from manyshot.driver.targets import registry

from ..support import stub_kind
from ..support.planned_runs import GRAPH, NEGATIVE, PROMPT, SEED

ROOT = Path(manyshot.__file__).parent
URL = "stub+http://127.0.0.1:1"
Manyshot = Callable[..., tuple[int, str]]


def _modules() -> Iterator[Path]:
    """The driver without the kinds' folders; `embedded` is ComfyUI's installation itself."""
    kinds = [ROOT / "driver" / "targets" / kind.name for kind in registry.kinds()]
    for path in sorted((ROOT / "driver").rglob("*.py")):
        if not any(path.is_relative_to(folder) for folder in (*kinds, ROOT / "driver/embedded")):
            yield path


def _named(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Names in code and texts that are a kind's name or prefix; sentences to readers are neither,
    and languages of prompts are of `core`."""
    names = {kind.name for kind in registry.kinds()}
    texts = names | {kind.prefix for kind in registry.kinds()} | {f"{name}." for name in names}
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("core.")
        for alias in node.names
    }
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module)) if not module.startswith("core."):
                words = [*module.split("."), *(alias.name for alias in node.names)]
            case ast.Name(id=word) | ast.Attribute(attr=word) | ast.arg(arg=word):
                words = [word]
            case ast.keyword(arg=str(word)) | ast.FunctionDef(name=word) | ast.ClassDef(name=word):
                words = [word]
            case ast.Constant(value=str(text)) if text and text in texts:
                yield node.lineno, text
                continue
            case _:
                continue
        for word in words:
            if word not in imported and any(name in word.lower() for name in names):
                yield getattr(node, "lineno", 0), word


@pytest.mark.parametrize("path", list(_modules()), ids=lambda path: path.stem)
def test_nothing_above_names_a_kind(path: Path) -> None:
    named = list(_named(ast.parse(path.read_text(encoding="utf-8"))))
    assert not named


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A recipe for the stub, which one entry of the table makes known."""
    monkeypatch.setattr(registry, "FOLDERS", (*registry.FOLDERS, stub_kind.__name__))
    monkeypatch.setattr("manyshot.driver.worker.TICK", 0.005)
    (tmp_path / "graph.json").write_text(json.dumps(GRAPH))
    data = {
        "workflow": str(tmp_path / "graph.json"),
        "output": str(tmp_path / "out"),
        "classes": ["cat", "dog"],
        "images_per_class": 3,
        "bind": {**PROMPT, **SEED, **NEGATIVE},
        "servers": [URL],
    }
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(data))
    return path


def test_a_new_kind_is_planned_drawn_and_counted(recipe: Path, manyshot: Manyshot) -> None:
    code, text = manyshot("plan", recipe, "--server", URL)
    assert code == 0, text
    assert "6 jobs: 2 classes x 3 images, 1 a job. Checked against http://127.0.0.1:1." in text
    code, text = manyshot("run", recipe, "--quiet")
    assert code == 0, text
    assert "6 of 6 are there" in text
    records = read_records(recipe.parent / "out")
    assert len({record.file_name for record in records}) == 6
    manifest = json.loads((recipe.parent / "out" / "manyshot.json").read_text())
    assert [server["name"] for server in manifest["servers"]] == ["http://127.0.0.1:1"]
    code, text = manyshot("status", recipe.parent / "out")
    assert (code, "6 of 6 jobs done, 0 to do, 0 failed" in text) == (0, True), text


def test_a_new_kind_checks_its_plan_and_itself(recipe: Path, manyshot: Manyshot) -> None:
    code, text = manyshot("run", recipe, "--set", "classes=[unpaintable]")
    assert (code, "The stub http://127.0.0.1:1 cannot paint 'unpaintable'." in text) == (2, True)
    assert "the stub paints" in manyshot("doctor", "--server", URL)[1]


def test_a_new_kind_changes_no_jobs_id(recipe: Path, manyshot: Manyshot) -> None:
    """It reads the same workflow that ComfyUI draws."""
    elsewhere = ("--set", "servers=[http://127.0.0.1:1]")
    plans = [json.loads(manyshot("plan", recipe, "--json", *words)[1]) for words in ((), elsewhere)]
    ids = [[job["id"] for job in plan["first_jobs"]] for plan in plans]
    assert ids[0] == ids[1]


def test_addresses_that_are_none_name_the_forms_of_all(recipe: Path, manyshot: Manyshot) -> None:
    code, text = manyshot("plan", recipe, "--server", "127.0.0.1")
    assert code == 2
    forms = "'embedded', http://host:port, webui+http://host:port, or stub+http://host:port"
    assert f"is not a server address; write {forms}" in text
