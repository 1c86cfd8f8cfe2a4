"""The segmenter of a recipe, bound to the pairs of its measurement."""

import numpy as np

from ....core.counted import in_percent
from ....core.masks.label_mask import IGNORE
from ..learner import Learner, Step
from ..material import Material
from ..measure_recipe import MeasureRecipe
from ..noise_filter import KEPT
from .mismatched import map_files
from .pair_agreement import ALPHA
from .pair_cache import Pairs, check_classes, read_store
from .pair_data import Pair, resolve_code, with_codes
from .segmentation_learner import segmenter_learner

TRUSTED = (
    "Filtered pairs are checked by a segmenter trained for as many steps on the draw's real "
    f"pairs alone. 'Noise ignored' skips pixels whose loss exceeds {ALPHA:g} times the mean "
    "of their class in those real pairs; 'worst dropped' takes as many pairs from the "
    f"{in_percent(KEPT)} that it agrees with best."
)


def open_segmenter(
    recipe: MeasureRecipe, material: Material, step: Step
) -> tuple[Learner, tuple[str, ...], tuple[str, ...]]:
    """The learner, the classes that masks show, and what a reader of results must know.

    Raises InputError for masks that cannot be learned from, and when the net is missing.
    """
    table, segmenter = material.table, recipe.segmenter
    count = len(table.labels) - (0 if table.mismatched is None else len(table.mismatched))
    pairs = [example for example in material.examples[:count] if isinstance(example, Pair)]
    assert recipe.data.path is not None  # the recipe has checked it
    real = [pairs[row] for row in (*table.real, *table.test)]
    code = resolve_code(recipe.data, real)
    synthetic = with_codes(recipe.data, [pairs[row] for row in table.synthetic], code)
    for row, pair in zip(table.synthetic, synthetic, strict=True):
        pairs[row] = pair
    images, masks = read_store(pairs, code, segmenter.size, step)
    check_classes(masks[table.test], code, recipe.data.path)
    stored_pairs = Pairs(code, images, masks, *map_files(table))
    learner = segmenter_learner(stored_pairs, segmenter, step)
    return learner, code.classes, notes_on_pairs(recipe, masks)


def notes_on_pairs(recipe: MeasureRecipe, masks: np.ndarray) -> tuple[str, ...]:
    """What is to be known of the segmenter and of the masks."""
    segmenter = recipe.segmenter
    caveats = [
        f"Every pair is stretched to {segmenter.size} x {segmenter.size} pixels and "
        "measured at that size.",
        "Each test image contributes to the mean IoU by its linear part (the influence "
        "function), so that intervals also cover other test images.",
    ]
    if any(arm.trust != "none" for arm in recipe.arms):
        caveats.append(TRUSTED)
    ignored = float((masks == IGNORE).mean())
    if ignored:
        caveats.append(
            f"{in_percent(ignored, 1)} of the pixels are ignored, in training and in all figures."
        )
    if len(segmenter.rates) == 1:
        caveats.append(
            "Learning rate and decay come from the recipe or the defaults; they were "
            "not tuned on these images."
        )
    if not segmenter.pretrained:
        caveats.append("The segmenter is trained from scratch, without pretrained weights.")
    return tuple(caveats)
