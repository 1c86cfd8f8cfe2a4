"""What the report says in rows: all gains, what auto chose, and how it was measured."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from ....core.counted import pluralize
from ..arms import Arm
from ..measure_recipe import Data, MeasureRecipe
from ..measure_results import GainRow, Results, Run
from ..model import Model
from ..published import PublishedRow
from ..segmentation.segmenter_settings import Segmenter
from .chosen import arms_by_name, list_shots, verdict_text
from .sample_figures import NONE, join_list, percent, points, span

NESTED: dict[str, type[BaseModel]] = {"data": Data, "model": Model, "segmenter": Segmenter}
ALWAYS_SHOWN = ("kind", "shots", "draws", "seeds", "arms")
LOWER_IS_BETTER = ("calibration error",)


@dataclass(frozen=True)
class Sheet:
    """A table as text: every row has a cell for each header."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def gain_sheet(results: Results) -> Sheet:
    """All arms with all that was measured of them."""
    metrics = list(dict.fromkeys(name for row in results.gains for name in row.others))
    against = len({row.against for row in results.gains}) > 1
    header = ["shots", "arm", *(["against"] if against else []), "reached", "gain in points"]
    header += [
        "95 % interval",
        "relative",
        "verdict",
        "draws needed",
        *map(_other_header, metrics),
    ]
    return Sheet(tuple(header), tuple(_rows(results, metrics, against)))


def _other_header(name: str) -> str:
    return f"{name}, gain" + (" (less is better)" if name in LOWER_IS_BETTER else "")


def _rows(results: Results, metrics: Sequence[str], against: bool) -> list[tuple[str, ...]]:
    lines, arms = [], arms_by_name(results)
    for shots in list_shots(results.gains):
        rows = [row for row in results.gains if row.shots == shots]
        lines.append(_real_only(rows[0], against, len(metrics)))
        lines.extend(_row(row, arms, metrics, against) for row in rows)
    return lines


def _real_only(row: GainRow, against: bool, count: int) -> tuple[str, ...]:
    named = [f"{row.shots:,}", "real only", *([""] if against else []), percent(row.baseline)]
    return (*named, *[""] * (5 + count))


def _row(
    row: GainRow, arms: Mapping[str, Arm], metrics: Sequence[str], against: bool
) -> tuple[str, ...]:
    return (
        f"{row.shots:,}",
        row.arm,
        *([row.against] if against else []),
        percent(row.value),
        points(row.gain, 2),
        span(row.low, row.high, 2),
        _relative(row.relative),
        verdict_text(row, arms),
        _to_tell(row),
        *(points(row.others[name], 2) if name in row.others else "" for name in metrics),
    )


def _to_tell(row: GainRow) -> str:
    if row.verdict != "cannot tell" or not row.other_photos:
        return ""
    return f"{row.draws_to_tell:,}" if row.draws_to_tell else "more would not help"


def auto_sheet(results: Results) -> Sheet | None:
    """What "auto" chose in how many draws; None when no arm is one."""
    runs = [run for run in results.runs if run.config.arm.ratio == "auto"]
    draws = {(r.config.shots, r.config.arm.name, r.config.draw): r.chosen.name for r in runs}
    counts = Counter((shots, name, chosen) for (shots, name, _), chosen in draws.items())
    rows = tuple(
        (f"{shots:,}", name, chosen, f"{count:,}")
        for (shots, name, chosen), count in sorted(counts.items(), key=lambda c: (c[0][:2], -c[1]))
    )
    return Sheet(("shots", "arm", "chose", "draws"), rows) if rows else None


def build_published_sheet(results: Results) -> Sheet | None:
    """Figures that others published beside ours; None when the recipe names none."""
    ours = {(row.shots, row.arm): row for row in results.gains if row.against == "real only"}
    header = ("shots", "arm", "ours", "gain", "relative", "published", "gain", "relative", "setup")
    rows = [(ours.get((figure.shots, figure.arm)), figure) for figure in results.published]
    cells = tuple(_beside(row, figure) for row, figure in rows)
    return Sheet(header, cells) if cells else None


