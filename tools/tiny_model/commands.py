"""The training commands: train manyshot-tiny, export it for ComfyUI, and measure it."""

import logging
import os
from pathlib import Path
from typing import Annotated, Literal

import typer
from manyshot.cli.console import say
from manyshot.cli.needs import needs
from manyshot.cli.tokenizer import Tokenizer, tokenizer_folder
from manyshot.core.extras import Extra
from manyshot.core.tiny_sizes import IMAGE_SIZE, TINY

PROGRAM = "python tools/tiny_model"  # as it is run in a checkout

app = typer.Typer(
    add_completion=False,
    name=PROGRAM,
    rich_markup_mode=None,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Train, export and evaluate manyshot-tiny on Oxford-IIIT Pet.",
)

Data = Annotated[
    Path, typer.Option(help="The folder that contains oxford-iiit-pet/ in torchvision's layout.")
]
Broad = Annotated[
    Path | None,
    typer.Option(
        help="More images of any kind, <folder>/<class name>/<images>, to broaden the model."
    ),
]
Run = Annotated[
    Path, typer.Option(help="The folder of this training run: checkpoints, samples, exports.")
]
Steps = Annotated[int | None, typer.Option(min=1, help="Stop after this many steps.")]
Minutes = Annotated[float | None, typer.Option(min=0.01, help="Stop after this many minutes.")]
Batch = Annotated[int, typer.Option(min=1, help="Images per step.")]
Rate = Annotated[float, typer.Option(min=1e-7, max=1.0, help="Peak learning rate.")]
Workers = Annotated[
    int, typer.Option(min=1, help="Parts of a batch computed in parallel, on a CPU.")
]
Kind = Literal["segmentation", "canny"]
Every = Annotated[int, typer.Option(min=1, help="Steps between checkpoints and samples.")]
Seed = Annotated[
    int,
    typer.Option(
        min=0,
        help="Random seed. The same seed, --steps and --workers give the same weights on "
        "the same machine, if the run is not interrupted.",
    ),
]
Device = Annotated[str, typer.Option(help='Device to compute on: "cpu", "cuda", "cuda:1".')]
Bf16 = Annotated[bool, typer.Option(help="Compute in bfloat16 (faster on most machines).")]


