"""Tables of an evaluation: one for each class, and one of the methods' means."""

from collections.abc import Sequence
from statistics import mean

from ....core.counted import in_percent
from .evaluation_results import Evaluation, Reference, Row, SubjectFidelity, SubjectFigures

Line = tuple[str, ...]
METHODS = {"textual_inversion": "Textual Inversion", "lora": "LoRA", "dreambooth": "DreamBooth"}


def number(value: float | None, digits: int = 3) -> str:
    """The number, or nothing for None."""
    return "" if value is None else f"{value:.{digits}f}"


def percent(share: float | None) -> str:
    """The share (0 to 1) in percent, or nothing for None."""
    return "" if share is None else in_percent(share)


HEAD = (
    "step",
    "minutes",
    "MB",
    "similarity (95 %)",
    "between the bounds",
    "above the class-name prompt (95 %)",
    "diversity",
    "memorised",
    "of its class",
    "in its context",
)
SHORT = ("step", "similarity (95 %)", "above the class-name prompt (95 %)", "memorised")
"""Columns that fit a terminal; the table of methods has the means of the others."""


def class_table(figures: SubjectFigures, name: str) -> tuple[Line, list[Line]]:
    """Head and lines of a class's table by the extractor `name`: bounds, prompts, methods."""
    reference = figures.reference[name]
    lettered = any(row.lettering for row in figures.rows)
    text = any(row.likeness[name].text is not None for row in figures.rows)
    extra = (*(("text",) if text else ()), *(LETTERS if lettered else ()))
    lines = [
        *_bounds(reference, figures, len(extra)),
        *[(*_line(row, name), *_extra(row, name, text, lettered)) for row in figures.rows],
    ]
    return (figures.class_name, *HEAD, *extra), lines


def shorten(head: Line, lines: Sequence[Line]) -> list[Line]:
    """Reduce a table to the columns that fit a terminal."""
    places = [i for i, name in enumerate(head) if not i or name in (*SHORT, *LETTERS)]
    return [tuple(line[place] for place in places) for line in (head, *lines)]


LETTERS = ("logo score", "OCR", "detector")


def _bounds(reference: Reference, figures: SubjectFigures, extra: int) -> list[Line]:
    limits, empty = reference.bounds, ("",) * extra
    expected = next((row.memorised.expected for row in figures.rows if row.memorised), None)
    real = _Cells(
        similarity=number(limits.ceiling),
        between=number(limits.ceiling and limits.normalise(limits.ceiling), 2),
        diversity="1",
        memorised=percent(expected),
        own_class=percent(reference.own_class),
        in_context=percent(reference.in_context),
    )
    lines = [("other real photos of it", *real.line, *empty)]
    if reference.autoencoder is not None:
        coded = _Cells(
            similarity=number(reference.autoencoder),
            between=number(limits.normalise(reference.autoencoder), 2),
        )
        lines.append(("these through the autoencoder", *coded.line, *empty))
    if limits.nearest is not None:
        nearest = _Cells(
            similarity=number(limits.nearest), between=number(limits.normalise(limits.nearest), 2)
        )
        average = _Cells(
            similarity=number(limits.mean),
            between=number(limits.mean and limits.normalise(limits.mean), 2),
            in_context=percent(reference.by_chance),
        )
        lines.append((f"photos of {limits.nearest_class}, the nearest", *nearest.line, *empty))
        lines.append(("photos of other classes, mean", *average.line, *empty))
    return lines


class _Cells:
    """One line's cells by name, in the order of HEAD."""

    def __init__(self, **cells: str) -> None:
        order = ("step", "minutes", "size", "similarity", "between", "above")
        order = (*order, "diversity", "memorised", "own_class", "in_context")
        self.line: Line = tuple(cells.get(name, "") for name in order)


def _line(row: Row, name: str) -> Line:
    fidelity = row.likeness[name]
    similarity, above = fidelity.similarity, fidelity.above
    return (
        METHODS.get(row.method, row.method) + (f' "{row.word}"' if row.file is None else ""),
        f"{row.step} of {row.steps}" if row.steps else "",
        f"{row.seconds / 60:.1f}" if row.seconds else "",
        f"{row.size / 1e6:.2f}" if row.size else "",
        f"{similarity.value:.3f} ({similarity.low:.3f} to {similarity.high:.3f})",
        number(fidelity.reached, 2),
        "" if above is None else f"{above.value:+.3f} ({above.low:+.3f} to {above.high:+.3f})",
        number(fidelity.diversity, 2),
        "" if row.memorised is None else percent(row.memorised.share),
        percent(fidelity.own_class),
        percent(fidelity.in_context),
    )


def _extra(row: Row, name: str, text: bool, lettered: bool) -> Line:
    cells = (number(row.likeness[name].text),) if text else ()
    if not lettered:
        return cells
    rendering = row.lettering
    if rendering is None:
        return (*cells, "", "", "")
    return (
        *cells,
        number(rendering.score),
        number(rendering.ocr),
        number(rendering.detector) or "none",
    )


def method_table(evaluation: Evaluation, name: str) -> tuple[Line, list[Line]]:
    """Head and lines of the means of each method over all classes, by the extractor `name`."""
    by_method: dict[str, list[Row]] = {}
    for figures in evaluation.subjects:
        for row in figures.rows:
            by_method.setdefault(row.method, []).append(row)
    return METHOD_HEAD, [_means(method, rows, name) for method, rows in by_method.items()]


METHOD_HEAD = (
    "mean over classes",
    "classes",
    "step",
    "minutes",
    "MB",
    "similarity",
    "between the bounds",
    "above the class-name prompt",
    "classes surely above",
    "diversity",
    "memorised (real photos)",
    "of its class",
    "in its context",
)


def _means(method: str, rows: Sequence[Row], name: str) -> Line:
    fidelities: list[SubjectFidelity] = [row.likeness[name] for row in rows]
    above = [fidelity.above for fidelity in fidelities if fidelity.above]
    memorised = [row.memorised for row in rows if row.memorised]
    copies = (
        f"{percent(mean(fidelity.share for fidelity in memorised))} "
        f"({percent(mean(fidelity.expected for fidelity in memorised))})"
        if memorised
        else ""
    )
    return (
        METHODS.get(method, method),
        str(len(rows)),
        number(_mean([row.step for row in rows]), 0),
        number(_mean([row.seconds and row.seconds / 60 for row in rows]), 1),
        number(_mean([row.size and row.size / 1e6 for row in rows]), 2),
        number(_mean([fidelity.similarity.value for fidelity in fidelities])),
        number(_mean([fidelity.reached for fidelity in fidelities]), 2),
        f"{mean(fidelity.value for fidelity in above):+.3f}" if above else "",
        f"{sum(fidelity.low > 0 for fidelity in above)} of {len(above)}" if above else "",
        number(_mean([fidelity.diversity for fidelity in fidelities]), 2),
        copies,
        percent(_mean([fidelity.own_class for fidelity in fidelities])),
        percent(_mean([fidelity.in_context for fidelity in fidelities])),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    numbers = [value for value in values if value is not None]
    return mean(numbers) if numbers else None
