"""A measurement from its recipe to results.json: read, check, train, compare."""

import platform
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ...core.cache import cache_folder
from ...core.images import naming_all
from ...core.sole_use import sole_use
from ..copies.copy_cache import load_or_find_doubles
from ..copies.copy_search import Copy
from .caveats import notes_on_runs, notes_on_synthetic
from .earlier_runs import keep_beside, load_finished_runs, notes_on_earlier
from .grid import Grid, check_grid, draw_rows, fair_configs, fair_runs, sharings
from .learner import Step
from .learners import Opened, open_features, open_learner
from .material import Material, make_table, read_data, read_material
from .measure_recipe import MeasureRecipe
from .measure_results import Results, Run, Split, write_results
from .overlap import load_or_find_overlap
from .plans import Budget
from .published import list_published
from .samples import pick_samples
from .segmentation.mismatched import with_mismatched
from .sources import Dataset, Example
from .split_copies import check_doubles
from .summary import Basis, gain_rows
from .synthetic import read_synthetic
from .thesis_grid import ThesisProtocol

PACKAGES = ("manyshot", "numpy", "torch", "scikit-learn", "scipy", "torchmetrics", "onnxruntime")


def measure(recipe: MeasureRecipe, step: Step = lambda what, record_runs, of: None) -> Results:
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
    table = make_table(data, synthetic, _copied_places(data, synthetic, cache, step))
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
    return load_or_find_doubles(paths, cache, partial(step, "searching for copies in the data"))


def _copied_places(
    data: Dataset, synthetic: Sequence[Example], cache: Path, step: Step
) -> Mapping[int, int]:
    """The synthetic images that are copies of real ones, and of which; both by their places."""
    if not synthetic:
        return {}
    progress = partial(step, "comparing with the real images")
    return load_or_find_overlap(synthetic, data.test, data.real, cache, progress).copied


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
        published=list_published(recipe.published),
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
    keys = {config.key for config in configs}
    earlier = load_finished_runs(recipe.output)
    known_runs = {key: run for key, run in earlier.items() if key in keys}
    keep_beside(recipe.output, keys)
    results = results.model_copy(
        update={"notes": [*results.notes, *notes_on_earlier(recipe.output)]}
    )
    runs: list[Run] = []

    def record_runs(new_runs: Sequence[Run]) -> None:
        runs.extend(new_runs)
        draws = {(run.config.shots, run.config.draw) for run in runs}
        step("draws", len(draws), len(results.draws))
        if any(run.key not in known_runs for run in new_runs):
            merged = {run.key: run for run in [*known_runs.values(), *runs]}
            write_results(recipe.output, results.model_copy(update={"runs": list(merged.values())}))

    if protocol:
        all_runs, test = protocol.runs(grid, known_runs, record_runs), protocol.test
    else:
        all_runs = fair_runs(table, learner, grid, material.digest, known_runs, record_runs)
        test = table.test
    labels = table.labels[test] if recipe.task == "classification" else None
    gains = gain_rows(all_runs, Basis(len(test), sharings(table, grid), labels))
    whole = results.model_copy(update={"runs": all_runs, "gains": gains})
    write_results(recipe.output, whole)
    return whole


def _versions() -> dict[str, str]:
    return {name: version for name in PACKAGES if (version := _version(name))}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
