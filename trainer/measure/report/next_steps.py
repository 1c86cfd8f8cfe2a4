"""What to try next, by what came out."""

from collections.abc import Iterator, Sequence

from ..arms import Arm
from ..measure_results import GainRow, Results
from .answer import is_finished
from .chosen import arms_by_name, select_rows
from .sample_figures import join_list

FEW_DRAWS = 5
MANY_DRAWS = 200  # more than that is no advice


def list_next_steps(results: Results) -> list[str]:
    """Sentences of advice, the most useful first; each names the key of the recipe to change."""
    if not is_finished(results):
        return ["Run 'manyshot measure' with the same recipe again: finished runs are kept."]
    arms, rows = list(arms_by_name(results).values()), select_rows(results, "synthetic")
    if not rows:
        return ["Name a folder of synthetic images under 'synthetic' and add arms to compare."]
    return [
        *_on_controls(results, arms),
        *_on_outcome(rows, arms),
        *_on_draws(rows),
        *_on_classes(rows),
        *_on_policies(arms),
    ]


def _on_controls(results: Results, arms: Sequence[Arm]) -> Iterator[str]:
    controls = [row for kind in ("same", "shuffled") for row in select_rows(results, kind)]
    if any(row.verdict == "helps" for row in controls):
        yield (
            "A control gained: look for test images among what was added, measure more draws, and "
            "use no gain of this report before controls include 0."
        )
    elif not controls:
        yield (
            "Add the controls '{add: same}' and '{add: shuffled}' to 'arms': if they gain too, the "
            "gain does not come from the images."
        )
    if not any(arm.add == "real" for arm in arms):
        yield (
            "If you have more photos, add '{add: real}' to 'arms': it tells what as many real "
            "images would gain."
        )


def _on_outcome(rows: Sequence[GainRow], arms: Sequence[Arm]) -> Iterator[str]:
    verdicts = {row.verdict for row in rows}
    if "helps" in verdicts:
        best = max((row for row in rows if row.verdict == "helps"), key=lambda row: row.low)
        yield f"To use the gain, train your own model with the mix of the arm {best.arm!r}."
    if verdicts <= {"hurts", "cannot tell", "no difference"}:
        yield (
            "Look at the images beside the real ones. Reject bad ones with 'manyshot reject', or "
            "change prompts, checkpoint or subjects, and measure again."
        )
    mixes = {(arm.ratio, arm.each, arm.mixing) for arm in arms if arm.add == "synthetic"}
    if len(mixes) == 1:
        yield (
            "Compare other mixes: '{ratio: 25}', '{ratio: 400}', '{mixing: pretrain}', or "
            "'{ratio: auto}', which may add nothing."
        )


def _on_draws(rows: Sequence[GainRow]) -> Iterator[str]:
    needed = [row.draws_to_tell for row in rows if row.draws_to_tell]
    if needed and min(needed) <= MANY_DRAWS:
        yield f"Raise 'draws' to {min(needed):,} for a clear answer: finished runs are kept."
    elif needed:
        yield (
            f"A gain of this size would take about {min(needed):,} draws: more or other images "
            "are worth more than more draws."
        )
    if not any(row.other_photos for row in rows):
        yield (
            "Add photos, so that each class has more than 'shots', and set 'draws' to "
            f"{FEW_DRAWS} or more: then intervals cover other photos as well."
        )


def _on_classes(rows: Sequence[GainRow]) -> Iterator[str]:
    losing = [row for row in rows if any(high < 0 for _, high in row.class_bounds or ())]
    if losing:
        shots = join_list(sorted({f"{row.shots:,}" for row in losing}))
        yield (f"Some classes lose (with {shots} shots): look at their synthetic images first.")


def _on_policies(arms: Sequence[Arm]) -> Iterator[str]:
    if all(arm.policy == "none" for arm in arms):
        yield (
            "Compare with plain augmentation, which costs nothing: '{add: nothing, policy: ...}' "
            "and the same 'policy' with 'add: synthetic'."
        )
