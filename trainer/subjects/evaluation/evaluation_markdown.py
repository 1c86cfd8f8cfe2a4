"""evaluation.md: all tables, with what a reader must know to understand them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ....core.counted import table
from ....core.files import write_text_atomic
from ...plain_words import plain_words
from .evaluation_results import Evaluation, SubjectFigures
from .subject_tables import class_table, method_table


def markdown(evaluation: Evaluation) -> str:
    """The whole report: tables with explanations."""
    parts = ["# Subject fidelity, diversity and prompt fidelity", EXPLAINED]
    sheets = sheet_names([figures.class_name for figures in evaluation.subjects])
    for name, note in evaluation.extractors.items():
        parts.append(f"## By {name}\n\n{note}")
        parts.append(table(*method_table(evaluation, name)))
        for figures in evaluation.subjects:
            parts.append(f"### {figures.class_name}\n\n{_counts(figures, sheets)}")
            parts.append(table(*class_table(figures, name)))
            parts.extend(sentences(figures))
    return "\n\n".join(parts) + "\n"


EXPLAINED = (
    "Similarity: the mean cosine of features between pictures and held-out photos. Between the "
    "bounds: 0 is as similar as photos of other classes, 1 as other photos of the subject. "
    "Diversity: the mean distance between pictures, relative to that between real photos. "
    "Memorised: the share of pictures that copy a training photo; the share of real photos is what "
    "happens by chance. Of its class: as classified by a linear probe of real photos. In its "
    "context: pictures that are nearest to the context in their prompt."
)


def _counts(figures: SubjectFigures, sheets: Mapping[str, str]) -> str:
    return (
        f"{figures.held_out} held-out photos; {figures.training} training photos. "
        f"Contact sheet: {sheets[figures.class_name]}"
    )


def sheet_names(class_names: Sequence[str]) -> dict[str, str]:
    """Class name -> the file of its contact sheet."""
    return {name: f"sheet-{word}.jpg" for name, word in plain_words(class_names).items()}


def sentences(figures: SubjectFigures) -> list[str]:
    """The choices of steps and the caveats of a class."""
    without = any(row.lettering and row.lettering.detector is None for row in figures.rows)
    bare = ["Without a detector, the logo score is the OCR score alone."] if without else []
    chosen = [f"{choice.file}: {choice.sentence}" for choice in figures.choices]
    return [*chosen, *figures.notes, *bare]


def write_markdown(path: Path, evaluation: Evaluation) -> None:
    """Write `markdown` to a file."""
    write_text_atomic(path, markdown(evaluation))
