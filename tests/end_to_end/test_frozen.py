"""What must stay as it is, whatever moves: job ids, keys of measurements and their cache, the
nodes' ids and inputs, the dataset folder, results.json.

Files in data/frozen were written by version 0.1.0. Interrupted runs, old folders and saved graphs
of users rest on these values: a change that alters one says so in CHANGELOG.md and adopts what is
there.
"""

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from manyshot.core.json_text import read_json
from manyshot.core.records import read_records
from manyshot.driver.embedded import EmbeddedServer
from manyshot.driver.ledger import FILE_NAME, Counts, Ledger
from manyshot.driver.prepare import prepare
from manyshot.driver.recipe import Recipe, parse_recipe
from manyshot.trainer.copies import copy_cache as kept
from manyshot.trainer.measure import overlap
from manyshot.trainer.measure.feature_cache import cache_features
from manyshot.trainer.measure.material import make_table, read_data, read_material
from manyshot.trainer.measure.measure_recipe import Data
from manyshot.trainer.measure.measure_results import Config, read_results, write_results
from manyshot.trainer.measure.segmentation.pair_data import code_of_names, read_pairs
from manyshot.trainer.measure.segmentation.segmentation_learner import learner_name
from manyshot.trainer.measure.segmentation.segmenter_settings import Segmenter
from manyshot.trainer.measure.sources import folder_dataset

from ..fault_webui import FaultWebui
from ..support.fault_runs import drive
from ..support.webui_runs import BOTH

FROZEN = Path(__file__).parents[1] / "data" / "frozen"
JOBS: dict[str, dict[str, Any]] = read_json(FROZEN / "jobs.json")
KEYS: dict[str, Any] = read_json(FROZEN / "measure_keys.json")


@pytest.fixture(autouse=True)
def _in_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths in the recipes are relative."""
    monkeypatch.chdir(FROZEN)


@pytest.mark.parametrize("name", JOBS)
def test_job_ids(name: str) -> None:
    plan = prepare(parse_recipe({"output": "out", **JOBS[name]["recipe"]}, name), None)
    assert [[job.class_name, job.seed, job.id] for job in plan] == JOBS[name]["jobs"]


@pytest.mark.parametrize("number", range(len(KEYS["configs"])))
def test_keys_of_runs(number: int) -> None:
    config = {k: v for k, v in KEYS["configs"][number].items() if k != "key"}
    assert Config.model_validate(config).key == KEYS["configs"][number]["key"]


@pytest.mark.parametrize("task", ["classification", "segmentation"])
def test_digests_of_material(task: Any) -> None:
    data = Data(path=Path("photos" if task == "classification" else "pairs"), test_share=0.5)
    dataset = read_data(data, task, lambda paths: [])
    material = read_material(make_table(dataset, ()), (*dataset.real, *dataset.test))
    assert material.digest == KEYS["material"][task]
    assert [example.name for example in dataset.test] == KEYS["tested"][task]


@pytest.mark.parametrize("mode", ["frozen", "finetune"])
def test_names_of_segmenters(mode: Any) -> None:
    code = code_of_names(("background", "cat", "dog"))
    assert learner_name("net-0", Segmenter(mode=mode), code) == KEYS["segmenters"][mode]


def test_names_of_pairs() -> None:
    assert [pair.name for pair in read_pairs(Path("pairs"))] == KEYS["pairs"]


def test_kept_features_are_found() -> None:
    """Rows that `cache`/<net> holds, by the sha256 of the images."""

    def compute(places: object) -> np.ndarray:
        raise AssertionError(f"not found: {places}")

    digests = KEYS["features"]
    rows = cache_features(digests, compute, Path("features"))
    assert rows.tolist() == [[0.0, 0.5], [1.0, 1.5]]


def test_names_of_kept_searches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Searches for copies are not done again."""
    monkeypatch.setattr(kept, "find_doubles", lambda *_: [])
    monkeypatch.setattr(kept, "find_copies", lambda *_: [])
    dataset = folder_dataset(Path("photos"), None, 0.5, 0, lambda paths: [])
    paths = [example.path for example in dataset.real]
    kept.load_or_find_doubles(paths, tmp_path)
    overlap.load_or_find_overlap(dataset.real[:2], dataset.test, dataset.real[2:], tmp_path)
    names = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.glob("*/*"))
    assert names == KEYS["searches"]


