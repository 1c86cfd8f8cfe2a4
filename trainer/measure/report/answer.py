"""The answer in one sentence, and what has to stand right below it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..arms import REAL_ONLY
from ..results import GainRow, Results
from ..summary import SAME_STEPS
from .chosen import rows_of, shots_of, stands
from .figures import counted, listed, percent, points, size_span, span

Mood = Literal["helps", "hurts", "cannot tell", "mixed"]


@dataclass(frozen=True)
class Answer:
    """`lead` and `rest` make the sentence. `warnings`: reasons to distrust it; `asides`: to it."""

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
    rows = rows_of(results, "synthetic")
    if not results.gains:
        return _without_gains(results)
    if not rows:
        return _without_synthetic(results)
    mood, lead, rest = _one(rows[0]) if len(rows) == 1 else _many(rows)
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
        f"{done} done, and gains are told at the end; `manyshot measure` with the same recipe "
        "goes on.",
    )


def _without_synthetic(results: Results) -> Answer:
    best = max(results.gains, key=lambda row: row.low)
    said = f"{points(best.gain)} points ({span(best.low, best.high)}) with {shots_text(best.shots)}"
    return Answer(
        best.verdict,
        "No synthetic images were measured",
        f"of the other arms, {best.arm} does best, {said}.",
        tuple(_warnings(results)),
    )


def shots_text(*shots: int) -> str:
    """ "1 real image of each class", "1 and 5 real images of each class"."""
    thing = "image" if shots == (1,) else "images"
    return f"{listed([f'{count:,}' for count in shots])} real {thing} of each class"


def _one(row: GainRow) -> tuple[Mood, str, str]:
    where = f"with {shots_text(row.shots)} ({row.arm})"
    if row.verdict == "cannot tell":
        said = (
            f"{points(row.gain)} points of {row.metric} (95 % interval {span(row.low, row.high)})"
        )
        return "cannot tell", "Cannot tell", f"{said} {where}; {to_tell(row)}."
    lead, verb = ("Yes", "raise") if row.verdict == "helps" else ("No", "lower")
    size = f"{abs(row.gain):.1f} points (95 % interval {size_span(row.low, row.high)})"
    change = f"from {percent(row.baseline)} to {percent(row.value)}"
    said = f"synthetic images {verb} {row.metric} by {size}, {change}, {where}{_against([row])}."
    return row.verdict, lead, said


def to_tell(row: GainRow) -> str:
    """How many draws would tell a gain that cannot be told, in words."""
    if row.draws_to_tell:
        return f"about {row.draws_to_tell:,} draws would tell a gain of this size"
    return "more draws alone would not tell a gain of this size"


def _against(rows: Sequence[GainRow]) -> str:
    """What the gains are against, where that is not real only for all of them."""
    if all(row.against == "real only" for row in rows):
        return ""
    if all(row.against == SAME_STEPS for row in rows):
        return ", against real only at the same number of steps"
    return ", each against real images trained in the same way"


def _many(rows: Sequence[GainRow]) -> tuple[Mood, str, str]:
    by_shots = {shots: [row for row in rows if row.shots == shots] for shots in shots_of(rows)}
    alike = len({len(group) for group in by_shots.values()}) == 1
    clauses: dict[str, list[int]] = {}  # shots of which the same is to be said
    for shots, group in by_shots.items():
        clauses.setdefault(_clause(group, "" if alike else f" of {len(group)}"), []).append(shots)
    (_, shots), *others = clauses.items()
    group = by_shots[shots[0]]
    said = _clause(group, f" of {len(group)} ways of adding synthetic images")
    parts = [f"with {shots_text(*shots)}, {said}"]
    parts += [f"with {listed([f'{n:,}' for n in shots])}, {said}" for said, shots in others]
    mood, lead = _lead(rows, by_shots)
    chance = f"; among {len(rows)} comparisons that may be chance" if lead == "Perhaps" else ""
    return mood, lead, "; ".join(parts) + chance + _against(rows) + "."


def _clause(rows: Sequence[GainRow], number: str) -> str:
    """What is to be said of one number of shots; `number`: " of 5 ways", if it is to be said."""
    if len(rows) == 1:
        return _only(rows[0])
    helping = [row for row in rows if row.verdict == "helps"]
    hurting = [row for row in rows if row.verdict == "hurts"]
    if len(hurting) == len(rows):
        return f"all{number} hurt"
    if not helping and not hurting:
        return f"none{number} makes a difference that can be told"
    others = f", and {len(hurting)} {_verb(hurting, 'hurt')}" if hurting else ""
    if not helping:
        return f"none{number} helps{others}"
    best = max(helping, key=lambda row: row.low)
    size = f"{best.gain:.1f} points of {best.metric} ({size_span(best.low, best.high)}; {best.arm})"
    many = "all" if len(helping) == len(rows) else f"{len(helping)}"
    return f"{many}{number} {_verb(helping, 'help')}, at best by {size}{others}"


def _only(row: GainRow) -> str:
    if row.verdict == "cannot tell":
        said = f"{points(row.gain)} points, {span(row.low, row.high)}"
        return f"synthetic images make no difference that can be told ({said})"
    verb = "raise" if row.verdict == "helps" else "lower"
    size = f"{abs(row.gain):.1f} points ({size_span(row.low, row.high)})"
    return f"synthetic images {verb} {row.metric} by {size}"


def _verb(rows: Sequence[GainRow], verb: str) -> str:
    return verb + "s" if len(rows) == 1 else verb


def _lead(rows: Sequence[GainRow], by_shots: dict[int, list[GainRow]]) -> tuple[Mood, str]:
    helping = [row for row in rows if row.verdict == "helps"]
    if not helping:
        hurt = any(row.verdict == "hurts" for row in rows)
        return ("hurts", "No") if hurt else ("cannot tell", "Cannot tell")
    if not any(stands(row, len(rows)) for row in helping):
        return "cannot tell", "Perhaps"
    if len(helping) == len(rows):
        return "helps", "Yes"
    if all(any(row.verdict == "helps" for row in group) for group in by_shots.values()):
        return "helps", "Yes, added in the right way"
    return "mixed", "It depends on the number of real images"


def _warnings(results: Results) -> list[str]:
    """Controls that did not come out as they must."""
    found = [
        f"A control failed: {row.arm} must change nothing and {row.verdict} "
        f"({points(row.gain)} points, {shots_text(row.shots)}). Do not trust the other gains."
        for row in rows_of(results, "same")
        if row.verdict != "cannot tell"
    ]
    return found + [
        f"A control failed: {row.arm} helps ({points(row.gain)} points, {shots_text(row.shots)}), "
        "although its labels are wrong. Do not trust the other gains."
        for row in rows_of(results, "shuffled")
        if row.verdict == "helps"
    ]


def _asides(results: Results, rows: Sequence[GainRow]) -> list[str]:
    found = []
    for arm in dict.fromkeys(row.arm for row in rows_of(results, "real")):
        of_arm = [row for row in rows_of(results, "real") if row.arm == arm]
        said = listed([f"{points(row.gain)} points with {row.shots:,}" for row in of_arm])
        found.append(f"The yardstick, {arm}: {said}.")
    if sum(row.verdict == "helps" for row in rows) > 1:
        found.append("The best of several arms, picked after the fact, looks better than it is.")
    return found
