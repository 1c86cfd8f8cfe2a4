"""`manyshot base`: train manyshot-tiny, export it for ComfyUI, and measure it."""

import logging
import os
from pathlib import Path
from typing import Annotated

import typer

from ..core.errors import InputError
from ..core.tiny_sizes import IMAGE_SIZE, TINY

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Train manyshot-tiny on Oxford-IIIT Pet, export it, and measure it.",
)

Data = Annotated[
    Path, typer.Option(help="The folder that holds oxford-iiit-pet/, as torchvision lays it out.")
]
Run = Annotated[
    Path, typer.Option(help="The folder of this training run: checkpoints, pictures, exports.")
]
Tokenizer = Annotated[
    Path | None, typer.Option(help="A folder with SD1's tokenizer; default: ComfyUI's own.")
]
Steps = Annotated[int | None, typer.Option(min=1, help="End after so many steps.")]
Minutes = Annotated[float | None, typer.Option(min=0.01, help="End after so many minutes.")]
Batch = Annotated[int, typer.Option(min=1, help="Images in a step.")]
Rate = Annotated[float, typer.Option(min=1e-7, max=1.0, help="Peak learning rate.")]
Every = Annotated[int, typer.Option(min=1, help="Steps between checkpoints and pictures.")]
Device = Annotated[str, typer.Option(help='Where to compute: "cpu", "cuda", "cuda:1".')]
Bf16 = Annotated[bool, typer.Option(help="Compute in bfloat16 (faster on most machines).")]


@app.command()
def train_autoencoder(
    data: Data,
    run: Run,
    steps: Steps = None,
    minutes: Minutes = None,
    batch: Batch = 8,
    crop: Annotated[int, typer.Option(min=16, help="Side of the crops, in pixels.")] = 64,
    rate: Rate = 1e-3,
    decoder_only: Annotated[
        bool, typer.Option(help="Leave the latents as they are; a base model may know them.")
    ] = False,
    every: Every = 500,
    device: Device = "cpu",
    bf16: Bf16 = True,
) -> None:
    """Train the autoencoder; run it again to go on where it stopped."""
    from ..trainer.base.data import pool_split, read_images, read_split, watched_pixels
    from ..trainer.base.train_autoencoder import AutoencoderOptions, train_autoencoder

    _prepare(device)
    images = read_images(data, pool_split(read_split(data)).pool, IMAGE_SIZE)
    options = AutoencoderOptions(
        steps,
        minutes,
        batch,
        crop,
        rate,
        decoder_only=decoder_only,
        device=device,
        bf16=bf16,
        every=every,
    )
    train_autoencoder(images, watched_pixels(images, 12), TINY, options, run)
    _say(f"Saved in {run}. Run it again to go on.")


@app.command()
def train(
    data: Data,
    run: Run,
    tokenizer: Tokenizer = None,
    steps: Steps = None,
    minutes: Minutes = None,
    batch: Batch = 32,
    rate: Rate = 6e-4,
    lessons: Annotated[
        int, typer.Option(min=0, help="Steps in which the text encoder first learns the words.")
    ] = 250,
    workers: Annotated[
        int, typer.Option(min=1, help="Parts of a batch computed side by side, on a CPU.")
    ] = 1,
    mirror: Annotated[bool, typer.Option(help="Learn from mirrored images as well.")] = True,
    every: Every = 500,
    device: Device = "cpu",
    bf16: Bf16 = True,
) -> None:
    """Train UNet and text encoder on the autoencoder's latents; again to go on."""
    from ..trainer.base.architecture import load_tokenizer
    from ..trainer.base.autoencoder import load_autoencoder
    from ..trainer.base.data import pool_split, read_images, read_split
    from ..trainer.base.diffusion import DiffusionOptions, Model, build_corpus
    from ..trainer.base.latents import cached_latents
    from ..trainer.base.train_base import sampler, train_base, watched_prompts
    from ..trainer.base.words import teach_words

    _prepare(device)
    words = load_tokenizer(_tokenizer_folder(tokenizer))
    vae = load_autoencoder(run, TINY)
    pool = pool_split(read_split(data)).pool
    images = read_images(data, pool, IMAGE_SIZE)
    latents = cached_latents(run, vae, images, mirror, device, bf16)
    options = DiffusionOptions(
        steps, minutes, batch, rate, device=device, bf16=bf16, workers=workers, every=every
    )
    corpus = build_corpus(latents, pool, words)
    draw_samples = sampler(words, vae, watched_prompts(pool), run / "samples")

    def begin(model: Model) -> None:
        teach_words(model.text_encoder, words, pool, lessons)

    train_base(corpus, begin, draw_samples, TINY, options, run)
    _say(f"Saved in {run}. Run it again to go on, or `manyshot base export` to use it.")


