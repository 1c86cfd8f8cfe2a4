"""The learner that a recipe names, opened in one place: whatever learns is plugged in here."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...core.cache import cache_folder
from .backbones import Backbone, open_backbone_named
from .features import file_features
from .head import head_learner
from .learner import Learner
from .material import Material
from .recipe import MeasureRecipe

Step = Callable[[str, int, int], None]  # what is being done, how many are done, of how many


@dataclass(frozen=True)
class Opened:
    """A learner bound to the images of a measurement.

    Its `learner.name` is all that decides a run beside its plan and options: runs of one name are
    taken for each other. `net`: what it rests on, with its version. `notes`: what a reader of
    results must know of it.
    """

    learner: Learner
    net: str
    notes: tuple[str, ...]


def open_learner(recipe: MeasureRecipe, material: Material, step: Step) -> Opened:
    """The learner of a recipe. Raises InputError when its net is missing."""
    backbone, features = open_features(recipe, material, step)
    table = material.table
    learner = head_learner(features, table.labels, len(table.classes), f"on {backbone.id}")
    return Opened(learner, backbone.id, (backbone.note,))


def open_features(
    recipe: MeasureRecipe, material: Material, step: Step
) -> tuple[Backbone, np.ndarray]:
    """The frozen net of a recipe, and its features (n, d) of all images."""
    backbone = open_backbone_named(recipe.backbone)
    folder = recipe.cache or cache_folder() / "features"
    paths = [example.path for example in material.examples]
    features, _ = file_features(
        paths, backbone, folder, lambda done, of: step("features", done, of)
    )
    return backbone, features
