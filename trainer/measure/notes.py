"""What a reader of results must know beside the figures, in sentences."""

from collections.abc import Sequence

from .draws import draw_shots
from .grid import Grid
from .material import Material
from .overlap import find_overlap, overlap_sentence, refuse_overlap
from .recipe import MeasureRecipe
from .sources import Dataset, Example
from .thesis import DIFFERS


def notes_on_synthetic(
    recipe: MeasureRecipe, data: Dataset, synthetic: Sequence[Example]
) -> list[str]:
    """What is to be known of the synthetic images.

    Raises InputError when they repeat the test split and the recipe does not allow it.
    """
    if not synthetic or recipe.synthetic is None:
        return []
    found = find_overlap(synthetic, data.test, data.real)
    if not recipe.allow_overlap:
        refuse_overlap(found, recipe.synthetic)
    notes = [overlap_sentence(found, recipe.synthetic)]
    derived = sum(example.derived for example in synthetic)
    if derived:
        notes.append(
            f"{derived:,} of the synthetic images were made from pictures or with a learned "
            "subject. If those come from real images that a draw does not hold, the gain is in "
            "part that of more real images, and `auto` may choose too boldly."
        )
    return notes


def notes_on_runs(recipe: MeasureRecipe, material: Material, grid: Grid) -> list[str]:
    """What is to be known of the draws, the protocol, and what was not controlled."""
    table = material.table
    found = [
        "Intervals are of 95 % each, and not widened for the number of arms.",
        "Draws are taken from the same real images and overlap; an interval speaks of further "
        "draws from these images, and of further test images.",
        "The synthetic images are one folder; other images of the same generator may do "
        "differently.",
    ]
    if material.repeated:
        found.append(f"{material.repeated:,} test images are also among the real images.")
    fresh = table.real[~table.seen[table.real]]
    unseen = min(len(table.of_class(fresh, c)) for c in range(len(table.classes)))
    for count in grid.shots:
        draw = draw_shots(table, count, seed=0)
        seen = int(table.seen[draw.shots].sum())
        if seen:
            found.append(
                f"{count} shots: the generator has learned from {seen:,} of the "
                f"{len(draw.shots):,} real images of each draw."
            )
        if unseen and count == unseen and table.seen.any():
            found.append(f"{count} shots: all draws hold the same images, the only unseen ones.")
    return [*found, DIFFERS] if recipe.protocol == "thesis" else found
