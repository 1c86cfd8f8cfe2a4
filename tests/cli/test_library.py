"""`import manyshot`: light, complete, and the commands' own code behind it."""

import json
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import manyshot
import pytest
import yaml
from manyshot.core import errors, extras
from manyshot.core.json_text import read_json
from manyshot.core.records import Record, read_records
from manyshot.driver import run as driver_run
from manyshot.driver.preview import preview_lines
from manyshot.library.dataset import Dataset
from manyshot.library.planned_jobs import PlannedJob, PlannedJobs
from manyshot.library.progress import open_screen
from PIL import Image

from ..fault_webui import FaultWebui
from ..support.webui_runs import BOTH, SETTINGS

FROZEN = Path(__file__).parents[1] / "data" / "frozen"
IMPORT = """
import sys
before = set(sys.modules)
import manyshot
tops = {name.partition(".")[0] for name in set(sys.modules) - before}
print(sorted(tops - set(sys.stdlib_module_names)))
"""
STAR = "from manyshot import *; print(sorted(name for name in dir() if name[0] != '_'))"


def python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_importing_imports_nothing_else() -> None:
    assert python(IMPORT) == "['manyshot']"


def test_a_star_imports_what_is_offered() -> None:
    assert python(STAR) == str(sorted(name for name in manyshot.__all__ if name[0] != "_"))


@pytest.mark.parametrize("name", manyshot.__all__)
def test_every_name_is_there_and_documented(name: str) -> None:
    value = getattr(manyshot, name)
    assert name in dir(manyshot)
    assert isinstance(value, str) or value.__doc__


def test_errors_are_the_commands_own() -> None:
    assert manyshot.InputError is errors.InputError
    assert issubclass(manyshot.ServerError, manyshot.ManyshotError)


def test_other_names_are_refused_as_of_any_module() -> None:
    """ComfyUI asks for NODE_CLASS_MAPPINGS first: a pack that has them is read as of version 1."""
    assert not hasattr(manyshot, "NODE_CLASS_MAPPINGS")
    with pytest.raises(AttributeError, match="module 'manyshot' has no attribute 'mesure'"):
        manyshot.mesure  # pyright: ignore[reportAttributeAccessIssue]  # noqa: B018


@pytest.fixture
def recipe(tmp_path: Path) -> dict[str, Any]:
    """A recipe for four images of a WebUI, which a stand-in draws."""
    return {
        "output": str(tmp_path / "out"),
        "classes": ["cat", "A & B"],
        "images_per_class": 2,
        "seed": 0,
        "webui": SETTINGS,
        "servers": ["webui+http://127.0.0.1:9"],
    }


def test_a_mapping_and_a_file_are_planned_alike(recipe: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe))
    of_mapping, of_file = manyshot.plan(recipe), manyshot.plan(str(path))
    assert of_mapping == of_file == manyshot.plan(path)
    assert len(of_mapping) == 4
    assert "4 jobs: 2 classes x 2 images" in str(of_mapping)
    seeds = [job.seed for job in of_mapping.jobs]
    assert list(of_mapping.to_frame()["seed"]) == seeds
    assert len(set(seeds)) == 4


def test_the_command_shows_some_and_the_function_has_all(recipe: dict[str, Any]) -> None:
    from manyshot.driver.recipe import parse_recipe

    parsed = parse_recipe(recipe, "test")
    assert [len(preview_lines(parsed, False, show)[1]) for show in (0, 3, 9, None)] == [0, 3, 4, 4]


@pytest.mark.parametrize(
    ("recipe", "sentence"),
    [
        ("nothing.yaml", "There is no recipe at nothing.yaml."),
        (3, "A recipe is the path of a YAML file, or a mapping of its keys; int is neither."),
        ({"outptu": "x"}, "The recipe: .*Unknown key 'outptu'. Did you mean 'output'?"),
    ],
)
def test_what_is_no_recipe_is_refused(recipe: Any, sentence: str) -> None:
    with pytest.raises(manyshot.InputError, match=sentence):
        manyshot.plan(recipe)
    with pytest.raises(manyshot.InputError, match=sentence):
        manyshot.run(recipe)


def test_a_recipe_of_all_draws_is_left_to_the_command(recipe: dict[str, Any]) -> None:
    with pytest.raises(manyshot.InputError, match="several dataset folders, one per draw"):
        manyshot.run({**recipe, "subjects": "subjects", "each_draw": True})


