"""What a reader of results must know beside the figures, in sentences."""

from collections.abc import Sequence

import numpy as np

from ...core.cache import cache_folder
from ...core.errors import InputError
from .draws import draw_shots
from .grid import Grid
from .material import Material
from .overlap import kept_overlap, overlap_sentence, refuse_overlap
from .recipe import MeasureRecipe
from .sources import Dataset, Example
from .table import Table
from .thesis import DIFFERS


def notes_on_synthetic(
    recipe: MeasureRecipe, data: Dataset, synthetic: Sequence[Example], table: Table
) -> list[str]:
    """What is to be known of the synthetic images.

    Raises InputError when they repeat the test split, or were made from images of it, and the
    recipe does not allow it.
    """
    if not synthetic or recipe.synthetic is None:
        return []
    leaked = np.isin(table.source, table.test).sum() if table.source is not None else 0
    if leaked and not recipe.allow_overlap:
        raise InputError(
            f"{leaked:,} of the images of {recipe.synthetic} were made from test images. A gain on "
            "them would be a leak: take them out, or write 'allow_overlap: true' to measure all "
            "the same."
        )
    found = kept_overlap(synthetic, data.test, data.real, recipe.cache or cache_folder())
    if not recipe.allow_overlap:
        refuse_overlap(found, recipe.synthetic)
    return [overlap_sentence(found, recipe.synthetic), *_on_sources(synthetic, table)]


def _on_sources(synthetic: Sequence[Example], table: Table) -> list[str]:
    """What synthetic images were made from, beside words."""
    found: list[str] = []
    sources = np.full(1, -1) if table.source is None else table.source[table.synthetic]
    known = int((sources >= 0).sum())
    if known:
        found.append(
            f"{known:,} of the synthetic images were made from real ones; they are added only to "
            "draws that hold those."
        )
    named = sum(example.source is not None for example in synthetic)
    if named > known:
        found.append(
            f"{named - known:,} of the synthetic images were made from pictures that are not among "
            "the real ones. If those show real images all the same, the gain is in part that of "
            "more real images, and `auto` may choose too boldly."
        )
    learned = sum(example.subject is not None for example in synthetic)
    if learned:
        found.append(
            f"{learned:,} of the synthetic images were made with a learned subject. If it was "
            "learned from real images that a draw does not hold, the gain is in part theirs, and "
            "`auto` may choose too boldly."
        )
    return found


def notes_on_runs(recipe: MeasureRecipe, material: Material, grid: Grid) -> list[str]:
    """What is to be known of the draws, the protocol, and what was not controlled."""
    found = [
        "Intervals are of 95 % each, and not widened for the number of arms.",
        "Draws are taken from the same real images and overlap; an interval speaks of further "
        "draws from these images, and of further test images.",
        "The synthetic images are one folder; other images of the same generator may do "
        "differently.",
    ]
    if material.repeated:
        found.append(f"{material.repeated:,} test images are also among the real images.")
    found += _on_draws(material.table, grid)
    return [*found, DIFFERS] if recipe.protocol == "thesis" else found


def _on_draws(table: Table, grid: Grid) -> list[str]:
    """How much of the draws the generator has learned from."""
    if not table.seen.any():
        return []
    found: list[str] = []
    for count in grid.shots:
        draws = [draw_shots(table, count, seed) for seed in range(grid.draws)]
        seen = float(np.mean([table.seen[draw.shots].mean() for draw in draws]))
        fresh = "draws hold only images that the generator has not learned from."
        known = f"the generator has learned from {seen:.0%} of the real images of the draws."
        found.append(f"{count} shots: {known if seen else fresh}")
    return found
