"""All that a report shows, as plain values: what the page and the text are both made from."""

from dataclasses import dataclass

from ....core.counted import pluralize
from ..measure_results import Results, Sample
from .answer import Answer, answer, is_finished
from .chosen import arms_by_name
from .class_gains import ClassGains, class_gains
from .forest import Forest, forest
from .gain_tables import (
    Sheet,
    auto_sheet,
    build_published_sheet,
    facts,
    gain_sheet,
    recipe_text,
    repeats_text,
)
from .learning import learning_curve
from .next_steps import list_next_steps
from .plot import Plot
from .ratios import ratio_curves
from .terms import list_terms


@dataclass(frozen=True)
class Samples:
    """The thumbnails of a class, real and synthetic."""

    class_name: str
    real: tuple[Sample, ...]
    synthetic: tuple[Sample, ...]


@dataclass(frozen=True)
class Page:
    """`metric`: the main one. `plots`: learning curves first, then gains by ratio."""

    answer: Answer
    finished: bool
    basis: str
    metric: str
    terms: tuple[tuple[str, str], ...]
    forest: Forest | None
    plots: tuple[Plot, ...]
    classes: tuple[ClassGains, ...]
    samples: tuple[Samples, ...]
    classes_without_samples: int
    gains: Sheet
    auto: Sheet | None
    published: Sheet | None
    sources: tuple[str, ...]
    notes: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    recipe: str
    next_steps: tuple[str, ...]


def page(results: Results) -> Page:
    """The page of a measurement, finished or not."""
    curve = learning_curve(results)
    return Page(
        answer=answer(results),
        finished=is_finished(results),
        basis=_basis(results),
        metric=results.gains[0].metric if results.gains else "",
        terms=tuple(list_terms(results)),
        forest=forest(results.gains, arms_by_name(results)) if results.gains else None,
        plots=(*([curve] if curve else []), *ratio_curves(results)),
        classes=tuple(class_gains(results)),
        samples=tuple(_samples(results)),
        classes_without_samples=len(set(results.classes) - {s.class_name for s in results.samples}),
        gains=gain_sheet(results),
        auto=auto_sheet(results),
        published=build_published_sheet(results),
        sources=tuple(dict.fromkeys(figure.source for figure in results.published)),
        notes=tuple(results.notes),
        facts=tuple(facts(results)),
        recipe=recipe_text(results),
        next_steps=tuple(list_next_steps(results)),
    )


def _basis(results: Results) -> str:
    """What the answer rests on, in a line."""
    tested = pluralize(len(results.split.test), "test image")
    if not results.gains:
        return f"{results.split.description} {tested}."
    repeated = repeats_text(results)
    return f"{results.split.description} {repeated}, {tested}, {results.learner}."


def _samples(results: Results) -> list[Samples]:
    names = dict.fromkeys(sample.class_name for sample in results.samples)
    return [
        Samples(name, *(_of(results, name, kind) for kind in ("real", "synthetic")))
        for name in names
    ]


def _of(results: Results, name: str, kind: str) -> tuple[Sample, ...]:
    return tuple(s for s in results.samples if s.class_name == name and s.kind == kind)
