"""The autoencoder: TAESD's architecture, trained from nothing on crops of the pool."""

import logging
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from diffusers.models.unets.unet_2d_blocks import AutoencoderTinyBlock
from torch import Tensor, nn
from torch.nn import functional

from ...core.tiny_sizes import DOWNSCALE, LATENT_CHANNELS, Sizes
from .architecture import build_vae
from .pictures import to_pixels, write_grid
from .training import (
    Clock,
    cosine_rate,
    load_checkpoint,
    place,
    save_checkpoint,
    set_rate,
    stoppable,
)

log = logging.getLogger(__name__)
CHECKPOINT = "autoencoder.safetensors"


@dataclass(frozen=True)
class AutoencoderOptions:
    """How to train. `noise` is the deviation of what is added to latents (whose own is 1).

    `decoder_only` leaves the latents as they are, for a base model that already learned them.
    """

    steps: int | None = None
    minutes: float | None = None
    batch: int = 8
    crop: int = 64
    rate: float = 1e-3
    noise: float = 0.1
    decoder_only: bool = False
    device: str = "cpu"
    bf16: bool = True
    every: int = 500


class TrainableAutoencoder(nn.Module):
    """AutoencoderTiny with its latents held at mean 0 and deviation 1 in each channel.

    A diffusion model wants such latents. A batch norm without parameters enforces them during
    training; `finished` folds it into the encoder's last convolution, which changes nothing.
    """

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.vae = build_vae(sizes)
        self.norm = nn.BatchNorm2d(LATENT_CHANNELS, affine=False, momentum=0.02)
        _shrink_residuals(self.vae)

    def forward(self, pixels: Tensor, noise: float) -> tuple[Tensor, Tensor]:
        """Pixels (batch, 3, height, width) from -1 to 1 through noisy latents and back.

        Returns the pixels found, and the latents without their noise.
        """
        latents = self.norm(self.vae.encoder(pixels).float())
        return self.vae.decoder(latents + noise * torch.randn_like(latents)), latents

    @torch.no_grad()
    def finished(self) -> AutoencoderTiny:
        """A plain AutoencoderTiny whose encoder gives the normalised latents itself."""
        vae = deepcopy(self.vae)
        mean, var = self.norm.running_mean, self.norm.running_var
        last = vae.encoder.layers[-1]
        assert mean is not None
        assert var is not None
        assert isinstance(last, nn.Conv2d)
        assert last.bias is not None
        deviation = (var + self.norm.eps).sqrt()
        last.weight /= deviation.view(-1, 1, 1, 1)
        last.bias.copy_((last.bias - mean) / deviation)
        return vae.eval()


def _shrink_residuals(vae: nn.Module) -> None:
    """Start each residual branch small, so that the deep stack learns from the first steps."""
    for module in vae.modules():
        if isinstance(module, AutoencoderTinyBlock):
            last = module.conv[-1]
            assert isinstance(last, nn.Conv2d)
            last.weight.data.mul_(0.1)


def reconstruction_loss(found: Tensor, wanted: Tensor) -> Tensor:
    """Errors of pixels (absolute and squared), of their differences (edges), and of colour."""
    error = found.float() - wanted
    edges = (error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()) / 2
    colour = error - error.mean(dim=1, keepdim=True)
    return error.abs().mean() + 2 * error.square().mean() + edges + 4 * colour.square().mean()


def colour_loss(latents: Tensor, pixels: Tensor) -> Tensor:
    """How far the first three latent channels are from the local brightness and its two colours.

    Grey edges make most of the plain error, and all channels would go to them at first: pictures
    stay brown for a thousand steps. So training begins with this loss, and ends without it.
    """
    red, green, blue = functional.avg_pool2d(pixels, DOWNSCALE).unbind(dim=1)
    colours = [red + green + blue, red - blue, green - (red + blue) / 2]
    wanted = functional.batch_norm(torch.stack(colours, dim=1), None, None, training=True)
    return functional.mse_loss(latents[:, :3], wanted)


def random_crops(images: Sequence[np.ndarray], size: int, batch: int, rng: np.random.Generator):
    """(batch, 3, size, size) float pixels from -1 to 1, each from a random image and place."""
    crops = [_random_crop(images[i], size, rng) for i in rng.integers(len(images), size=batch)]
    return to_pixels(torch.from_numpy(np.stack(crops)))


