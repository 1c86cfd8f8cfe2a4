"""`--json`, `--quiet`, `--open`, and where progress goes: stdout has results alone."""

import json
import sys
import webbrowser
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from manyshot.cli import main
from manyshot.cli.options import open_file
from manyshot.driver.job import Failure, Job
from manyshot.driver.ledger import Done, Ledger

Started = Callable[..., tuple[int, str, str]]
GAIN_KEYS = {
    *("shots", "arm", "against", "metric", "value", "baseline", "gain", "low", "high"),
    *("relative", "verdict", "sentence"),
}


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Started:
    """Call the command line; gives its exit code, stdout and stderr."""

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["manyshot", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return call


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Addresses that a browser was asked to open; there is a display."""
    addresses: list[str] = []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(webbrowser, "open", lambda url: not addresses.append(url))
    return addresses


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A measurement recipe that is measured at once, without PyTorch; its folder is `out`."""
    pytest.importorskip("scipy")
    from manyshot.trainer.measure.measure_results import write_results

    from ..support.measure_reports import made_results

    def measure(recipe: Any, step: Callable[[str, int, int], None]) -> Any:
        step("fitting", 1, 2)
        (tmp_path / "out").mkdir(exist_ok=True)
        write_results(tmp_path / "out", made_results())
        return made_results()

    module = ModuleType("measure")
    vars(module)["measure"] = measure
    monkeypatch.setitem(sys.modules, "manyshot.trainer.measure.run_measurement", module)
    path = tmp_path / "measure.yaml"
    path.write_text(f"data: photos\nsynthetic: made\noutput: {tmp_path}/out\n")
    return path


def test_plan_prints_json_alone(started: Started) -> None:
    code, out, err = started("plan", "run", "--set", "images_per_class=8", "--show", 1, "--json")
    plan = json.loads(out)
    assert (code, err) == (0, "")
    assert plan.keys() == {
        *("output", "jobs", "images", "classes", "checked_servers", "notes", "first_jobs")
    }
    assert (plan["jobs"], plan["images"], plan["classes"]) == (4, 16, ["beagle", "bengal"])
    assert plan["first_jobs"][0].keys() == {"id", "class_name", "prompt", "negative", "seed"}
    assert len(plan["first_jobs"]) == 1


def test_status_prints_json_alone(started: Started, tmp_path: Path) -> None:
    jobs = [Job(f"{n:032x}", "cat", 0, n, "a cat", "", n, "g") for n in range(3)]
    ledger = Ledger(tmp_path)
    list(ledger.read_plan(jobs))
    ledger.take_plan("f")
    ledger.mark_done([Done(jobs[0].id, 1, 0, "s", 0.5)])
    ledger.mark_failed(jobs[1].id, Failure("node", "it broke"))
    ledger.close()
    code, out, err = started("status", tmp_path, "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == {
        **{"folder": str(tmp_path), "planned": 3, "done": 1, "pending": 1, "failed": 1},
        "rejected": 0,
        "classes": [{"class_name": "cat", "planned": 3, "done": 1, "failed": 1}],
        "failures": [{"kind": "node", "reason": "it broke", "count": 1}],
    }


def test_measure_prints_json_alone(started: Started, measured: Path) -> None:
    code, out, err = started("measure", measured, "--json")
    summary = json.loads(out)
    assert code == 0
    assert summary.keys() == {
        *("results", "report", "finished", "task", "classes", "gains", "notes")
    }
    assert Path(summary["results"]).is_file()
    assert Path(summary["report"]).is_file()
    assert summary["finished"] is True
    assert all(row.keys() == GAIN_KEYS for row in summary["gains"])
    assert err.splitlines() == ["Loading PyTorch ...", "fitting: 1 of 2"]


def test_quiet_leaves_results_alone(started: Started, measured: Path) -> None:
    code, out, err = started("measure", measured, "--quiet")
    assert (code, err) == (0, "")
    assert "Results: " in out
    loud = started("measure", measured)
    assert loud[1] == out
    assert "Loading PyTorch" in loud[2]


def test_a_wrong_recipe_is_told_before_anything_is_loaded(started: Started, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("data: photos\noutput: o\nsynthetic: s\nshoots: 1\n")
    code, out, err = started("measure", path, "--json")
    assert (code, out) == (2, "")
    assert "Loading" not in err
    assert "Did you mean 'shots'?" in err


def test_what_was_made_is_opened(started: Started, measured: Path, opened: list[str]) -> None:
    page = (measured.parent / "out" / "report.html").absolute().as_uri()
    assert started("measure", measured, "--open")[0] == 0
    assert started("report", measured.parent / "out", "--open")[0] == 0
    assert opened == [page, page]


@pytest.mark.parametrize("asked", [True, False])
def test_without_a_display_the_path_is_said(
    asked: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(webbrowser, "open", lambda url: False)
    if asked:  # a display, and no browser on it
        monkeypatch.setenv("DISPLAY", ":0")
    else:
        monkeypatch.delenv("DISPLAY", raising=False)
    open_file(tmp_path / "a.html")
    assert capsys.readouterr().err == f"It cannot be opened here: {tmp_path}/a.html\n"
