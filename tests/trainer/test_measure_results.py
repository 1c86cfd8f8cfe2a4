"""results.json: strict JSON that comes back as it was, figures that there are none of included."""

import json
import math
import re
from pathlib import Path

import pytest

pytest.importorskip("jinja2")

import numpy as np
from manyshot.cli import app
from manyshot.cli.console import PlainConsole
from manyshot.cli.measure import _show
from manyshot.core.errors import InputError
from manyshot.trainer.measure.arms import REAL_ONLY
from manyshot.trainer.measure.earlier_runs import load_finished_runs
from manyshot.trainer.measure.measure_results import (
    FILE,
    Results,
    pack,
    read_results,
    write_results,
)
from manyshot.trainer.measure.summary import gain_rows
from typer.testing import CliRunner

from ..support.measure_reports import made_results

TESTED = 120


def hopeless() -> Results:
    """Real photos alone get no image right: a gain over them has no percentage."""
    made = made_results(tested=TESTED)
    wrong = {"accuracy": 0.0, "calibration error": math.nan}
    nothing = {"by_image": pack(np.zeros(TESTED, bool)), "metrics": wrong}
    runs = [
        run.model_copy(update=nothing) if run.config.arm == REAL_ONLY else run for run in made.runs
    ]
    return made.model_copy(update={"runs": runs, "gains": gain_rows(runs, TESTED)})


def refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON.")


def test_figures_that_there_are_none_of_are_null(tmp_path: Path) -> None:
    write_results(tmp_path, hopeless())
    text = (tmp_path / FILE).read_text(encoding="utf-8")
    written = json.loads(text, parse_constant=refuse)
    [row] = written["gains"]
    assert row["relative"] is None
    assert row["others"] == {"calibration error": None}
    found = read_results(tmp_path)
    assert math.isnan(found.gains[0].relative)
    assert math.isnan(found.gains[0].others["calibration error"])
    assert found.gains[0].gain > 40
    write_results(tmp_path, found)
    assert (tmp_path / FILE).read_text(encoding="utf-8") == text
    assert len(load_finished_runs(tmp_path)) == len(found.runs)


def test_they_are_a_dash_in_the_report_and_on_the_console(tmp_path: Path) -> None:
    write_results(tmp_path, hopeless())
    said = CliRunner().invoke(app, ["report", str(tmp_path)])
    assert said.exit_code == 0, said.output
    report = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert re.search(r"\| – +\|", report)
    console = PlainConsole()
    console.width = 200
    with console.capture() as capture:
        _show(console, read_results(tmp_path))
    assert " – " in capture.get()
    for text in (report, (tmp_path / "report.html").read_text("utf-8"), capture.get()):
        assert not re.search(r"\bnan\b", text)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": 1}'])
def test_another_file_is_refused_with_what_to_do(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="Move it away and measure again"):
        read_results(tmp_path)
