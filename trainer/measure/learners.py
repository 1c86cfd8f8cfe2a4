"""The learner that a recipe names, opened in one place: whatever learns is plugged in here."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ...core.cache import cache_folder
from ...core.counted import pluralize
from .backbones import NOTES, Backbone, open_model_backbone
from .feature_cache import file_features
from .head import DECAYS, GRID, RATES, head_learner
from .learner import Learner, Step
from .material import Material
from .measure_recipe import MeasureRecipe
from .pixels.classifier_nets import open_net
from .pixels.pixel_cache import Pixels
from .pixels.pixel_learner import build_options, net_learner, options_text
from .pixels.views import Views


@dataclass(frozen=True)
class Opened:
    """A learner bound to the images of a measurement.

    Its `learner.name` is all that decides a run beside its plan and options: runs of one name are
    taken for each other. `net`: what it rests on, with its version. `classes`: what an outcome's
    `by_class` is of. `notes`: what a reader of results must know of it.
    """

    learner: Learner
    net: str
    classes: tuple[str, ...]
    notes: tuple[str, ...]


def open_learner(recipe: MeasureRecipe, material: Material, step: Step) -> Opened:
    """The learner of a recipe. Raises InputError when its net is missing."""
    if recipe.task == "segmentation":
        return _segmenter(recipe, material, step)
    opened = _frozen if recipe.model.mode == "frozen" else _fine_tuned
    return opened(recipe, material, step)


def _frozen(recipe: MeasureRecipe, material: Material, step: Step) -> Opened:
    frozen, table, model = open_features(recipe, material, step), material.table, recipe.model
    backbone, notes = frozen.backbone, [frozen.backbone.note]
    paths = [example.path for example in material.examples]
    views = Views(backbone, paths, frozen.digests, feature_folder(recipe), model.views, step)
    grid = build_options(model, RATES, DECAYS)
    source = f"on {backbone.id}, policies by {pluralize(model.views, 'view')}"
    if grid != GRID:
        source += f", {options_text(grid)}"
    if any(arm.policy != "none" for arm in recipe.arms):
        notes.append(
            f"Policies are measured with {model.views} views of each image, drawn once; a "
            "fine-tuned network would see new ones at every step."
        )
    learner = head_learner(
        frozen.features, table.labels, len(table.classes), source, views.view_plans, grid
    )
    return Opened(learner, backbone.id, table.classes, tuple(notes))


def _fine_tuned(recipe: MeasureRecipe, material: Material, step: Step) -> Opened:
    net, table, model = open_net(recipe.model), material.table, recipe.model
    pixels = Pixels([example.path for example in material.examples], net.side)
    learner = net_learner(net, pixels, table.labels, len(table.classes), model, step)
    notes = [NOTES[model.name]] if model.name in NOTES else []
    if len(learner.grid) == 1:
        notes.append(
            "Learning rate and decay come from the recipe or the defaults; they were "
            "not tuned on these images."
        )
    return Opened(learner, net.id, table.classes, tuple(notes))


def _segmenter(recipe: MeasureRecipe, material: Material, step: Step) -> Opened:
    from .segmentation.open_segmentation import open_segmenter

    learner, classes, notes = open_segmenter(recipe, material, step)
    return Opened(learner, learner.name, classes, notes)


@dataclass(frozen=True)
class Frozen:
    """A frozen net, its features (n, d) of all images, and the digests of their files."""

    backbone: Backbone
    features: np.ndarray
    digests: list[str]


def open_features(recipe: MeasureRecipe, material: Material, step: Step) -> Frozen:
    """The frozen net of a recipe and what it sees, from the cache as far as that has it."""
    backbone = open_model_backbone(recipe.model)
    paths = [example.path for example in material.examples]
    progress = partial(step, "features")
    return Frozen(backbone, *file_features(paths, backbone, feature_folder(recipe), progress))


def feature_folder(recipe: MeasureRecipe) -> Path:
    """Where features are kept."""
    return recipe.cache or cache_folder() / "features"