@app.command()
def export(
    run: Run,
    checkpoint: Annotated[
        Path, typer.Option(help="The single file to write, for ComfyUI's models/checkpoints.")
    ],
    diffusers: Annotated[
        Path | None, typer.Option(help="Also write a folder for diffusers' pipelines.")
    ] = None,
    tokenizer: Tokenizer = None,
) -> None:
    """Write the trained model as files other programs load."""
    from ..trainer.base.architecture import load_tokenizer
    from ..trainer.base.diffusion import load_networks
    from ..trainer.base.export import export_diffusers, export_run

    words = load_tokenizer(_tokenizer_folder(tokenizer))
    networks = load_networks(run, words, TINY)
    export_run(checkpoint, run, networks, TINY)
    _say(f"Wrote {checkpoint} ({checkpoint.stat().st_size / 1e6:.1f} MB).")
    if diffusers is not None:
        export_diffusers(diffusers, networks)
        _say(f"Wrote {diffusers}.")


@app.command()
def evaluate(
    data: Data,
    run: Run,
    tokenizer: Tokenizer = None,
    each: Annotated[int, typer.Option(min=1, help="Generated images of each class.")] = 8,
    steps: Annotated[int, typer.Option(min=1, help="Sampling steps.")] = 20,
    cfg: Annotated[list[float] | None, typer.Option(help="Guidance; may be repeated.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the first batch.")] = 0,
    device: Device = "cpu",
) -> None:
    """Autoencoder PSNR on test images, and how often a probe agrees with the class named."""
    from ..trainer.base.architecture import load_tokenizer
    from ..trainer.base.diffusion import load_networks
    from ..trainer.base.evaluate import EvaluationOptions, evaluate_run

    _prepare(device)
    words = load_tokenizer(_tokenizer_folder(tokenizer))
    options = EvaluationOptions(each, steps, tuple(cfg or [3.0]), seed)
    networks = load_networks(run, words, TINY).on(device)
    found = evaluate_run(data, run, networks, options)
    _say("\n".join(f"{name}: {value}" for name, value in found.items()))


def _tokenizer_folder(given: Path | None) -> Path:
    """The folder given, else that of the embedded ComfyUI."""
    if given is not None:
        return given
    from ..driver.embedded.source import installed_source

    source = installed_source()
    if source is None:
        raise InputError(
            "SD1's tokenizer comes with ComfyUI, which is not installed: run "
            "`manyshot server install`, or give --tokenizer a folder with vocab.json."
        )
    return source.folder / "comfy" / "sd1_tokenizer"


def _prepare(device: str) -> None:
    """Log lines on the terminal, as many threads as cores; refuses a device that is not there."""
    import torch
    from rich.logging import RichHandler

    if device.startswith("cuda") and not torch.cuda.is_available():
        raise InputError(f"There is no GPU for --device {device}: leave it away to use the CPU.")
    logging.basicConfig(
        level=logging.INFO, format="%(message)s", handlers=[RichHandler(show_path=False)]
    )
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)))
    torch.set_float32_matmul_precision("high")


def _say(text: str) -> None:
    from rich.console import Console

    Console().print(text, markup=False, highlight=False)
