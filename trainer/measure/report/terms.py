"""The words of a report that its reader may not know, explained beside the figures."""

from collections.abc import Mapping

from ..arms import Arm
from ..measure_results import Results
from .chosen import arms_by_name


def list_terms(results: Results) -> list[tuple[str, str]]:
    """Term and meaning of each that this report uses, in the order in which a reader meets them."""
    if not results.gains:
        return []
    arms = arms_by_name(results)
    terms = [
        (
            "arm",
            "one way to train: real images alone, or with something added. Nothing else differs.",
        ),
        ("real only", "the arm that the others are compared with: the real images of a draw."),
        *_amounts(arms),
        *_explain_added(arms),
        ("shots", "real images of each class that a training gets."),
        ("draw", "one random choice of these images. Each draw is trained with every arm."),
        ("seed", "one training of an arm on a draw. Seeds differ in their random numbers alone."),
        (
            "gain in points",
            f"{results.gains[0].metric} of the arm minus that of real only, in percentage points: "
            "from 50 % to 54 % are 4 points.",
        ),
        (
            "95 % interval",
            "the gains that fit what was seen. If it includes 0, the measurement cannot tell "
            "whether the arm helps.",
        ),
    ]
    if any(row.draws_to_tell for row in results.gains):
        terms.append(
            ("draws needed", "about how many draws would detect a gain of the size that was seen.")
        )
    return terms


def _amounts(arms: Mapping[str, Arm]) -> list[tuple[str, str]]:
    """The first amount that an arm adds, such as "100 %"."""
    added = [arm for arm in arms.values() if arm.add != "nothing"]
    ratio = next((a.ratio for a in added if a.each is None and not isinstance(a.ratio, str)), None)
    if ratio is None:
        return []
    of_ten = f"{ratio / 10:.3g}"
    are = "is" if of_ten == "1" else "are"
    return [
        (f"{ratio:g} %", f"added images in percent of the real ones: for 10, {of_ten} {are} added.")
    ]


def _explain_added(arms: Mapping[str, Arm]) -> list[tuple[str, str]]:
    meanings = {
        "real": ("extra real", "more real images, for comparison: what photos would have gained."),
        "same": ("same real", "the same real images again: a control that must not gain."),
        "shuffled": ("shuffled labels", "images with wrong labels: a control that must not gain."),
    }
    kinds = dict.fromkeys(arm.add for arm in arms.values())
    terms = [meanings[kind] for kind in kinds if kind in meanings]
    if any(arm.ratio == "auto" for arm in arms.values()):
        terms.append(
            ("auto", "chooses how much to add, and how, within the real images; maybe nothing.")
        )
    return terms
