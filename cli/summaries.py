"""The results of commands as JSON. Keys are added, never renamed: docs/scripts.md lists them."""

from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..driver.ledger import Counts
    from ..driver.preview import ClassCounts, FailureCounts, Preview
    from ..trainer.measure.measure_results import GainRow, Results


def plan_summary(preview: "Preview") -> dict[str, Any]:
    """What `manyshot plan --json` prints."""
    return {
        "output": str(preview.plan.recipe.output),
        "jobs": len(preview.plan),
        "images": sum(job.keep for job in preview.plan),
        "classes": preview.classes,
        "checked_servers": list(preview.checked),
        "notes": list(preview.notes),
        "first_jobs": [
            {"id": job.id, "class_name": job.class_name, **inputs._asdict()}
            for job, inputs in preview.first
        ],
    }


def status_summary(
    folder: Path, counts: "Counts", classes: "list[ClassCounts]", failures: "list[FailureCounts]"
) -> dict[str, Any]:
    """What `manyshot status --json` prints: jobs, and images that are rejected."""
    return {
        "folder": str(folder),
        "planned": counts.planned,
        "done": counts.done,
        "pending": counts.pending,
        "failed": counts.failed,
        "rejected": counts.rejected,
        "classes": [
            {"class_name": name, "planned": planned, "done": done, "failed": failed}
            for name, planned, done, failed in classes
        ],
        "failures": [
            {"kind": kind, "reason": reason, "count": count} for kind, reason, count in failures
        ],
    }


def measure_summary(results: "Results", file: Path, report: Path, finished: bool) -> dict[str, Any]:
    """What `manyshot measure --json` prints; gains are in points of the main metric."""
    return {
        "results": str(file),
        "report": str(report),
        "finished": finished,
        "task": results.task,
        "classes": list(results.classes),
        "gains": [_gain(row) for row in results.gains],
        "notes": list(results.notes),
    }


def _gain(row: "GainRow") -> dict[str, Any]:
    figures = {
        "value": row.value,
        "baseline": row.baseline,
        "gain": row.gain,
        "low": row.low,
        "high": row.high,
        "relative": row.relative,
    }
    return {
        "shots": row.shots,
        "arm": row.arm,
        "against": row.against,
        "metric": row.metric,
        **{name: figure if isfinite(figure) else None for name, figure in figures.items()},
        "verdict": row.verdict,
        "sentence": row.sentence,
    }
