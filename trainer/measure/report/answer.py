"""The answer in one sentence, and what has to stand right below it."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..arms import REAL_ONLY
from ..results import GainRow, Results
from .chosen import rows_of, strictest
from .figures import counted, listed, points, shots_text, span
from .sentence import Mood, many, one


@dataclass(frozen=True)
class Answer:
    """`lead` and `rest` make the sentence. `warnings`: why to distrust it; `asides`: to read it."""

    mood: Mood
    lead: str
    rest: str
    warnings: tuple[str, ...] = ()
    asides: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """Lead and rest in one."""
        return f"{self.lead}: {self.rest}"


def answer(results: Results) -> Answer:
    """What a measurement says, whatever it holds: many arms, one, none, or no end yet."""
    if not results.gains:
        return _without_gains(results)
    rows = rows_of(results, "synthetic")
    if not rows:
        return _without_synthetic(results)
    mood, lead, rest = one(rows[0]) if len(rows) == 1 else many(rows)
    return Answer(mood, lead, rest, tuple(_warnings(results)), tuple(_asides(results, rows)))


def is_finished(results: Results) -> bool:
    """Whether all runs are there: gains are written last, and real only alone has none."""
    return bool(results.gains) or (
        bool(results.runs) and all(run.config.arm == REAL_ONLY for run in results.runs)
    )


def _without_gains(results: Results) -> Answer:
    if is_finished(results):
        return Answer("cannot tell", "Nothing to compare", "only real images were measured.")
    done = counted(len(results.runs), "run")
    return Answer(
        "cannot tell",
        "Not finished",
        f"{done} done, and gains are told at the end; measuring the same recipe goes on.",
    )


def _without_synthetic(results: Results) -> Answer:
    best = max(strictest(results.gains), key=lambda row: row.low)
    size = f"{points(best.gain)} points ({span(best.low, best.high)})"
    rest = f"of what was, {best.arm} does best, {size} with {shots_text(best.shots)}."
    return Answer(
        best.verdict, "No synthetic images were measured", rest, tuple(_warnings(results))
    )


def _warnings(results: Results) -> list[str]:
    """Controls that did not come out as they must."""
    same = [row for row in rows_of(results, "same") if row.verdict != "cannot tell"]
    wrong = [row for row in rows_of(results, "shuffled") if row.verdict == "helps"]
    return [_failed(row, "which adds nothing new") for row in same] + [
        _failed(row, "whose labels are wrong") for row in wrong
    ]


def _failed(row: GainRow, why: str) -> str:
    size = f"{row.verdict} by {points(row.gain)} points with {shots_text(row.shots)}"
    return f"A control failed: {row.arm}, {why}, {size}. Do not trust the other gains."


def _asides(results: Results, rows: Sequence[GainRow]) -> list[str]:
    found = []
    for arm in dict.fromkeys(row.arm for row in rows_of(results, "real")):
        of_arm = [row for row in rows_of(results, "real") if row.arm == arm]
        sizes = [f"{points(of_arm[0].gain)} points with {shots_text(of_arm[0].shots)}"]
        sizes += [f"{points(row.gain)} with {row.shots:,}" for row in of_arm[1:]]
        found.append(f"The yardstick, {arm}: {listed(sizes)}.")
    if sum(row.verdict == "helps" for row in rows) > 1:
        found.append("The best of several arms, picked after the fact, looks better than it is.")
    return found
