"""manyshot demo: the whole way on a fresh machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ...core.errors import ManyshotError
from ...core.extras import Extra
from ..needs import needs


class Method(StrEnum):
    """Those of core/subject_file.py, for --help."""

    LORA = "lora"
    TEXTUAL_INVERSION = "textual_inversion"
    DREAMBOOTH = "dreambooth"


@needs("demo", Extra.SERVER, Extra.TRAINER)
def demo(
    quick: Annotated[
        bool, typer.Option("--quick", help="Use fewer draws, steps and images.")
    ] = False,
    output: Annotated[Path, typer.Option(help="The folder to write everything into.")] = Path(
        "demo"
    ),
    method: Annotated[Method, typer.Option(help="The method that trains subjects.")] = Method.LORA,
) -> None:
    """Run the whole pipeline on five photos per class of solar cells. Interrupted runs resume."""
    from ...driver.embedded.source import ensure_installed
    from ..console import PlainConsole
    from ..report import draw
    from ..tokenizer import tokenizer_folder
    from .recipes import Demo
    from .sizes import FULL, QUICK
    from .steps import answer, draw_pictures, lay_out_photos, measure_gain, train_subjects

    console = PlainConsole(soft_wrap=True)

    def say(text: str) -> None:
        console.print(text, markup=False, highlight=False)

    size = QUICK if quick else FULL
    demo = Demo(size, method.value, output / (f"{method.value}-quick" if quick else method.value))
    say(
        f"Solar cells, which the small model has never seen, in {demo.folder}: about "
        f"{size.minutes} minutes on two cores. Ctrl-C stops; the same command resumes."
    )
    with _sentences(demo.folder):
        demo.folder.mkdir(parents=True, exist_ok=True)
        ensure_installed(say)
        lay_out_photos(demo, say)
        train_subjects(demo, tokenizer_folder(None), console, say)
        draw_pictures(demo, console, say)
        results = measure_gain(demo, console, say)
        draw(console, demo.results, results)
        say(f"Recipes for running each step on its own: {demo.write_recipes()}")
    console.print(answer(demo, results), style="bold", markup=False, highlight=False)


@contextmanager
def _sentences(folder: Path) -> Iterator[None]:
    """What the disk has against it, in a sentence."""
    try:
        yield
    except OSError as error:
        raise ManyshotError(
            f"The demo cannot continue in {folder}: {error}. Free up space, or choose another "
            "--output; finished steps are kept."
        ) from None
