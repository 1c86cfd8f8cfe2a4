"""A measurement from its recipe to results.json: read, check, train, compare."""

import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from ...core.cache import cache_folder
from .backbones import Backbone, open_backbone_named
from .draws import draw_shots
from .features import Progress, file_features
from .grid import Grid, check_grid, draw_rows, fair_runs
from .head import head_learner
from .overlap import find_overlap, overlap_sentence, refuse_overlap
from .plans import Budget
from .recipe import Data, MeasureRecipe
from .results import Results, Run, Split, finished_runs, write_results
from .sources import Dataset, Example, elpv, folder_dataset, of_classes, pets, read_examples
from .summary import gain_rows
from .table import Table
from .thesis import DIFFERS
from .thesis_grid import ThesisProtocol

PACKAGES = ("manyshot", "numpy", "torch", "scikit-learn", "scipy", "torchmetrics", "onnxruntime")
Step = Callable[[str, int, int], None]  # what is being done, how many are done, of how many


@dataclass(frozen=True)
class Material:
    """The images of a measurement, a row each, and what a backbone sees in them."""

    examples: tuple[Example, ...]
    table: Table
    features: np.ndarray
    digest: str


def measure(recipe: MeasureRecipe, step: Step = lambda what, done, of: None) -> Results:
    """Measure, or go on where it was interrupted: finished runs of the same config are kept.

    results.json is written whole after each draw. Raises InputError for data that cannot be
    measured, and for synthetic images that repeat the test split.
    """
    data = read_data(recipe.data)
    synthetic = _synthetic(recipe, data)
    table = make_table(data, synthetic)
    budget = Budget(recipe.steps, recipe.batch)
    grid = Grid(
        tuple(recipe.arms), tuple(recipe.shots), recipe.draws, recipe.seeds, budget
    ).with_baseline()
    check_grid(table, grid)
    notes = _overlap_notes(recipe, data, synthetic, step)
    backbone = open_backbone_named(recipe.backbone)
    material = read_material(
        table,
        (*data.real, *synthetic, *data.test),
        backbone,
        recipe.cache,
        _named(step, "features"),
    )
    results = _empty(recipe, data, synthetic, backbone, grid, material, notes)
    return _run(recipe, grid, material, results, step)


def read_data(data: Data) -> Dataset:
    """The dataset that a recipe names."""
    if data.path is None:
        return elpv(data.test_share, data.split_seed)
    if data.kind == "pets":
        return pets(data.path)
    return folder_dataset(data.path, data.test, data.test_share, data.split_seed)


def _synthetic(recipe: MeasureRecipe, data: Dataset) -> list[Example]:
    if recipe.synthetic is None:
        return []
    return of_classes(read_examples(recipe.synthetic), data.classes)


def make_table(data: Dataset, synthetic: Sequence[Example]) -> Table:
    """Rows in the order real, synthetic, test."""
    examples = (*data.real, *synthetic, *data.test)
    labels = {name: label for label, name in enumerate(data.classes)}
    rows = np.arange(len(examples))
    real, made, test = np.split(rows, np.cumsum([len(data.real), len(synthetic)]))
    return Table(
        data.classes,
        np.array([labels[example.class_name] for example in examples]),
        real,
        made,
        test,
        np.array([example.seen for example in examples]),
    )


def read_material(
    table: Table,
    examples: Sequence[Example],
    backbone: Backbone,
    cache: Path | None,
    progress: Progress,
) -> Material:
    """The features of all examples, and a digest of what decides a run beside its config."""
    folder = cache or cache_folder() / "features"
    paths = [example.path for example in examples]
    features, digests = file_features(paths, backbone, folder, progress)
    parts = (table.labels, table.real, table.synthetic, table.test, table.seen.astype(np.int64))
    numbers = b"".join(part.astype("<i8").tobytes() + b"|" for part in parts)
    text = "\n".join((backbone.id, *digests, *table.classes)).encode()
    return Material(tuple(examples), table, features, sha256(text + numbers).hexdigest())


def _overlap_notes(
    recipe: MeasureRecipe, data: Dataset, synthetic: Sequence[Example], step: Step
) -> list[str]:
    if not synthetic or recipe.synthetic is None:
        return []
    step("comparing with the test split", 0, 1)
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


def _empty(
    recipe: MeasureRecipe,
    data: Dataset,
    synthetic: Sequence[Example],
    backbone: Backbone,
    grid: Grid,
    material: Material,
    notes: list[str],
) -> Results:
    names = [example.name for example in material.examples]
    return Results(
        recipe=recipe.model_dump(mode="json"),
        versions={"python": platform.python_version(), **_versions()},
        classes=list(data.classes),
        backbone=backbone.id,
        split=Split(
            description=data.description,
            real=[example.name for example in data.real],
            synthetic=[example.name for example in synthetic],
            test=[example.name for example in data.test],
        ),
        notes=[*notes, backbone.note, *_notes(recipe, material.table, grid)],
        draws=draw_rows(material.table, grid, names),
    )


def _notes(recipe: MeasureRecipe, table: Table, grid: Grid) -> list[str]:
    """What a reader of the results must know, in sentences."""
    found = [
        "Intervals are of 95 % each, and not widened for the number of arms.",
        "Draws are taken from the same real images and overlap; an interval speaks of further "
        "draws from these images, and of further test images.",
        "The synthetic images are one folder; other images of the same generator may do "
        "differently.",
    ]
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


def _run(
    recipe: MeasureRecipe, grid: Grid, material: Material, results: Results, step: Step
) -> Results:
    known = finished_runs(recipe.output)
    runs: list[Run] = []
    total = len(grid.shots) * grid.draws

    def done(found: Sequence[Run]) -> None:
        runs.extend(found)
        step("draws", len({(run.config.shots, run.config.draw) for run in runs}), total)
        if any(run.key not in known for run in found):
            kept = {run.key: run for run in [*known.values(), *runs]}
            write_results(recipe.output, results.model_copy(update={"runs": list(kept.values())}))

    table = material.table
    if recipe.protocol == "thesis":
        protocol = ThesisProtocol(table, material.features, material.digest)
        found, tested = protocol.runs(grid, known, done), len(protocol.test)
    else:
        learner = head_learner(material.features, len(table.classes))
        found = fair_runs(table, learner, grid, material.digest, known, done)
        tested = len(table.test)
    whole = results.model_copy(update={"runs": found, "gains": gain_rows(found, tested)})
    write_results(recipe.output, whole)
    return whole


def _named(step: Step, what: str) -> Progress:
    return lambda done, of: step(what, done, of)


def _versions() -> dict[str, str]:
    return {name: found for name in PACKAGES if (found := _version(name))}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
