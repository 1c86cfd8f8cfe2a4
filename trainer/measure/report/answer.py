"""The answer in one sentence, and what has to stand right below it."""

from collections.abc import Sequence
from dataclasses import dataclass

from ....core.counted import in_percent, pluralize
from ..arms import REAL_ONLY
from ..gain import room_left
from ..measure_results import GainRow, Results
from .chosen import select_rows, strictest
from .sample_figures import join_list, points, shots_text, span
from .sentence import VERBS, Mood, many, one

SHARED_MUCH = 0.2  # of the photos of two draws


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
    rows = select_rows(results, "synthetic")
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
    done = pluralize(len(results.runs), "run")
    return Answer(
        "cannot tell",
        "Not finished",
        f"{done} done. Gains are shown at the end; measure the same recipe again to continue.",
    )


def _without_synthetic(results: Results) -> Answer:
    best = max(strictest(results.gains), key=lambda row: row.low)
    size = f"{points(best.gain)} points ({span(best.low, best.high)})"
    alone = "" if best.other_photos else "; other photos were not tested"
    helps = best.verdict == "helps"
    surest = "" if helps else "none clearly helps; the surest is "
    does = " helps most clearly" if helps else ""
    where = f"{size} with {shots_text(best.shots)}{alone}"
    rest = f"of the other arms, {surest}{best.arm}{does}, {where}."
    mood: Mood = "cannot tell" if best.verdict == "no difference" else best.verdict
    asides = [*_note_passed(results), *_sharing(results)]
    lead = "No synthetic images were measured"
    return Answer(mood, lead, rest, tuple(_warnings(results)), tuple(asides))


def _warnings(results: Results) -> list[str]:
    """Controls that did not come out as they must, and draws that are no draws."""
    same = [row for row in select_rows(results, "same") if row.verdict in VERBS]
    wrong = [row for row in select_rows(results, "shuffled") if row.verdict == "helps"]
    return [
        *_warn_repeated(results),
        *(_warn_failed(row, "which adds nothing new") for row in same),
        *(_warn_failed(row, "whose labels are wrong") for row in wrong),
    ]


def _warn_failed(row: GainRow, why: str) -> str:
    size = f"{row.verdict} by {points(row.gain)} points with {shots_text(row.shots)}"
    return f"A control failed: {row.arm}, {why}, {size}. Do not trust the other gains."


def _warn_repeated(results: Results) -> list[str]:
    """Files of earlier versions may count one set of photos as many draws."""
    warnings = []
    for shots in dict.fromkeys(row.shots for row in results.gains):
        photo_sets = [frozenset(draw.images) for draw in results.draws if draw.shots == shots]
        counted_as = max(row.draws for row in results.gains if row.shots == shots)
        if len(set(photo_sets)) < min(len(photo_sets), counted_as):
            warnings.append(
                f"The {counted_as} draws of {shots_text(shots)} hold {len(set(photo_sets))} "
                "different sets of photos: their intervals are too narrow. Measure the recipe "
                "again."
            )
    return warnings


def _note_passed(results: Results) -> list[str]:
    """Controls that came out as they must."""
    same = [row for row in select_rows(results, "same") if row.verdict not in VERBS]
    wrong = [row for row in select_rows(results, "shuffled") if row.verdict != "helps"]
    return [
        f"The control {row.arm}: {points(row.gain)} points ({span(row.low, row.high)}) with "
        f"{shots_text(row.shots)}; {room_left(row.low, row.high)}."
        if row.verdict != "hurts"
        else f"The control {row.arm} hurts, as wrong labels should: {points(row.gain)} "
        f"points ({span(row.low, row.high)}) with {shots_text(row.shots)}."
        for row in (*same, *wrong)
    ]


def _sharing(results: Results) -> list[str]:
    """How far draws are the same photos, where that widens intervals much."""
    shared = {row.shots: row.shared for row in results.gains if row.other_photos}
    return [
        f"Two draws of {shots_text(shots)} share {in_percent(share)} of their photos on "
        "average; intervals are widened accordingly."
        for shots, share in shared.items()
        if share >= SHARED_MUCH
    ]


def _asides(results: Results, rows: Sequence[GainRow]) -> list[str]:
    asides = []
    for arm in dict.fromkeys(row.arm for row in select_rows(results, "real")):
        of_arm = [row for row in select_rows(results, "real") if row.arm == arm]
        sizes = [f"{points(of_arm[0].gain)} points with {shots_text(of_arm[0].shots)}"]
        sizes += [f"{points(row.gain)} with {row.shots:,}" for row in of_arm[1:]]
        asides.append(f"For comparison, {arm}: {join_list(sizes)}.")
    if sum(row.verdict == "helps" for row in rows) > 1:
        asides.append("The best of several arms, picked after the fact, looks better than it is.")
    return [*asides, *_note_passed(results), *_sharing(results)]
