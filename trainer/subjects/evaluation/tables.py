"""The figures of a class as a table: bounds, prompts and methods."""

from collections.abc import Sequence

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
SHORT = ("step", "similarity (95 %)", "above the class-name prompt (95 %)", "memorised")
"""What a terminal has room for; the table of methods has the means of the rest."""


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


def shortened(head: Line, lines: Sequence[Line]) -> list[Line]:
    """Head and lines for a terminal."""
    places = [i for i, name in enumerate(head) if not i or name in (*SHORT, *LETTERS)]
    return [tuple(line[place] for place in places) for line in (head, *lines)]


LETTERS = ("logo score", "OCR", "detector")


def _bounds(known: Reference, figures: SubjectFigures, extra: int) -> list[Line]:
    limits, empty = known.bounds, ("",) * extra
    expected = next((row.memorised.expected for row in figures.rows if row.memorised), None)
    real = _Cells(
        similarity=number(limits.ceiling),
        between=number(limits.ceiling and limits.reached(limits.ceiling), 2),
        diversity="1",
        memorised=percent(expected),
        own_class=percent(known.own_class),
        in_context=percent(known.in_context),
    )
    found = [("other real photos of it", *real.line, *empty)]
    if known.autoencoder is not None:
        coded = _Cells(
            similarity=number(known.autoencoder),
            between=number(limits.reached(known.autoencoder), 2),
        )
        found.append(("these through the autoencoder", *coded.line, *empty))
    if limits.nearest is not None:
        nearest = _Cells(
            similarity=number(limits.nearest), between=number(limits.reached(limits.nearest), 2)
        )
        average = _Cells(
            similarity=number(limits.mean),
            between=number(limits.mean and limits.reached(limits.mean), 2),
            in_context=percent(known.by_chance),
        )
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
