"""Swapped words, negatives, two classes, seeds, backgrounds, nearness: what words do."""

from typing import Any

import numpy as np
from manyshot.trainer.contact_sheets import Row, write_sheet
from manyshot.trainer.segmenter import foreground

from ..captions import COLOURS, FAR, NEAR, colour_name
from ..figures import prompt_figures as measures
from ..figures.dataset_images import DatasetImages
from . import recipes
from .work import Work

BEHIND = " background"  # as captions name it: "…, white background"
SEED = "Sampler.seed"


def prompts(work: Work) -> dict[str, Any]:
    """All of it, a few images each."""
    cfg, few, names = work.guidance, work.few, work.tools.names
    species = work.tools.species
    swap = _draw(work, "swap", recipes.swap(work.words, few, cfg))
    single = _by_class(work, swap)
    return {
        "swap": measures.measure_swap(single, single.argmax(axis=2)),
        "negative": _negative(work, recipes.negative(names, species.tolist(), few, cfg)),
        "pairs": measures.pairs(
            _grid(work, _draw(work, "pairs", recipes.pairs(names, few, cfg))),
            single,
            recipes.paired(names),
        ),
        "seeds": _seeds(swap, _draw(work, "seeds", recipes.seeds(work.words, few, cfg))),
        "backgrounds": _backgrounds(work),
        "nearness": _nearness(work),
    }


def _draw(work: Work, name: str, recipe: recipes.Recipe) -> DatasetImages:
    return work.drawn(f"{name}-{work.guidance:g}", recipe)


def _negative(work: Work, recipe: recipes.Recipe) -> dict[str, float]:
    species = work.tools.species
    kinds = sorted(set(species.tolist()))
    plain = _grid(
        work,
        _draw(work, "species", recipes.swap(dict.fromkeys(kinds, ""), work.few, work.guidance)),
    )
    before = plain[np.searchsorted(kinds, species)]
    return measures.negatives(_by_class(work, _draw(work, "negative", recipe)), before, species)


def _seeds(swap: DatasetImages, seeds: DatasetImages) -> dict[str, float]:
    again, other = (seeds.images[seeds.swept(SEED) == seed] for seed in (7, 8))
    names = {record.class_name for record in seeds.records}
    first = swap.images[[record.class_name in names for record in swap.records]]
    return measures.same_and_other_seed(first, again, other)


def _backgrounds(work: Work) -> dict[str, object]:
    words = [f"{colour}{BEHIND}" for colour in COLOURS]
    recipe = recipes.said_of(work.tools.names, words, work.few, work.guidance)
    dataset = _draw(work, "backgrounds", recipe)
    named = [word.removesuffix(BEHIND) for word in _attributes(dataset)]
    _write_sheet(work, dataset)
    return measures.backgrounds(dataset.images, named, colour_name)


def _write_sheet(work: Work, dataset: DatasetImages) -> None:
    """A row for each class, an image of each colour."""
    firsts: dict[str, np.ndarray] = {}
    for record, image in zip(dataset.records, dataset.images, strict=True):
        firsts.setdefault(record.class_name, image)
    rows: dict[str, list[np.ndarray]] = {}
    for label, image in firsts.items():
        rows.setdefault(label.partition(", ")[0], []).append(image)
    sheet = [Row(name, images) for name, images in rows.items()]
    write_sheet(work.picture("backgrounds.jpg"), sheet)


def _nearness(work: Work) -> dict[str, float]:
    recipe = recipes.said_of(work.tools.names, [NEAR, FAR], work.few, work.guidance)
    dataset = _draw(work, "nearness", recipe)
    return measures.nearness(foreground(work.segmenter, list(dataset.images)), _attributes(dataset))


def _attributes(dataset: DatasetImages) -> list[str]:
    """What stands behind the class in each image's prompt."""
    return [record.class_name.partition(", ")[2] for record in dataset.records]


def _by_class(work: Work, dataset: DatasetImages) -> np.ndarray:
    """The probe's log chances (classes, seeds, classes), the first in the order of the labels."""
    chances = _grid(work, dataset)
    names = list(dict.fromkeys(record.class_name for record in dataset.records))
    return chances[np.argsort(work.tools.labels(names))]


def _grid(work: Work, dataset: DatasetImages) -> np.ndarray:
    """The probe's log chances (rows, seeds, classes), a row for each class of the recipe."""
    rows = work.tools.log_chances(dataset)
    order = np.argsort([record.label for record in dataset.records], kind="stable")
    return rows[order].reshape(len({record.label for record in dataset.records}), -1, rows.shape[1])
