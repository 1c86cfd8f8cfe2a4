"""`manyshot.measure`: what the command `measure` does, and its results."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..core.extras import Extra, require
from .frame import make_frame
from .markup import headline, paragraph, table
from .recipe_source import RecipeSource, read_source

if TYPE_CHECKING:  # the trainer and pandas are optional
    from pandas import DataFrame

    from ..trainer.measure.measure_results import GainRow, Results, Run

GAIN_FIELDS = ["shots", "arm", "against", "metric", "value", "baseline", "gain", "low", "high"]
GAIN_FIELDS += ["relative", "verdict", "draws", "seeds", "draws_to_tell", "sentence"]
RUN_FIELDS = ["shots", "draw", "seed", "arm", "chosen", "real", "added", "steps", "seconds"]


@dataclass(frozen=True)
class Measurement:
    """The results of a measurement, and the folder of results.json and the report.

    `results` holds everything: all runs, gains, splits and notes.
    """

    folder: Path
    results: "Results"

    @property
    def answer(self) -> str:
        """The answer in a sentence, as the report says it."""
        from ..trainer.measure.report.answer import answer

        return answer(self.results).sentence

    def to_frame(self, of: Literal["gains", "runs"] = "gains") -> "DataFrame":
        """A row for each gain (in points, with the 95 % interval `low` to `high`), or for each
        training with its metrics (0 to 1). Raises InputError where pandas is missing."""
        if of == "gains":
            return make_frame(map(_gain_fields, self.results.gains), GAIN_FIELDS)
        metrics = dict.fromkeys(name for run in self.results.runs for name in run.metrics)
        return make_frame(map(_run_fields, self.results.runs), [*RUN_FIELDS, *metrics])

    def write_report(self) -> tuple[Path, Path]:
        """Draw report.html and report.md into the folder again; their paths."""
        from ..trainer.measure.report.write_report import write_report

        return write_report(self.folder, self.results)

    def __str__(self) -> str:
        return self.answer

    def _repr_html_(self) -> str:
        from ..trainer.measure.report.answer import answer
        from ..trainer.measure.report.gain_tables import gain_sheet

        reply = answer(self.results)
        parts = [headline(reply.sentence), *map(paragraph, (*reply.warnings, *reply.asides))]
        if self.results.gains:
            sheet = gain_sheet(self.results)
            parts.append(table(sheet.header, sheet.rows))
        return "".join([*parts, *_notes(self.results)])


def measure(
    recipe: RecipeSource,
    *,
    output: str | PathLike[str] | None = None,
    allow_overlap: bool = False,
    quiet: bool = False,
) -> Measurement:
    """Train with and without synthetic images, or go on with it, and write the report.

    The options are those of `manyshot measure`; `quiet`: nothing is shown. Finished trainings are
    kept, also after KeyboardInterrupt. Raises InputError for what cannot be measured and where the
    extra `trainer` is missing, ManyshotError when the disk fails.
    """
    require("`manyshot.measure`", Extra.TRAINER)
    from ..trainer.measure.measure_recipe import MeasureRecipe
    from ..trainer.measure.run_measurement import measure as measure_recipe
    from .progress import show_steps

    changes = {"output": output, "allow_overlap": allow_overlap or None}
    settled = read_source(MeasureRecipe, recipe, **changes)
    with show_steps(quiet) as step:
        measurement = Measurement(settled.output, measure_recipe(settled, step))
    measurement.write_report()
    return measurement


def read_results(folder: str | PathLike[str]) -> Measurement:
    """An earlier measurement, finished or not, from its folder or its results.json.

    Raises InputError when there is none, and where the extra `trainer` is missing.
    """
    require("`manyshot.read_results`", Extra.TRAINER)
    from ..trainer.measure.measure_results import FILE, read_results

    place = Path(folder)
    place = place.parent if place.name == FILE and place.is_file() else place
    return Measurement(place, read_results(place))


def _gain_fields(row: "GainRow") -> Mapping[str, Any]:
    return {name: getattr(row, name) for name in GAIN_FIELDS}


def _run_fields(run: "Run") -> Mapping[str, Any]:
    config = run.config
    return {
        **{name: getattr(config, name) for name in ("shots", "draw", "seed")},
        **{name: getattr(run, name) for name in ("real", "added", "steps", "seconds")},
        "arm": config.arm.name,
        "chosen": run.chosen.name,
        **run.metrics,
    }


def _notes(results: "Results") -> Iterator[str]:
    yield paragraph(results.split.description)
    yield from map(paragraph, results.notes)
