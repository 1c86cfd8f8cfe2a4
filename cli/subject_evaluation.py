"""`manyshot subject evaluate`: how like are the pictures of a subject?"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.errors import InputError
from ..core.extras import Extra
from .doors import DATASETS, REAL_PHOTOS, TRAINED
from .needs import needs
from .options import Quiet, progress_console
from .tokenizer import Tokenizer, tokenizer_folder

if TYPE_CHECKING:  # imported when the command runs, so that --help is instant
    from ..trainer.subjects.evaluation.class_sheet import Sheet
    from ..trainer.subjects.evaluation.eval_config import BaseFile, EvalConfig
    from ..trainer.subjects.evaluation.evaluation_results import Evaluation
    from ..trainer.subjects.evaluation.subject_pictures import Drawing
    from .console import PlainConsole

CONTEXTS = ("green background", "white background", "black background", "blue background")


@needs("subject evaluate", Extra.TRAINER)
def evaluate(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Trained files, or folders of them.", show_default=False, callback=TRAINED
        ),
    ] = None,
    real: Annotated[
        list[Path] | None,
        typer.Option(
            help="Real photos: class folders, one class's folder, or a measurement recipe. "
            "Repeatable. Photos that a subject was trained on are recognised by "
            "content.",
            callback=REAL_PHOTOS,
        ),
    ] = None,
    dataset: Annotated[
        list[Path] | None,
        typer.Option(
            help="Evaluate the images of this dataset folder instead. Repeatable.",
            callback=DATASETS,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="The output folder; default: evaluation/ beside the first file."),
    ] = None,
    base: Annotated[
        Path | None, typer.Option(help="The base model of the files; default: manyshot-tiny.")
    ] = None,
    count: Annotated[int, typer.Option(min=2, help="Images per subject.")] = 32,
    batch: Annotated[int, typer.Option(min=1, help="Images drawn at once.")] = 8,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    guidance: Annotated[float, typer.Option(min=1)] = 5.0,
    template: Annotated[
        list[str] | None,
        typer.Option(help='A prompt; {} is the subject. Repeatable. Default: "a photo of a {}"'),
    ] = None,
    context: Annotated[
        list[str] | None,
        typer.Option(
            help="A context to test prompt fidelity with. Repeatable. Default: backgrounds "
            "in four colours."
        ),
    ] = None,
    context_count: Annotated[int, typer.Option(min=0, help="Images per context; 0: none.")] = 6,
    backbone: Annotated[
        list[str] | None,
        typer.Option(
            help="A network to compare with: opennsfw, efficientnet_lite0, clip, or the name of a "
            "timm model. Repeatable; --choose uses the first. Default: opennsfw."
        ),
    ] = None,
    most: Annotated[int, typer.Option(min=1, help="Real photos per class, at most.")] = 40,
    choose: Annotated[
        bool,
        typer.Option(
            "--choose",
            help="Replace each file with its most similar saved checkpoint, then evaluate it.",
        ),
    ] = False,
    limit: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="With --choose: the share of images that may repeat training photos."
        ),
    ] = 0.1,
    word: Annotated[
        str | None, typer.Option(help="The text of a logo: images are read with OCR.")
    ] = None,
    detector: Annotated[
        Path | None, typer.Option(help="With --word: a YOLO detector (ONNX) that finds the logo.")
    ] = None,
    tokenizer: Tokenizer = None,
    device: Annotated[str, typer.Option(help='Device to draw on: "cpu", "cuda".')] = "cpu",
    quiet: Quiet = False,
) -> None:
    """Evaluate subject fidelity, diversity and prompt fidelity. Run again to resume."""
    from .console import PlainConsole
    from .progress import loading, progress

    console, shown = PlainConsole(), progress_console(quiet)
    sources, trained = real or [], _find_trained(files or [])
    _check(trained, sources, dataset or [], choose, detector, word)
    with loading("PyTorch", shown):
        from ..trainer.subjects.evaluation.evaluate_datasets import evaluate_datasets
        from ..trainer.subjects.evaluation.evaluate_files import evaluate_files
        from ..trainer.subjects.evaluation.subject_pictures import Drawing
    contexts = tuple(context or CONTEXTS) if context_count else ()
    templates = tuple(template or Drawing.templates)
    drawing = Drawing(count, batch, seed, guidance, templates, contexts, context_count)
    folder = output or (dataset or [path.parent for path in trained])[0] / "evaluation"
    with progress(shown) as report_step:
        config = _build_config(
            folder, drawing, backbone or ["opennsfw"], most, limit, word, detector
        )
        if dataset:
            evaluation, sheets = evaluate_datasets(dataset, sources, config, report_step)
        else:
            base_file = _base(base, tokenizer, device)
            evaluation, sheets = evaluate_files(
                trained, sources, base_file, config, choose, report_step
            )
    _write(console, folder, evaluation, sheets)


def _check(
    trained: Sequence[Path],
    sources: Sequence[Path],
    datasets: Sequence[Path],
    choose: bool,
    detector: Path | None,
    word: str | None,
) -> None:
    """Raises InputError for options that do not go together."""
    if not trained and not datasets:
        raise InputError("Pass the trained files to evaluate, or a dataset folder with --dataset.")
    if trained and datasets:
        raise InputError(
            "Pass either trained files, whose images are drawn here, or --dataset: a "
            "dataset folder records what its subjects were trained on."
        )
    if not sources:
        raise InputError(
            "Pass --real, a folder of class folders with real photos: images are compared "
            "with those that no subject was trained on."
        )
    if choose and datasets:
        raise InputError("--choose works with trained files, not with --dataset.")
    if detector and word is None:
        raise InputError("--detector needs --word, the text of the logo.")


def _find_trained(paths: Sequence[Path]) -> list[Path]:
    """Files, and those in folders. Raises InputError for what is not there."""
    files: list[Path] = []
    for path in paths:
        inside = sorted(path.glob("*.safetensors")) if path.is_dir() else [path]
        if not inside or not (path.is_dir() or path.is_file()):
            what = "no .safetensors files in it" if path.is_dir() else "no such file"
            raise InputError(f"No trained subjects at {path}: {what}.")
        files.extend(inside)
    return list(dict.fromkeys(files))


def _build_config(
    folder: Path,
    drawing: "Drawing",
    backbones: Sequence[str],
    most: int,
    limit: float,
    word: str | None,
    detector: Path | None,
) -> "EvalConfig":
    from ..core.cache import cache_folder
    from ..trainer.subjects.evaluation.eval_config import EvalConfig
    from ..trainer.subjects.evaluation.extractors import open_extractor
    from ..trainer.subjects.evaluation.logo_plugins import open_detector, open_reader
    from ..trainer.subjects.evaluation.reference_set import FeatureExtractors
    from ..trainer.subjects.evaluation.scoring import TextCheck

    text_check = None
    if word is not None:
        text_check = TextCheck(word, open_reader(), open_detector(detector) if detector else None)
    eyes = FeatureExtractors(tuple(map(open_extractor, backbones)), cache_folder() / "features")
    return EvalConfig(folder, drawing, eyes, most, limit, text_check)


def _base(base: Path | None, tokenizer: Path | None, device: str) -> "BaseFile":
    import torch

    from ..core.tiny_files import TINY_MODEL
    from ..trainer.device import check_device
    from ..trainer.stable_diffusion.architecture import load_tokenizer
    from ..trainer.subjects.evaluation.eval_config import BaseFile

    check_device(device)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)))
    return BaseFile(base or TINY_MODEL, load_tokenizer(tokenizer_folder(tokenizer)), device)


def _write(
    console: "PlainConsole", folder: Path, evaluation: "Evaluation", sheets: "Sequence[Sheet]"
) -> None:
    """The tables on the terminal, and all files into the folder."""
    from rich.table import Table
    from rich.text import Text

    from ..trainer.subjects.evaluation.evaluation_markdown import (
        sentences,
        sheet_names,
        write_markdown,
    )
    from ..trainer.subjects.evaluation.evaluation_results import write_results
    from ..trainer.subjects.evaluation.subject_tables import class_table, method_table, shorten

    name = next(iter(evaluation.extractors))
    tables = [class_table(figures, name) for figures in evaluation.subjects]
    short = [shorten(*table_parts) for table_parts in tables]
    head, lines = method_table(evaluation, name)
    for rows in [*short, list(zip(head, *lines, strict=True))]:  # methods side by side: few
        table = Table()
        for cell in rows[0]:
            table.add_column(Text(cell), overflow="fold")
        for line in rows[1:]:
            table.add_row(*map(Text, line))
        console.print(table)
    sentence_lines = [line for figures in evaluation.subjects for line in sentences(figures)]
    names = sheet_names([figures.class_name for figures in evaluation.subjects])
    for sheet in sheets:
        sheet.write(folder / names[sheet.class_name])
    write_markdown(folder / "evaluation.md", evaluation)
    write_results(folder, evaluation)
    for line in [*sentence_lines, f"All figures and tables: {folder / 'evaluation.md'}"]:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
