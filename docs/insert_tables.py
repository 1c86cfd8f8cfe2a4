"""Write the tables of docs/results.md anew from results.json files: nothing there is typed.

    python docs/insert_tables.py docs/results.md runs

What stands between `<!-- gains NAME -->` and `<!-- end -->` becomes the gains of runs/NAME, and
likewise `published` (ours beside theirs), `auto` (what it came to) and `subjects` (how like they
are, of runs/NAME/evaluation.json).
"""

import re
import sys
from pathlib import Path

from manyshot.trainer.measure.measure_results import FILE, Results, read_results
from manyshot.trainer.measure.report.gain_tables import (
    Sheet,
    auto_sheet,
    build_published_sheet,
    gain_sheet,
)
from manyshot.trainer.measure.report.markdown import table
from manyshot.trainer.subjects.evaluation import evaluation_results as likeness
from manyshot.trainer.subjects.evaluation.subject_tables import method_table

BLOCK = re.compile(r"<!-- (gains|published|auto|subjects) (\S+) -->\n.*?<!-- end -->", re.DOTALL)
LEFT_OUT = {"draws to tell", "balanced accuracy", "macro F1"}


def gains(results: Results) -> Sheet | None:
    """The gains in fewer columns than a report has, real only once for each number of shots."""
    sheet = gain_sheet(results)
    kept = [i for i, name in enumerate(sheet.header) if name.split(",")[0] not in LEFT_OUT]
    rows = tuple(tuple(row[i] for i in kept) for row in sheet.rows)
    return Sheet(tuple(sheet.header[i] for i in kept), rows)


def subjects(found: likeness.Evaluation) -> Sheet:
    """The means of each method over the classes, by the net that the evaluation goes by."""
    head, lines = method_table(found, next(iter(found.extractors)))
    return Sheet(head, tuple(lines))


SHEETS = {"gains": gains, "published": build_published_sheet, "auto": auto_sheet}


def inserted(text: str, runs: Path) -> str:
    """`text` with every block written anew whose results are there."""

    def block(found: re.Match[str]) -> str:
        kind, name = found.groups()
        file = runs / name / (likeness.FILE if kind == "subjects" else FILE)
        if not file.exists():
            return found.group()
        if kind == "subjects":
            sheet = subjects(likeness.read_results(file))
        else:
            sheet = SHEETS[kind](read_results(file.parent))
        shown = table(sheet.header, sheet.rows) if sheet else "(none)"
        return f"<!-- {kind} {name} -->\n{shown}\n<!-- end -->"

    return BLOCK.sub(block, text)


if __name__ == "__main__":
    page, folder = map(Path, sys.argv[1:])
    page.write_text(inserted(page.read_text(encoding="utf-8"), folder), encoding="utf-8")
