"""Which of the gains answer the question, and which arms are shown where not all can be."""

from collections.abc import Mapping, Sequence
from math import inf

from scipy import stats

from ..arms import Added, Arm
from ..gain import LEVEL
from ..measure_results import GainRow, Results
from ..summary import CONTROLS


def arms_by_name(results: Results) -> dict[str, Arm]:
    """Every arm of the measurement, in the order of its runs, which is the recipe's."""
    return {run.config.arm.name: run.config.arm for run in results.runs}


def strictest(gains: Sequence[GainRow]) -> list[GainRow]:
    """Of each arm and number of shots the last row: against what differs least from it.

    That is real only, the same policy without what was added, or, under the thesis protocol, the
    same number of steps.
    """
    return list({(row.shots, row.arm): row for row in gains}.values())


def select_rows(results: Results, added: Added) -> list[GainRow]:
    """The strictest gains of the arms that add one thing."""
    arms = arms_by_name(results)
    rows = strictest(results.gains)
    return [row for row in rows if row.arm in arms and arms[row.arm].add == added]


def main_arm(results: Results) -> str | None:
    """The arm to look at closely: the synthetic one whose gain is surest, else any."""
    rows = select_rows(results, "synthetic") or strictest(results.gains)
    return max(rows, key=lambda row: row.low).arm if rows else None


def stands(row: GainRow, comparisons: int) -> bool:
    """Whether a gain that helps would also do so in an interval widened for many comparisons.

    Bonferroni's: each gets its share of 5 %. Degrees of freedom are taken as those of the draws,
    the fewest that the interval can have; of a single draw it has those of the test images.
    """
    freedom = row.draws - 1 if row.draws > 1 else inf
    usual, wide = (
        float(stats.t.ppf(1 - (1 - LEVEL) / 2 / count, freedom)) for count in (1, comparisons)
    )
    return row.gain > (row.gain - row.low) * wide / usual


def verdict_text(row: GainRow, arms: Mapping[str, Arm]) -> str:
    """The verdict as tables show it: with what was not tested, and whether a control holds."""
    control = row.arm in arms and arms[row.arm].add in CONTROLS
    text = row.verdict
    if control and text not in ("helps", "hurts"):
        return "includes 0, as it must"
    return text if row.other_photos else f"{text}, other photos not tested"


def list_shots(rows: Sequence[GainRow]) -> list[int]:
    """The numbers of shots in their order."""
    return sorted({row.shots for row in rows})
