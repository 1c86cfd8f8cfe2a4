"""evaluation.md: all tables, with what a reader must know of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ....core.files import write_text_whole
from ...base.evaluation.tables import table
from ...plain_words import plain_words
from .means import method_table
from .results import Evaluation, SubjectFigures
from .tables import class_table


def markdown(found: Evaluation) -> str:
    """All tables, with what a reader must know."""
    parts = ["# How like the subjects are their pictures", EXPLAINED]
    sheets = sheet_names([figures.class_name for figures in found.subjects])
    for name, note in found.extractors.items():
        parts.append(f"## By {name}\n\n{note}")
        parts.append(table(*method_table(found, name)))
        for figures in found.subjects:
            parts.append(f"### {figures.class_name}\n\n{_counts(figures, sheets)}")
            parts.append(table(*class_table(figures, name)))
            parts.extend(sentences(figures))
    return "\n\n".join(parts) + "\n"


EXPLAINED = (
    "Similarity: the mean cosine of features between pictures and held-out photos. Between the "
    "bounds: 0 is as like as photos of other classes are, 1 as other photos of the subject. "
    "Diversity: the mean distance between pictures over that between real photos. Memorised: the "
    "share of pictures that repeat a photo which was trained on; of real photos it is what happens "
    "by chance. Of its class: as a linear probe of real photos takes it. In its context: pictures "
    "that look most like the context which their prompt names."
)


def _counts(figures: SubjectFigures, sheets: Mapping[str, str]) -> str:
    return (
        f"{figures.held_out} held-out photos; {figures.training} that were trained on. "
        f"A picture of it all: {sheets[figures.class_name]}"
    )


def sheet_names(class_names: Sequence[str]) -> dict[str, str]:
    """Class name -> the file of its picture."""
    return {name: f"sheet-{word}.jpg" for name, word in plain_words(class_names).items()}


def sentences(figures: SubjectFigures) -> list[str]:
    """What was chosen, and what must be known of the figures of a class."""
    without = any(row.lettering and row.lettering.detector is None for row in figures.rows)
    bare = ["Without a detector the logo score is that of the OCR alone."] if without else []
    chosen = [f"{choice.file}: {choice.sentence}" for choice in figures.choices]
    return [*chosen, *figures.notes, *bare]


def write_markdown(path: Path, found: Evaluation) -> None:
    """Write `markdown` to a file."""
    write_text_whole(path, markdown(found))