@app.command()
@needs("train-autoencoder", Extra.TRAINER, program=PROGRAM)
def train_autoencoder(
    data: Data,
    run: Run,
    broad: Broad = None,
    steps: Steps = None,
    minutes: Minutes = None,
    batch: Batch = 8,
    crop: Annotated[int, typer.Option(min=16, help="Side of the crops, in pixels.")] = 64,
    rate: Rate = 1e-3,
    perceptual: Annotated[
        float,
        typer.Option(
            min=0, help="Weight of the perceptual loss (features of an ImageNet network)."
        ),
    ] = 1.0,
    adversarial: Annotated[
        float, typer.Option(min=0, help="Weight of the discriminator; 0 trains without one.")
    ] = 0.0,
    decoder_only: Annotated[
        bool,
        typer.Option(
            help="Freeze the encoder, so that a base model trained on its latents still fits."
        ),
    ] = False,
    workers: Workers = 1,
    every: Every = 500,
    seed: Seed = 0,
    device: Device = "cpu",
    bf16: Bf16 = True,
) -> None:
    """Train the autoencoder. Run again to resume."""
    from manyshot.core.pets import read_split
    from manyshot.core.subsets import evenly, pool_split

    from .autoencoder_batches import AutoencoderOptions
    from .photo_data import preview_pixels, read_broad, read_images
    from .train_autoencoder import train_autoencoder

    _prepare(device)
    images = read_images(data, pool_split(read_split(data)).pool, IMAGE_SIZE)
    watched = preview_pixels(images, 12)
    if broad is not None:
        images += evenly(read_broad(broad, each=10)[1], len(images) // 3)
    options = AutoencoderOptions(
        steps,
        minutes,
        batch,
        crop,
        rate,
        perceptual=perceptual,
        adversarial=adversarial,
        decoder_only=decoder_only,
        workers=workers,
        device=device,
        bf16=bf16,
        every=every,
        seed=seed,
    )
    train_autoencoder(images, watched, TINY, options, run)
    say(f"Saved in {run}. Run it again to continue.")


@app.command()
@needs("train", Extra.TRAINER, program=PROGRAM)
def train(
    data: Data,
    run: Run,
    broad: Broad = None,
    tokenizer: Tokenizer = None,
    steps: Steps = None,
    minutes: Minutes = None,
    batch: Batch = 32,
    rate: Rate = 6e-4,
    lessons: Annotated[int, typer.Option(min=1, help="Steps of text encoder pretraining.")] = 1000,
    workers: Workers = 1,
    mirror: Annotated[bool, typer.Option(help="Also train on mirrored images.")] = True,
    alignment: Annotated[
        float,
        typer.Option(min=0, help="Weight of predicting an ImageNet net's features; 0 does not."),
    ] = 0.0,
    every: Every = 500,
    seed: Seed = 0,
    device: Device = "cpu",
    bf16: Bf16 = True,
) -> None:
    """Pretrain the text encoder, then train the UNet on latents. Run again to resume."""
    from manyshot.trainer.stable_diffusion.architecture import load_tokenizer
    from manyshot.trainer.stable_diffusion.euler_sampling import Networks

    from .alignment import image_features
    from .autoencoder import load_autoencoder
    from .corpus import broad_examples, list_seen_examples, pet_examples, prepare_corpus
    from .diffusion import DiffusionOptions
    from .text_pretraining import pretrain_text_encoder
    from .train_base import fresh_unet, preview_prompts, sampler, train_base

    _prepare(device)
    words = load_tokenizer(tokenizer_folder(tokenizer))
    vae = load_autoencoder(run, TINY)
    examples = pet_examples(data) + (broad_examples(broad, each=15) if broad else [])
    said = [caption for example in examples for caption in example.captions]
    text_encoder = pretrain_text_encoder(run, TINY, words, said, lessons, seed)
    options = DiffusionOptions(
        steps,
        minutes,
        batch,
        rate,
        alignment=alignment,
        device=device,
        bf16=bf16,
        workers=workers,
        every=every,
        seed=seed,
    )
    networks = Networks(words, text_encoder, fresh_unet(TINY, seed), vae)
    corpus = prepare_corpus(examples, networks, options, mirror, run)
    draw_samples = sampler(networks, preview_prompts(examples), run / "samples")
    images = [example.image for example in list_seen_examples(examples, mirror)]
    features = image_features(images, device) if alignment else None
    train_base(corpus, networks.unet, draw_samples, options, run, features)
    say(f"Saved in {run}. Run it again to continue, or `python tools/tiny_model export` to use it.")


@app.command()
@needs("train-controlnet", Extra.TRAINER, program=PROGRAM)
def train_controlnet(
    data: Data,
    run: Run,
    kind: Annotated[Kind, typer.Option(help="The conditioning: trimap colours or edges.")],
    tokenizer: Tokenizer = None,
    steps: Steps = None,
    minutes: Minutes = None,
    batch: Batch = 32,
    rate: Rate = 1e-3,
    workers: Workers = 1,
    every: Every = 500,
    seed: Seed = 0,
    device: Device = "cpu",
    bf16: Bf16 = True,
) -> None:
    """Train a ControlNet on the trained base. Run again to resume."""
    from manyshot.trainer.stable_diffusion.architecture import load_tokenizer

    from .conditions import condition_images, preview_conditions
    from .corpus import list_seen_examples, pet_examples, prepare_corpus
    from .diffusion import DiffusionOptions, load_networks
    from .train_controlnet import checkpoint_path, sampler, train_controlnet

    _prepare(device)
    networks = load_networks(run, load_tokenizer(tokenizer_folder(tokenizer)), TINY)
    examples = pet_examples(data)
    options = DiffusionOptions(
        steps,
        minutes,
        batch,
        rate,
        dropped=0.3,  # so that it learns to see the class in the control image
        device=device,
        bf16=bf16,
        workers=workers,
        every=every,
        seed=seed,
    )
    corpus = prepare_corpus(examples, networks, options, True, run)
    images = condition_images(list_seen_examples(examples, True), kind)
    prompts, watched = preview_conditions(examples, images, 8)
    draw_samples = sampler(networks, prompts, watched, run / f"samples-{kind}")
    path = checkpoint_path(run, kind)
    train_controlnet(corpus, images, networks.unet, draw_samples, options, path)
    say(f"Saved {path}. Run it again to continue, or `python tools/tiny_model export` to use it.")


def _prepare(device: str) -> None:
    """Log lines on the terminal, as many threads as cores; refuses a device that is not there."""
    import torch
    from manyshot.trainer.device import check_device
    from rich.logging import RichHandler

    check_device(device)
    logging.basicConfig(
        level=logging.INFO, format="%(message)s", handlers=[RichHandler(show_path=False)]
    )
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)))
    torch.set_float32_matmul_precision("high")