def _random_crop(image: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    top, left = (int(rng.integers(side - size + 1)) for side in image.shape[:2])
    crop = image[top : top + size, left : left + size]
    return crop[:, ::-1] if rng.random() < 0.5 else crop


def train_autoencoder(
    images: Sequence[np.ndarray],
    watched: Tensor,
    sizes: Sizes,
    options: AutoencoderOptions,
    folder: Path,
) -> AutoencoderTiny:
    """Train on random crops of `images` until the budget is spent, resuming what `folder` holds.

    `watched` (n, 3, height, width) pixels are reconstructed into `folder`/autoencoder.png, and
    their PSNR is logged, at each checkpoint.
    """
    model = place(TrainableAutoencoder(sizes), options.device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=options.rate, weight_decay=1e-3)
    clock = Clock(options.steps, options.minutes)
    if (folder / CHECKPOINT).exists():
        load_checkpoint(folder / CHECKPOINT, {"autoencoder": model}, optimizer, clock)
    if options.decoder_only:
        model.vae.encoder.requires_grad_(False)
        model.norm.eval()
    rng = np.random.default_rng(clock.step)
    with stoppable(clock):
        while not clock.over:
            set_rate(optimizer, cosine_rate(options.rate, clock.step, clock.progress, warmup=100))
            guidance = 0.0 if options.decoder_only else 1 - clock.progress
            loss = _step(model, optimizer, images, options, guidance, rng)
            clock.step += 1
            if clock.step % 50 == 0:
                log.info("step %d, %.1f min, loss %.4f", clock.step, clock.elapsed, loss)
            if clock.step % options.every == 0:
                _checkpoint(model, optimizer, clock, watched, folder)
    _checkpoint(model, optimizer, clock, watched, folder)
    return model.finished()


def _step(
    model: TrainableAutoencoder,
    optimizer: torch.optim.Optimizer,
    images: Sequence[np.ndarray],
    options: AutoencoderOptions,
    guidance: float,
    rng: np.random.Generator,
) -> float:
    wanted = random_crops(images, options.crop, options.batch, rng).to(
        options.device, memory_format=torch.channels_last
    )
    with torch.autocast(torch.device(options.device).type, torch.bfloat16, enabled=options.bf16):
        found, latents = model(wanted, options.noise)
    loss = reconstruction_loss(found, wanted) + guidance * colour_loss(latents, wanted)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item()


def _checkpoint(
    model: TrainableAutoencoder,
    optimizer: torch.optim.Optimizer,
    clock: Clock,
    watched: Tensor,
    folder: Path,
) -> None:
    save_checkpoint(folder / CHECKPOINT, {"autoencoder": model}, optimizer, clock)
    found = reconstruct(model.finished(), watched)
    write_grid(folder / "autoencoder.png", torch.cat([watched, found]), columns=len(watched))
    log.info("checkpoint at step %d: PSNR %.2f dB", clock.step, psnr(found, watched))


@torch.no_grad()
def reconstruct(vae: AutoencoderTiny, pixels: Tensor, batch: int = 16) -> Tensor:
    """Pixels (n, 3, height, width) from -1 to 1, through latents and back, on the CPU."""
    device = next(vae.parameters()).device
    parts = [vae.decoder(vae.encoder(part.to(device))).cpu() for part in pixels.split(batch)]
    return torch.cat(parts).clamp(-1, 1)


def psnr(found: Tensor, wanted: Tensor) -> float:
    """Mean over images of the peak signal-to-noise ratio in dB; pixels (n, 3, h, w) in -1..1."""
    errors = functional.mse_loss(found, wanted, reduction="none").mean(dim=(1, 2, 3))
    return float((10 * torch.log10(4 / errors)).mean())


def load_autoencoder(folder: Path, sizes: Sizes) -> AutoencoderTiny:
    """The trained autoencoder of a run's folder. Raises InputError when there is none."""
    model = TrainableAutoencoder(sizes)
    load_checkpoint(folder / CHECKPOINT, {"autoencoder": model})
    return model.finished()
