"""The answer in words: one arm at one number of shots, or many."""

from collections.abc import Sequence
from typing import Literal

from ..results import GainRow
from ..summary import SAME_STEPS
from .chosen import shots_of, stands
from .figures import listed, percent, points, shots_text, size_span, span

Mood = Literal["helps", "hurts", "cannot tell", "mixed"]
Said = tuple[Mood, str, str]  # the mood, the lead of the sentence, and its rest
VERBS = {"helps": "raise", "hurts": "lower"}


def one(row: GainRow) -> Said:
    """What a single gain of synthetic images says."""
    where = f"with {shots_text(row.shots)} ({row.arm}){against([row])}"
    if row.verdict == "cannot tell":
        size = f"{points(row.gain)} points of {row.metric}"
        said = f"{size} (95 % interval {span(row.low, row.high)}) {where}; {to_tell(row)}."
        return "cannot tell", "Cannot tell", said
    size = f"{abs(row.gain):.1f} points (95 % interval {size_span(row.low, row.high)})"
    change = f"from {percent(row.baseline)} to {percent(row.value)}"
    lead = "Yes" if row.verdict == "helps" else "No"
    said = f"synthetic images {VERBS[row.verdict]} {row.metric} by {size}, {change}, {where}."
    return row.verdict, lead, said


def to_tell(row: GainRow) -> str:
    """How many draws would tell a gain that cannot be told."""
    if row.draws_to_tell:
        return f"about {row.draws_to_tell:,} draws would tell a gain of this size"
    return "more draws alone would not tell a gain of this size"


def against(rows: Sequence[GainRow]) -> str:
    """What gains are against, where that is not real only for all of them."""
    if all(row.against == "real only" for row in rows):
        return ""
    if all(row.against == SAME_STEPS for row in rows):
        return ", against real only at the same number of steps"
    return ", each against real images trained in the same way"


def many(rows: Sequence[GainRow]) -> Said:
    """What the gains of several arms or numbers of shots say, those of one outcome together."""
    groups: dict[Mood, list[GainRow]] = {}
    for shots in shots_of(rows):
        of_shots = [row for row in rows if row.shots == shots]
        groups.setdefault(_outcome(of_shots), []).extend(of_shots)
    parts = [_clause(group, first=not place) for place, group in enumerate(groups.values())]
    mood, lead = _lead(rows, set(groups))
    chance = f"; among {len(rows)} comparisons that may be chance" if lead == "Perhaps" else ""
    return mood, lead, "; ".join(parts) + chance + against(rows) + "."


def _outcome(rows: Sequence[GainRow]) -> Mood:
    verdicts = {row.verdict for row in rows}
    return "helps" if "helps" in verdicts else "hurts" if "hurts" in verdicts else "cannot tell"


def _lead(rows: Sequence[GainRow], outcomes: set[Mood]) -> tuple[Mood, str]:
    helping = [row for row in rows if row.verdict == "helps"]
    if not helping:
        return ("hurts", "No") if "hurts" in outcomes else ("cannot tell", "Cannot tell")
    if not any(stands(row, len(rows)) for row in helping):
        return "cannot tell", "Perhaps"
    if len(helping) == len(rows):
        return "helps", "Yes"
    if outcomes == {"helps"}:
        return "helps", "Yes, added in the right way"
    return "mixed", "It depends on the number of real images"


def _clause(rows: Sequence[GainRow], first: bool) -> str:
    """What is to be said of some numbers of shots; the first clause names what is counted."""
    shots = shots_of(rows)
    where = shots_text(*shots) if first else listed([f"{count:,}" for count in shots])
    said = _of_arm if len({row.arm for row in rows}) == 1 else _of_arms
    return f"with {where}, {said(rows, first)}"


def _of_arm(rows: Sequence[GainRow], first: bool) -> str:
    subject = "synthetic images" if first else "they"
    interval = f" ({span(rows[0].low, rows[0].high)})" if len(rows) == 1 else ""
    sizes = listed([points(row.gain) for row in rows]) + f" points{interval}"
    verb = VERBS.get(rows[0].verdict)
    if verb is None:
        return f"{subject} make no difference that can be told: {sizes}"
    return f"{subject} {verb} {rows[0].metric}: {sizes}"


def _of_arms(rows: Sequence[GainRow], first: bool) -> str:
    ways = f" of {len({row.arm for row in rows})} ways of adding synthetic images" if first else ""
    outcome, hurting = _outcome(rows), _counts(rows, "hurts")
    if outcome == "cannot tell":
        return f"none{ways} makes a difference that can be told"
    hurt = f", and {hurting} {'hurts' if hurting == '1' else 'hurt'}" if hurting else ""
    if outcome == "hurts":
        return f"none{ways} helps{hurt}"
    best = max((row for row in rows if row.verdict == "helps"), key=lambda row: row.low)
    helping = _counts(rows, "helps")
    where = f" with {best.shots:,}" if len(shots_of(rows)) > 1 else ""
    size = f"{best.gain:.1f} points of {best.metric}{where}"
    interval = f"{size_span(best.low, best.high)}; {best.arm}"
    verb = "helps" if helping == "1" else "help"
    return f"{helping}{ways} {verb}, at best by {size} ({interval}){hurt}"


def _counts(rows: Sequence[GainRow], verdict: str) -> str:
    """How many arms of each number of shots have a verdict; empty when none has."""
    counts = [
        sum(row.verdict == verdict for row in rows if row.shots == shots)
        for shots in shots_of(rows)
    ]
    return listed([str(count) for count in counts]) if any(counts) else ""
