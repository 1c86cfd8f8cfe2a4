"""manyshot start | demo: from a few photos a class to a measured gain, in one command."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...core.extras import Extra
from ..doors import CLASS_FOLDERS
from ..needs import needs
from .options import Method, Options, Way

if TYPE_CHECKING:  # imported when a command runs, so that --help is instant
    from ..console import PlainConsole
    from .photos import Photos
    from .recipes import RecipeFile
    from .setup import Setup

Quick = Annotated[bool, typer.Option("--quick", help="Use fewer draws, steps and images.")]
OnlyPlan = Annotated[
    bool,
    typer.Option(
        "--plan",
        help="Only show the steps, minutes, disk space and what the answer cannot tell.",
    ),
]
How = Annotated[Method | None, typer.Option(help="The method that trains subjects; default: lora.")]


@needs("start", Extra.SERVER, Extra.TRAINER)
def start(
    folder: Annotated[
        Path,
        typer.Argument(
            help="Photos: FOLDER/<class name>/<images>, five or more per class; with masks "
            "FOLDER/images/<class name>/ and FOLDER/masks/<class name>/.",
            show_default=False,
            callback=CLASS_FOLDERS,
        ),
    ],
    noun: Annotated[
        str | None,
        typer.Option(help='What the classes are, as in "food"; default: each class\'s own name.'),
    ] = None,
    test: Annotated[
        Path | None,
        typer.Option(
            help="A folder of test photos of the same classes. Default: test/ or val/ in FOLDER, "
            "else a quarter of each class is held out."
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="The output folder; default: start/<name of FOLDER>.")
    ] = None,
    plan: OnlyPlan = False,
    quick: Quick = False,
    shots: Annotated[
        int | None,
        typer.Option(min=1, help="Photos per class in a draw; default: 5."),
    ] = None,
    draws: Annotated[int | None, typer.Option(min=1, max=1000, help="Number of draws.")] = None,
    images: Annotated[
        int | None, typer.Option(min=1, help="Synthetic images per class (and draw).")
    ] = None,
    way: Annotated[
        Way | None,
        typer.Option(
            help="How to make images: with words learned from the photos, from class names, "
            "or from masks. Default: what fits the photos and the model."
        ),
    ] = None,
    method: How = None,
    base: Annotated[
        Path | None,
        typer.Option(
            help="A checkpoint of Stable Diffusion 1.x or XL to train subjects on and to draw "
            "with; default: manyshot-tiny."
        ),
    ] = None,
    workflow: Annotated[
        str | None,
        typer.Option(
            help="A workflow to draw with: a file, or one that comes with manyshot, such as "
            "class_prompts_sd15 or keep_object_sdxl."
        ),
    ] = None,
    server: Annotated[
        list[str] | None,
        typer.Option(
            "--server",
            help="A ComfyUI to draw on, http://host:port. Repeatable. Default: the embedded one.",
            show_default=False,
        ),
    ] = None,
    comfyui: Annotated[
        Path | None,
        typer.Option(help="Your own ComfyUI folder, to start a server from.", show_default=False),
    ] = None,
) -> None:
    """From your photos to a measured gain: synthetic images, trainings with and without, a report.

    Writes the recipes that it uses, numbered and with comments; edit them and run the command
    again, or run each step on its own. Ctrl-C stops; the same command resumes.

    Example: manyshot start photos --noun food --test test_photos --plan
    """
    from ..console import PlainConsole
    from ..options import progress_console
    from ..progress import loading, progress
    from .checks import check_options

    options = Options(
        folder=folder,
        output=output or Path("start") / folder.resolve().name,
        noun=noun,
        test=test,
        way=way,
        method=method,
        shots=shots,
        draws=draws,
        images=images,
        base=base,
        workflow=workflow,
        servers=tuple(server or ()),
        comfyui=comfyui,
        quick=quick,
    )
    check_options(options)
    console = PlainConsole(soft_wrap=True)
    with loading("PyTorch", progress_console(False)):
        from .photos import look_at
    with progress(console) as step:
        photos = look_at(folder, test, step)
    go(options, photos, plan, console)


@needs("demo", Extra.SERVER, Extra.TRAINER)
def demo(
    quick: Quick = False,
    output: Annotated[Path, typer.Option(help="The output folder.")] = Path("demo"),
    method: How = None,
    plan: OnlyPlan = False,
) -> None:
    """Run `start` on photos of solar cells, which the small model has never seen."""
    from ..console import PlainConsole
    from ..options import progress_console
    from ..progress import loading

    with loading("PyTorch", progress_console(False)):
        from .photos import solar_cells
    name = f"cells-{(method or Method.LORA).value}" + ("-quick" if quick else "")
    options = Options(None, output / name, noun="solar cell", method=method, quick=quick)
    go(options, solar_cells(), plan, PlainConsole(soft_wrap=True))


def go(options: Options, photos: "Photos", plan: bool, console: "PlainConsole") -> None:
    """Show what will be done; without `plan`, do it. Ends with the answer in a sentence."""
    from ...core.sole_use import sole_use
    from .begun import check_begun
    from .checks import sentences_of_disk
    from .recipes import recipe_files
    from .setup import decide
    from .show import show_plan

    setup = decide(options, photos)
    files = recipe_files(setup)
    check_begun(setup)
    show_plan(setup, console)
    if not plan:
        with sentences_of_disk(options.output), sole_use(options.output):
            _go(setup, files, console)


def _go(setup: "Setup", files: "list[RecipeFile]", console: "PlainConsole") -> None:
    from ...driver.address import EMBEDDED
    from ...driver.embedded.source import ensure_installed
    from ...trainer.measure.report.answer import answer
    from ..options import progress_console
    from ..progress import loading
    from ..report import draw
    from .begun import keep_begun
    from .preflight import check_servers
    from .recipes import write_recipes
    from .show import say_changed, say_recipes

    with loading("diffusers", progress_console(False)):
        from .steps import do_all, read_work

    def say(text: str) -> None:
        console.print(text)

    keep_begun(setup)
    changed = write_recipes(files)
    say(f"Recipes in {setup.output}: {', '.join(file.path.name for file in files)}")
    say_changed(changed, say)
    work = read_work([file.path for file in files], setup.options.comfyui, console, say)
    check_servers(setup.options, work.pictures)
    if work.subjects or any(address.url == EMBEDDED for address in work.pictures.servers):
        ensure_installed(say)  # it has SD1's tokenizer as well
    results = do_all(work)
    draw(console, work.measurement.output, results)
    say_recipes(setup, files, say)
    console.print(answer(results).sentence, style="bold")