def shape(node: dict[str, Any]) -> dict[str, Any]:
    """What saved graphs rest on: inputs in their order, types, defaults and ranges, outputs."""
    inputs = {
        kind: {name: [_type(value), _facts(value)] for name, value in (values or {}).items()}
        for kind, values in node["input"].items()
    }
    return {"inputs": inputs, "order": node["input_order"]} | {
        key: node[key] for key in ("output", "output_is_list", "output_name", "output_node")
    }


def _type(value: list[Any]) -> str:
    return value[0] if isinstance(value[0], str) else "COMBO"


def _facts(value: list[Any]) -> dict[str, Any]:
    """Options of choices without a default are the files that a server has."""
    facts = value[1] if len(value) > 1 else {}
    same = ["default", "min", "max", "step", "multiline", "forceInput", "control_after_generate"]
    same += ["options"] if "default" in facts else []
    return {key: facts[key] for key in same if facts.get(key) is not None}


@pytest.mark.server
def test_nodes_and_their_inputs(comfyui: EmbeddedServer) -> None:
    nodes = requests.get(f"{comfyui.url}/object_info", timeout=60).json()
    ours = {name: shape(node) for name, node in nodes.items() if name.startswith("Manyshot")}
    assert ours == read_json(FROZEN / "nodes.json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A dataset folder of version 0.1.0, whose ledger lies in data/frozen as SQL."""
    shutil.copytree(FROZEN / "dataset", tmp_path / "dataset")
    with sqlite3.connect(tmp_path / "dataset" / FILE_NAME) as db:
        db.executescript((FROZEN / "ledger.sql").read_text())
    db.close()
    return tmp_path / "dataset"


def recipe_of(folder: Path, webui: FaultWebui) -> Recipe:
    """The recipe in the folder's manyshot.json, with another server."""
    recipe = read_json(folder / "manyshot.json")["recipe"]
    changes = {"output": str(folder), "servers": [webui.webui_url]}
    return parse_recipe({**recipe, **changes}, "manyshot.json")


def test_a_ledger_opens(folder: Path) -> None:
    ledger = Ledger(folder)
    try:
        assert ledger.counts() == Counts(pending=0, done=4, failed=0)
    finally:
        ledger.close()


def test_a_dataset_folder_is_gone_on_with(folder: Path) -> None:
    """Nothing is drawn again, and the files stay as they are."""
    before = {path.name: path.read_bytes() for path in folder.glob("images/*/*")}
    lines = (folder / "metadata.jsonl").read_text()
    with FaultWebui(installed=BOTH) as webui:
        summary = drive(recipe_of(folder, webui))
        assert (summary.exit_code, summary.done) == (0, 4)
        assert webui.diary.images() == []
    assert {path.name: path.read_bytes() for path in folder.glob("images/*/*")} == before
    assert (folder / "metadata.jsonl").read_text() == lines
    assert len(list(read_records(folder))) == 4


def test_a_new_dataset_folder_has_the_same_form(folder: Path, tmp_path: Path) -> None:
    with FaultWebui(installed=BOTH) as webui:
        recipe = recipe_of(folder, webui).model_copy(update={"output": tmp_path / "new"})
        assert drive(recipe).exit_code == 0
    assert _files(tmp_path / "new") == _files(folder)
    old, new = (read_json(at / "manyshot.json") for at in (folder, tmp_path / "new"))
    assert old.keys() <= new.keys()
    assert old["recipe"].keys() <= new["recipe"].keys()
    rows = [(at / "metadata.jsonl").read_text().splitlines() for at in (folder, tmp_path / "new")]
    for was, now in zip(*(map(json.loads, lines) for lines in rows), strict=True):
        assert {key: now[key] for key in was if key != "server"} == {
            key: was[key] for key in was if key != "server"
        }


def _files(folder: Path) -> list[str]:
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in names if name.endswith((".jsonl", ".json", "_0.png")))


def test_results_are_read_and_written_as_they_were(tmp_path: Path) -> None:
    write_results(tmp_path, read_results(FROZEN))
    assert (tmp_path / "results.json").read_text() == (FROZEN / "results.json").read_text()
