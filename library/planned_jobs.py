"""What a recipe would make: its jobs, before anything is drawn."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from .frame import make_frame
from .markup import paragraph, table

if TYPE_CHECKING:  # pandas is optional
    from pandas import DataFrame

MOST_SHOWN = 10  # jobs in a notebook


class PlannedJob(NamedTuple):
    """A job to come. `prompt`, `negative` and `seed` are None where no node takes them."""

    id: str
    class_name: str
    prompt: str | None
    negative: str | None
    seed: int | None


@dataclass(frozen=True)
class PlannedJobs:
    """The jobs of a recipe, and `notes`: how many, against which server they were checked, which
    servers, files and secrets they reach."""

    jobs: tuple[PlannedJob, ...]
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.jobs)

    def __str__(self) -> str:
        return "\n".join(self.notes)

    def to_frame(self) -> "DataFrame":
        """A row for each job. Raises InputError where pandas is missing."""
        return make_frame((job._asdict() for job in self.jobs), PlannedJob._fields)

    def _repr_html_(self) -> str:
        rows = [
            (job.class_name, *("" if value is None else value for value in job[2:]))
            for job in self.jobs[:MOST_SHOWN]
        ]
        more = len(self) - len(rows)
        notes = [*([f"And {more:,} more."] if more else []), *self.notes]
        shown = table(("class", "prompt", "negative", "seed"), rows)
        return shown + "".join(map(paragraph, notes))