def _beside(row: GainRow | None, figure: PublishedRow) -> tuple[str, ...]:
    ours = (percent(row.value), points(row.gain), _relative(row.relative)) if row else ("", "", "")
    theirs = (
        percent(figure.reached),
        points(figure.gain) if figure.gain is not None else "",
        _relative(figure.relative) if figure.relative is not None else "",
    )
    steps = f", {pluralize(figure.steps, 'step')}" if figure.steps else ""
    if steps and figure.baseline_steps:
        steps += f" against {figure.baseline_steps:,}"
    return (f"{figure.shots:,}", figure.arm, *ours, *theirs, figure.setup + steps)


def _relative(value: float) -> str:
    return NONE if points(value) == NONE else f"{points(value)} %"


def facts(results: Results) -> list[tuple[str, str]]:
    """How it was measured, by name."""
    split = results.split
    entries = [
        ("Task", results.task),
        ("Data", split.description),
        ("Images", f"{len(split.real):,} real to draw from, {len(split.synthetic):,} synthetic, "
         f"{len(split.test):,} to test on, {pluralize(len(results.classes), 'class', 'classes')}"),
        ("Learner", results.learner),
        ("Backbone", results.backbone),
        ("Protocol", _protocol(results)),
        ("Runs", _repeats(results)),
        ("Training", _training(results.runs)),
        ("Computing time", _duration(sum(run.seconds for run in results.runs))),
        ("Versions", ", ".join(f"{name} {used}" for name, used in results.versions.items())),
    ]  # fmt: skip
    return [(name, text) for name, text in entries if text]


def _protocol(results: Results) -> str:
    kind = results.runs[0].config.protocol if results.runs else results.recipe.get("protocol", "")
    descriptions = {
        "fair": "fair: the same number of optimiser steps, batch and schedule for every arm",
        "thesis": "thesis: arms with more images train for more steps; each is also "
        "compared with real only at the same number of steps",
    }
    return descriptions.get(str(kind), "")


def _repeats(results: Results) -> str:
    runs = pluralize(len(results.runs), "run")
    return f"{repeats_text(results)}, {runs} in all" if results.gains else runs


def repeats_text(results: Results) -> str:
    """How many draws and seeds gains rest on; only draws that hold other photos count."""
    draws = {row.shots: row.draws for row in results.gains}
    numbers = [f"{pluralize(count, 'draw')} with {shots:,}" for shots, count in draws.items()]
    alike = len(set(draws.values())) == 1
    draws_text = pluralize(results.gains[0].draws, "draw") if alike else join_list(numbers)
    return f"{draws_text} × {pluralize(results.gains[0].seeds, 'seed')} for every arm"


def _training(runs: Sequence[Run]) -> str:
    if not runs:
        return ""
    steps, rates = ({getattr(run, name) for run in runs} for name in ("steps", "rate"))
    batches = sorted({run.config.batch for run in runs})
    amount = f"{_range(steps)} steps of {', '.join(map(str, batches))} images"
    return (
        f"{amount}, learning rate {_range(rates)}, weight decay {_range({r.decay for r in runs})}"
    )


def _range(values: set[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _duration(seconds: float) -> str:
    if not seconds:
        return ""
    return f"{seconds:.2g} s" if seconds < 10 else str(timedelta(seconds=round(seconds)))


def recipe_text(results: Results) -> str:
    """The recipe as YAML, to be measured again: what differs from the defaults."""
    recipe = _without_defaults(results.recipe, MeasureRecipe)
    return yaml.safe_dump(recipe, sort_keys=False, allow_unicode=True).strip()


def _without_defaults(data: dict[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    """What a dumped model has beside its defaults, some of which are for other tasks and modes."""
    fields = model.model_fields
    defaults = {key: field.get_default(call_default_factory=True) for key, field in fields.items()}
    plain = to_jsonable_python(defaults, fallback=str)
    changed = {
        key: _nested(key, value)
        for key, value in data.items()
        if key in ALWAYS_SHOWN or value != plain.get(key, key)
    }
    return {key: value for key, value in changed.items() if value is not None}


def _nested(key: str, value: Any) -> Any:
    if isinstance(value, dict) and key in NESTED:
        return _without_defaults(value, NESTED[key])
    if isinstance(value, list) and key == "arms":
        return [_without_defaults(arm, Arm) for arm in value]
    return value
