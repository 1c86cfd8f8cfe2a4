"""The answer in words: one arm at one number of shots, or many."""

from collections.abc import Sequence
from typing import Literal

from ..gain import more_draws
from ..measure_results import GainRow
from ..summary import SAME_STEPS
from .chosen import list_shots, stands
from .sample_figures import join_list, percent, points, shots_text, size_span, span

Mood = Literal["helps", "hurts", "cannot tell", "mixed"]
Said = tuple[Mood, str, str]  # the mood, the lead of the sentence, and its rest
DEPENDS = "It depends on the number of real images"
VERBS: dict[str, str] = {"helps": "raise", "hurts": "lower"}


def one(row: GainRow) -> Said:
    """What a single gain of synthetic images says."""
    where = f"with {shots_text(row.shots)} ({row.arm}){against([row])}"
    covers = "" if row.other_photos else ", for other test images alone"
    if row.verdict not in ("helps", "hurts"):
        size = f"{points(row.gain)} points of {row.metric}"
        lead = "Cannot tell" if row.verdict == "cannot tell" else "Nothing was added"
        rest = f"{size} (95 % interval {span(row.low, row.high)}{covers}) {where}{_why(row)}."
        return "cannot tell", lead + list_untested([row]), rest
    size = f"{abs(row.gain):.1f} points (95 % interval {size_span(row.low, row.high)}{covers})"
    change = f"from {percent(row.baseline)} to {percent(row.value)}"
    lead = ("Yes" if row.verdict == "helps" else "No") + list_untested([row])
    rest = f"synthetic images {VERBS[row.verdict]} {row.metric} by {size}, {change}, {where}."
    mood: Mood = row.verdict if row.other_photos else "mixed"
    return mood, lead, rest


def list_untested(rows: Sequence[GainRow]) -> str:
    """What the lead has to say where no other photos were tested."""
    if any(row.other_photos for row in rows):
        return ""
    if all(row.verdict in VERBS for row in rows):
        return ", with these photos; others were not tested"
    return "; other photos were not tested"


def _why(row: GainRow) -> str:
    if row.verdict == "no difference":
        return "; no synthetic images were added in any draw"
    return f"; {more_draws(row)}" if row.other_photos else ""


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
    for shots in list_shots(rows):
        of_shots = [row for row in rows if row.shots == shots]
        groups.setdefault(_outcome(of_shots), []).extend(of_shots)
    parts = [_clause(group, first=not place) for place, group in enumerate(groups.values())]
    mood, lead = _lead(rows, set(groups))
    chance = f"; among {len(rows)} comparisons, that may be chance" if lead == "Perhaps" else ""
    rest = "; ".join(parts) + chance + against(rows) + _list_untested_shots(rows) + "."
    mood = "mixed" if list_untested(rows) and mood != "cannot tell" else mood
    return mood, lead + list_untested(rows), rest


def _list_untested_shots(rows: Sequence[GainRow]) -> str:
    """The numbers of shots at which no other photos were tested, where there are others."""
    shots = [f"{count:,}" for count in list_shots([row for row in rows if not row.other_photos])]
    if not shots or list_untested(rows):
        return ""
    return f"; with {join_list(shots)}, other photos were not tested"


def _outcome(rows: Sequence[GainRow]) -> Mood:
    verdicts = {row.verdict for row in rows}
    return "helps" if "helps" in verdicts else "hurts" if "hurts" in verdicts else "cannot tell"


def _lead(rows: Sequence[GainRow], outcomes: set[Mood]) -> tuple[Mood, str]:
    helping = [row for row in rows if row.verdict == "helps"]
    if not helping:
        return _lead_without_help(rows)
    if not any(stands(row, len(rows)) for row in helping):
        return "cannot tell", "Perhaps"
    if len(helping) == len(rows):
        return "helps", "Yes"
    if outcomes == {"helps"}:
        return "helps", "Yes, added in some ways"
    # Where one number helps and another cannot be told, that is no difference between the two:
    # Gelman and Stern 2006, "The Difference Between 'Significant' and 'Not Significant' is not
    # Itself Statistically Significant".
    depends = "hurts" in outcomes
    return "mixed", DEPENDS if depends else "Yes, with some numbers of real images"


def _lead_without_help(rows: Sequence[GainRow]) -> tuple[Mood, str]:
    verdicts = {row.verdict for row in rows}
    if "hurts" not in verdicts:
        return "cannot tell", "Cannot tell"
    return "hurts", "No" if verdicts == {"hurts"} else "No, as far as this measurement can tell"


def _clause(rows: Sequence[GainRow], first: bool) -> str:
    """What is to be said of some numbers of shots; the first clause names what is counted."""
    shots = list_shots(rows)
    where = shots_text(*shots) if first else join_list([f"{count:,}" for count in shots])
    clause = _of_arm if len({row.arm for row in rows}) == 1 else _of_arms
    return f"with {where}, {clause(rows, first)}"


def _of_arm(rows: Sequence[GainRow], first: bool) -> str:
    subject = "synthetic images" if first else "they"
    interval = f" ({span(rows[0].low, rows[0].high)})" if len(rows) == 1 else ""
    sizes = join_list([points(row.gain) for row in rows]) + f" points{interval}"
    verb = VERBS.get(rows[0].verdict)
    if verb is None:
        effect = "the effect of synthetic images" if first else "their effect"
        return f"{effect} is unclear: {sizes}"
    return f"{subject} {verb} {rows[0].metric}: {sizes}"


def _of_arms(rows: Sequence[GainRow], first: bool) -> str:
    ways = f" of {len({row.arm for row in rows})} ways of adding synthetic images" if first else ""
    outcome, hurting = _outcome(rows), _counts(rows, "hurts")
    if outcome == "cannot tell":
        return f"the effect{ways} is unclear"
    verb = "hurts" if hurting == "1" else "hurt"
    if outcome == "hurts":
        unclear = any(row.verdict != "hurts" for row in rows)
        return f"{hurting}{ways} {verb}" + (", and none clearly helps" if unclear else "")
    hurt = f", and {hurting} {verb}" if hurting else ""
    best = max((row for row in rows if row.verdict == "helps"), key=lambda row: row.low)
    helping = _counts(rows, "helps")
    where = f" with {best.shots:,}" if len(list_shots(rows)) > 1 else ""
    size = f"{best.gain:.1f} points of {best.metric}{where}"
    interval = f"{size_span(best.low, best.high)}; {best.arm}"
    verb = "helps" if helping == "1" else "help"
    return f"{helping}{ways} {verb}, at best by {size} ({interval}){hurt}"


def _counts(rows: Sequence[GainRow], verdict: str) -> str:
    """How many arms of each number of shots have a verdict; empty when none has."""
    counts = [
        sum(row.verdict == verdict for row in rows if row.shots == shots)
        for shots in list_shots(rows)
    ]
    return join_list([str(count) for count in counts]) if any(counts) else ""