def test_a_run_makes_the_folder_and_goes_on_with_it(
    recipe: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with FaultWebui(installed=BOTH) as webui:
        dataset = manyshot.run(recipe, server=webui.webui_url, output=tmp_path / "set", quiet=True)
        assert capsys.readouterr() == ("", "")
        assert (str(dataset), len(dataset)) == (f"4 images of 2 classes in {tmp_path / 'set'}", 4)
        again = manyshot.run(recipe, server=[webui.webui_url], output=tmp_path / "set")
        assert again.records == dataset.records
        assert capsys.readouterr().out == ""


def test_progress_goes_to_stderr_unless_it_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    for quiet, shown in ((False, "Starting\n"), (True, "")):
        open_screen(quiet).step("Starting")
        assert capsys.readouterr() == ("", shown)


def test_what_is_missing_at_the_end_is_raised(
    recipe: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver_run, "run", lambda *_: summary(recipe, stopped="The disk is full."))
    with pytest.raises(manyshot.ManyshotError) as caught:
        manyshot.run(recipe)
    assert str(caught.value) == (
        f"3 of 4 images are in {recipe['output']}. The disk is full. 1 failed (node), such as: "
        "no memory. Run it again to resume; finished images are kept."
    )


def test_an_interrupt_is_raised_once_all_is_saved(
    recipe: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver_run, "run", lambda *_: summary(recipe, interrupted=True))
    with pytest.raises(KeyboardInterrupt):
        manyshot.run(recipe)


def summary(recipe: dict[str, Any], **changes: Any) -> driver_run.Summary:
    """How a run of four images ended, one of them failed."""
    from manyshot.driver.ledger import Counts
    from manyshot.driver.run_progress import RunProgress
    from manyshot.driver.take_over import Takeover

    ending = {"stopped": None, "interrupted": False, **changes}
    return driver_run.Summary(
        folder=Path(recipe["output"]),
        counts=Counts(pending=0, done=3, failed=1),
        progress=RunProgress(4, 0),
        seconds=1.0,
        taken=Takeover(),
        done=3,
        planned=4,
        gone=0,
        damaged=0,
        failures=[("node", "no memory", 1)],
        contact_sheet=None,
        **ending,
    )


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """The folder of four images that version 0.1.0 made, one rejected, with a contact sheet."""
    folder = tmp_path / "dataset"
    shutil.copytree(FROZEN / "dataset", folder)
    rows = [json.loads(line) for line in (folder / "metadata.jsonl").read_text().splitlines()]
    rows[0] |= {"kept": False, "reason": "blurred"}
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    Image.new("RGB", (2000, 1000), "red").save(folder / "contact_sheet.png")
    return manyshot.read_dataset(folder)


def test_a_frame_has_a_row_for_each_image(dataset: Dataset) -> None:
    frame, records = dataset.to_frame(), list(read_records(dataset.folder))
    assert len(frame) == len(records) == 4
    assert len(dataset) == 3
    assert list(frame["kept"]) == [False, True, True, True]
    assert all(path.is_file() for path in frame["path"])
    assert list(frame.columns) == ["path", *Record.model_fields]
    for name in ("file_name", "class_name", "prompt", "seed", "sha256"):
        assert list(frame[name]) == [getattr(record, name) for record in records]


def test_a_notebook_shows_counts_and_the_contact_sheet(dataset: Dataset) -> None:
    html = dataset._repr_html_()
    counts = {name: sum(r.class_name == name for r in dataset.kept) for name in ("cat", "dog")}
    for name, count in counts.items():
        assert f'>{name}</td><td style="text-align: left">{count}</td>' in html
    assert html.count('src="data:image/jpeg;base64,') == 1
    assert len(html) < 40_000
    (dataset.folder / "contact_sheet.png").unlink()
    assert "<img" not in dataset._repr_html_()


def test_a_folder_without_records_is_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(manyshot.InputError, match="is not a dataset folder: it has no metadata"):
        manyshot.read_dataset(tmp_path)


def test_texts_of_strangers_are_escaped_in_notebooks() -> None:
    evil = "<script>alert(1)</script>"
    jobs = PlannedJobs((PlannedJob("0", evil, evil, None, 1),) * 12, (evil,))
    html = jobs._repr_html_()
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 10 * 2 + 1
    assert "And 2 more." in html


def test_without_pandas_a_sentence_says_how_to_get_it(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(extras, "version", version)
    with pytest.raises(manyshot.InputError) as caught:
        dataset.to_frame()
    assert str(caught.value).startswith("`to_frame()` needs Python packages that are missing: pan")
    assert str(caught.value).endswith(extras.install_command(extras.Extra.NOTEBOOK))
    for call in (manyshot.measure, manyshot.read_results):
        with pytest.raises(manyshot.InputError, match=f"`manyshot.{call.__name__}` needs"):
            call("nothing")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """The folder of the measurement that version 0.1.0 made."""
    pytest.importorskip("torchmetrics")
    shutil.copyfile(FROZEN / "results.json", tmp_path / "results.json")
    return tmp_path


def test_results_are_read_from_their_folder_or_file(results: Path) -> None:
    measurement = manyshot.read_results(results)
    assert measurement == manyshot.read_results(str(results / "results.json"))
    assert str(measurement) == measurement.answer
    assert measurement.answer in measurement._repr_html_()
    assert [path.name for path in measurement.write_report()] == ["report.html", "report.md"]
    assert all(path.is_file() for path in measurement.write_report())


def test_frames_of_results_have_a_row_for_each_gain_and_each_run(results: Path) -> None:
    measurement, written = manyshot.read_results(results), read_json(results / "results.json")
    gains, runs = measurement.to_frame(), measurement.to_frame("runs")
    assert len(gains) == len(written["gains"]) > 0
    assert len(runs) == len(written["runs"]) > 0
    for name in ("arm", "gain", "low", "high", "verdict"):
        assert list(gains[name]) == [row[name] for row in written["gains"]]
    metric = written["gains"][0]["metric"]
    assert list(runs[metric]) == [run["metrics"][metric] for run in written["runs"]]
    assert list(runs["draw"]) == [run["config"]["draw"] for run in written["runs"]]


def test_a_measurement_writes_its_report(
    results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from manyshot.trainer.measure import run_measurement as module
    from manyshot.trainer.measure.measure_results import read_results

    frozen = read_results(results)
    steps: list[object] = []

    def measured(recipe: Any, step: Any) -> Any:
        step("draws", 1, 1)
        steps.append((recipe.output, recipe.allow_overlap))
        return frozen

    monkeypatch.setattr(module, "measure", measured)
    recipe = {"data": "photos", "synthetic": "drawn", "output": "elsewhere"}
    output = results / "runs"
    output.mkdir()
    measurement = manyshot.measure(recipe, output=output, allow_overlap=True, quiet=True)
    assert capsys.readouterr() == ("", "")
    assert steps == [(output, True)]
    assert (measurement.folder, measurement.results) == (output, frozen)
    assert (output / "report.html").is_file()
    manyshot.measure(recipe, output=output)
    assert "draws: 1 of 1" in capsys.readouterr().err
