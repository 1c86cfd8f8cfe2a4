"""The figures of a class as a table: bounds, prompts and methods."""

from .cells import METHODS, Line, number, percent
from .results import Reference, Row, SubjectFigures

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
EMPTY = ("",) * len(HEAD)


def class_table(figures: SubjectFigures, name: str) -> tuple[Line, list[Line]]:
    """Head and lines of a class's table by the extractor `name`: bounds, prompts, methods."""
    known = figures.reference[name]
    lettered = any(row.lettering for row in figures.rows)
    text = any(row.likeness[name].text is not None for row in figures.rows)
    extra = (*(("text",) if text else ()), *(LETTERS if lettered else ()))
    lines = [
        *_bounds(known, figures, len(extra)),
        *[(*_line(row, name), *_extra(row, name, text, lettered)) for row in figures.rows],
    ]
    return (figures.class_name, *HEAD, *extra), lines


LETTERS = ("logo score", "OCR", "detector")


def _bounds(known: Reference, figures: SubjectFigures, extra: int) -> list[Line]:
    limits, empty = known.bounds, ("",) * extra
    expected = next((row.memorised.expected for row in figures.rows if row.memorised), None)
    real = _Cells(
        similarity=number(limits.ceiling),
        between="1" if limits.nearest is not None else "",
        diversity="1",
        memorised=percent(expected),
        own_class=percent(known.own_class),
        in_context=percent(known.in_context),
    )
    found = [("other real photos of it", *real.line, *empty)]
    if known.autoencoder is not None:
        coded = _Cells(similarity=number(known.autoencoder))
        found.append(("these through the autoencoder", *coded.line, *empty))
    if limits.nearest is not None:
        nearest = _Cells(similarity=number(limits.nearest), between="0")
        average = _Cells(similarity=number(limits.mean), in_context=percent(known.by_chance))
        found.append((f"photos of {limits.nearest_class}, the nearest", *nearest.line, *empty))
        found.append(("photos of other classes, mean", *average.line, *empty))
    return found


class _Cells:
    """One line's cells by name, in the order of HEAD."""

    def __init__(self, **cells: str) -> None:
        order = ("step", "minutes", "size", "similarity", "between", "above")
        order = (*order, "diversity", "memorised", "own_class", "in_context")
        self.line: Line = tuple(cells.get(name, "") for name in order)


def _line(row: Row, name: str) -> Line:
    found = row.likeness[name]
    near, above = found.similarity, found.above
    return (
        METHODS.get(row.method, row.method) + (f' "{row.word}"' if row.file is None else ""),
        f"{row.step} of {row.steps}" if row.steps else "",
        f"{row.seconds / 60:.1f}" if row.seconds else "",
        f"{row.size / 1e6:.2f}" if row.size else "",
        f"{near.value:.3f} ({near.low:.3f} to {near.high:.3f})",
        number(found.reached, 2),
        "" if above is None else f"{above.value:+.3f} ({above.low:+.3f} to {above.high:+.3f})",
        number(found.diversity, 2),
        "" if row.memorised is None else percent(row.memorised.share),
        percent(found.own_class),
        percent(found.in_context),
    )


def _extra(row: Row, name: str, text: bool, lettered: bool) -> Line:
    said = (number(row.likeness[name].text),) if text else ()
    if not lettered:
        return said
    found = row.lettering
    if found is None:
        return (*said, "", "", "")
    return (*said, number(found.score), number(found.ocr), number(found.detector) or "none")
