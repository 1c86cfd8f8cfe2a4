"""A measurement from its recipe to results.json: read, check, train, compare."""

import platform
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ...core.cache import cache_folder
from ...core.images import naming_all
from ...core.sole_use import sole_use
from ..copies.kept import kept_doubles
from ..copies.search import Copy
from .doubles import check_doubles
from .earlier import finished_runs, keep_beside, notes_on_earlier
from .grid import Grid, check_grid, draw_rows, fair_configs, fair_runs, sharings
from .learner import Step
from .learners import Opened, open_features, open_learner
from .material import Material, make_table, read_data, read_material
from .notes import notes_on_runs, notes_on_synthetic
from .overlap import kept_overlap
from .plans import Budget
from .published import published_rows
from .recipe import MeasureRecipe
from .results import Results, Run, Split, write_results
from .samples import pick_samples
from .segmentation.mismatched import with_mismatched
from .sources import Dataset, Example
from .summary import Basis, gain_rows
from .synthetic import read_synthetic
from .thesis_grid import ThesisProtocol

PACKAGES = ("manyshot", "numpy", "torch", "scikit-learn", "scipy", "torchmetrics", "onnxruntime")


def measure(recipe: MeasureRecipe, step: Step = lambda what, done, of: None) -> Results:
    """Measure, or go on where it was interrupted: finished runs of the same config are kept.

    results.json is written whole after each draw. Raises InputError for data that cannot be
    measured, for synthetic images that repeat the test split, for an output that cannot be written,
    and while another process measures into it; ManyshotError when the disk fails later.
    """
    with sole_use(recipe.output):
        return _measure(recipe, step)


def _measure(recipe: MeasureRecipe, step: Step) -> Results:
    cache = recipe.cache or cache_folder()
    data = read_data(recipe.data, recipe.task, lambda paths: _doubles(paths, cache, step))
    doubles = check_doubles(
        recipe.data,
        data,
        recipe.allow_overlap,
        cache,
        partial(step, "comparing real and test images"),
    )
    synthetic = read_synthetic(recipe, data)
    examples = (*data.real, *synthetic, *data.test)
    table = make_table(data, synthetic, _copied(data, synthetic, cache, step))
    if recipe.task == "segmentation" and len(synthetic) > 1:
        table, examples = with_mismatched(table), (*examples, *synthetic)
    budget = Budget(recipe.steps, recipe.batch)
    grid = Grid(
        tuple(recipe.arms), tuple(recipe.shots), recipe.draws, recipe.seeds, budget
    ).with_baseline()
    check_grid(table, grid)
    with naming_all(example.path for example in examples):
        notes = notes_on_synthetic(recipe, data, synthetic, table)
        material = read_material(table, examples)
        opened = open_learner(recipe, material, step)
    notes = [*doubles, *notes, *opened.notes, *notes_on_runs(recipe, material, grid)]
    results = _empty(recipe, data, synthetic, opened, grid, material, notes)
    return _run(recipe, grid, material, opened, results, step)


def _doubles(paths: Sequence[Path], cache: Path, step: Step) -> list[Copy]:
    return kept_doubles(paths, cache, partial(step, "searching for copies in the data"))


def _copied(
    data: Dataset, synthetic: Sequence[Example], cache: Path, step: Step
) -> Mapping[int, int]:
    """The synthetic images that are copies of real ones, and of which; both by their places."""
    if not synthetic:
        return {}
    progress = partial(step, "comparing with the real images")
    return kept_overlap(synthetic, data.test, data.real, cache, progress).copied


def _empty(
    recipe: MeasureRecipe,
    data: Dataset,
    synthetic: Sequence[Example],
    opened: Opened,
    grid: Grid,
    material: Material,
    notes: list[str],
) -> Results:
    names = [example.name for example in material.examples]
    return Results(
        recipe=recipe.model_dump(mode="json"),
        versions={"python": platform.python_version(), **_versions()},
        task=recipe.task,
        classes=list(opened.classes),
        learner=opened.learner.name,
        backbone=opened.net,
        split=Split(
            description=data.description,
            real=[example.name for example in data.real],
            synthetic=[example.name for example in synthetic],
            test=[example.name for example in data.test],
        ),
        notes=notes,
        draws=draw_rows(material.table, grid, names),
        samples=pick_samples(data.classes, data.real, synthetic),
        published=published_rows(recipe.published),
    )


def _run(
    recipe: MeasureRecipe,
    grid: Grid,
    material: Material,
    opened: Opened,
    results: Results,
    step: Step,
) -> Results:
    table, learner = material.table, opened.learner
    protocol = None
    if recipe.protocol == "thesis":
        features = open_features(recipe, material, step).features
        protocol = ThesisProtocol(table, features, learner.name, material.digest)
        configs = protocol.configs(grid)
    else:
        configs = fair_configs(table, learner, grid, material.digest)
    wanted = {config.key for config in configs}
    earlier = finished_runs(recipe.output)
    known = {key: run for key, run in earlier.items() if key in wanted}
    keep_beside(recipe.output, wanted)
    results = results.model_copy(
        update={"notes": [*results.notes, *notes_on_earlier(recipe.output)]}
    )
    runs: list[Run] = []

    def done(found: Sequence[Run]) -> None:
        runs.extend(found)
        draws = {(run.config.shots, run.config.draw) for run in runs}
        step("draws", len(draws), len(results.draws))
        if any(run.key not in known for run in found):
            kept = {run.key: run for run in [*known.values(), *runs]}
            write_results(recipe.output, results.model_copy(update={"runs": list(kept.values())}))

    if protocol:
        found, test = protocol.runs(grid, known, done), protocol.test
    else:
        found = fair_runs(table, learner, grid, material.digest, known, done)
        test = table.test
    labels = table.labels[test] if recipe.task == "classification" else None
    gains = gain_rows(found, Basis(len(test), sharings(table, grid), labels))
    whole = results.model_copy(update={"runs": found, "gains": gains})
    write_results(recipe.output, whole)
    return whole


def _versions() -> dict[str, str]:
    return {name: found for name in PACKAGES if (found := _version(name))}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
