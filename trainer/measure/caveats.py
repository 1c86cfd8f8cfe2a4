"""What a reader of results must know beside the figures, in sentences."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ...core.cache import cache_folder
from ...core.counted import pluralize
from ...core.errors import InputError
from ...core.records import describe_deleted, drop_deleted, read_foreign_models, read_records
from .draw_caveats import notes_on_draws
from .draws import distinct_draws
from .example_table import Table
from .grid import Grid
from .material import Material
from .measure_recipe import MeasureRecipe
from .overlap import Overlap, load_or_find_overlap, name_pairs, overlap_sentence, refuse_overlap
from .sources import Dataset, Example
from .synthetic import dataset_folders
from .thesis import DIFFERS

MADE = "made from real ones; they are added only to draws that contain those."
LEARNED = (
    "made with a subject trained on real ones; they are added only to draws that contain "
    "all of those."
)
ONE_SET = (
    "The synthetic images are a single set; other images from the same generator may "
    "give other results."
)
EACH_DRAW = (
    "Every draw has its own synthetic images, so intervals also cover further images from "
    "this generator."
)
HARM = "part of the gain is that of more real images, and `auto` may choose too boldly."
MADE_ELSEWHERE = (
    f"made from pictures that are not among the real ones. If those show real images anyway, {HARM}"
)
LEARNED_ELSEWHERE = (
    "made with a subject trained on photos of which some are not among the real ones. If "
    f"those show real images anyway, {HARM}"
)
LEARNED_UNKNOWN = (
    "made with a subject whose training photos are unknown. If a draw does not contain "
    f"them, {HARM}"
)


def notes_on_synthetic(
    recipe: MeasureRecipe, data: Dataset, synthetic: Sequence[Example], table: Table
) -> list[str]:
    """What is to be known of the synthetic images.

    Raises InputError when they repeat the test split, or were made from images of it, and the
    recipe does not allow it.
    """
    if not synthetic:
        return []
    where = ", ".join(map(str, recipe.synthetic_folders))
    if not recipe.allow_overlap:
        refuse_leaks(synthetic, table, where)
    overlap = load_or_find_overlap(synthetic, data.test, data.real, recipe.cache or cache_folder())
    if not recipe.allow_overlap:
        refuse_overlap(overlap, where)
    notes = [overlap_sentence(overlap, where), *_on_copies(overlap, data, synthetic)]
    return [*notes, *_on_sources(synthetic, table), *notes_on_foreign(recipe.synthetic_folders)]


def notes_on_foreign(folders: Sequence[Path]) -> list[str]:
    """Of folders that were drawn with LoRA or embeddings which are none of their subjects."""
    return [
        f"{folder} was drawn with {', '.join(names)}: what those were trained on is unknown. "
        "They may have seen test images; part of the gain would then be leakage."
        for folder in folders
        if (names := read_foreign_models(folder))
    ]


def _on_copies(overlap: Overlap, data: Dataset, synthetic: Sequence[Example]) -> list[str]:
    """Which images repeat real ones without a record that says so."""
    pairs = [
        (synthetic[place].name, data.real[photo].name)
        for place, photo in sorted(overlap.copied.items())
        if not (synthetic[place].sources or synthetic[place].photos)
    ]
    if not pairs:
        return []
    return [
        f"{len(pairs):,} of the {len(synthetic):,} synthetic images are copies of real ones, "
        f"and are added only to draws that contain those: {name_pairs(pairs)}."
    ]


def notes_on_deleted(recipe: MeasureRecipe) -> list[str]:
    """Of dataset folders from which images were deleted."""
    synthetic = (inner for folder in recipe.synthetic_folders for inner in dataset_folders(folder))
    data = recipe.data
    real = [] if data.kind in ("pets", "food101") else [data.path, data.test]
    folders = [folder for folder in (*real, *synthetic) if folder]
    notes: list[str] = []
    for folder in dict.fromkeys(folders):
        records = (record for record in read_records(folder) if record.kept)
        _, deleted = drop_deleted(folder, records)
        notes += [describe_deleted(deleted, folder)] if deleted else []
    return notes


def refuse_leaks(synthetic: Sequence[Example], table: Table, where: str) -> None:
    """Raises InputError for images that come from test images."""
    leaked = table.comes_from(table.synthetic, table.test)
    if leaked.any():
        taught = any(synthetic[place].photos for place in np.flatnonzero(leaked).tolist())
        how = "made with a subject trained on" if taught else "made from"
        raise InputError(
            f"{leaked.sum():,} of the images of {where} were {how} test images. A gain on "
            "them would be leakage: remove them, or write 'allow_overlap: true' to measure "
            "anyway."
        )


def _on_sources(synthetic: Sequence[Example], table: Table) -> list[str]:
    """What synthetic images come from, beside words."""
    known_sources = np.zeros(len(synthetic), int)
    if table.source is not None:
        known_sources = (table.source[table.synthetic] >= 0).sum(axis=1)
    counts = Counter(
        text
        for example, count in zip(synthetic, known_sources, strict=True)
        for text in _describe_origins(example, int(count))
    )
    return [f"{number:,} of the synthetic images were {text}" for text, number in counts.items()]


def _describe_origins(example: Example, count: int) -> Iterator[str]:
    """What is to be said of an image of whose photos so many are `known`."""
    if example.photos:
        every = len(example.photos) + len(example.sources)
        yield LEARNED if count == every else LEARNED_ELSEWHERE
        return
    if example.sources:
        yield MADE if count == len(example.sources) else MADE_ELSEWHERE
    if example.subject is not None:
        yield LEARNED_UNKNOWN


def notes_on_runs(recipe: MeasureRecipe, material: Material, grid: Grid) -> list[str]:
    """What is to be known of the draws, the protocol, and what was not controlled."""
    caveats = [
        "Each interval has 95 % coverage on its own; intervals are not widened for the "
        "number of arms.",
        *notes_on_deleted(recipe),
        *notes_on_draws(material.table, grid),
        EACH_DRAW if retrains_each_draw(material, grid) else ONE_SET,
    ]
    if material.repeated:
        caveats.append(
            f"{pluralize(material.repeated, 'test image is', 'test images are')} also among the "
            "real images."
        )
    return [*caveats, DIFFERS] if recipe.protocol == "thesis" else caveats


def retrains_each_draw(material: Material, grid: Grid) -> bool:
    """Whether every synthetic image is for one draw alone."""
    table = material.table
    if table.source is None:
        return False
    draws = distinct_draws(table, max(grid.shots), grid.draws)
    fitting = [table.comes_only_from(table.synthetic, draw.shots) for draw in draws]
    return len(draws) > 1 and bool((np.sum(fitting, axis=0) == 1).all())
