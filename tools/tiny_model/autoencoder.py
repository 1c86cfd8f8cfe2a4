"""The autoencoder: TAESD's architecture, trained from nothing on crops of the pool."""

import logging
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from diffusers.models.unets.unet_2d_blocks import AutoencoderTinyBlock
from manyshot.core.errors import InputError
from manyshot.core.subsets import evenly
from manyshot.core.tiny_sizes import DOWNSCALE, LATENT_CHANNELS, Sizes
from manyshot.trainer.checkpoints import holds, load_checkpoint
from manyshot.trainer.images import to_pixels
from manyshot.trainer.stable_diffusion.architecture import build_vae
from torch import Tensor, nn
from torch.nn import functional

log = logging.getLogger(__name__)
CHECKPOINT = "autoencoder.safetensors"
DECODER = "decoder.safetensors"  # the same autoencoder, its decoder trained further


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

    def forward(self, pixels: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Pixels (n, 3, height, width) from -1 to 1 through latents (n, 4, h / 8, w / 8) and back.

        Returns the pixels that the decoder draws of latents + noise, the latents, and what the
        encoder gave before it was normalised. The running statistics stay as they are, so that
        threads can share the model: `norm` learns them from what the encoder gave.
        """
        encoded = self.vae.encoder(pixels).float()
        latents = self._normalise(encoded)
        return self.vae.decoder(latents + noise), latents, encoded

    def _normalise(self, encoded: Tensor) -> Tensor:
        if self.norm.training:
            return functional.batch_norm(encoded, None, None, training=True, eps=self.norm.eps)
        return self.norm(encoded)

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


@torch.no_grad()
def calibrate(model: TrainableAutoencoder, images: Sequence[np.ndarray], most: int = 256) -> None:
    """Take the latents' mean and deviation anew, from whole images (height, width, 3).

    Small crops are mostly their own padded borders, and know a tenth too little deviation.
    """
    device = next(model.parameters()).device
    latents = [
        model.vae.encoder(to_pixels(torch.from_numpy(image.copy()))[None].to(device)).flatten(2)
        for image in evenly(images, most)
    ]
    var, mean = torch.var_mean(torch.cat(latents, dim=2).float(), dim=(0, 2))
    model.norm.load_state_dict(
        {**model.norm.state_dict(), "running_mean": mean, "running_var": var}
    )


def _shrink_residuals(vae: nn.Module) -> None:
    """Start each residual branch small, so that the deep stack learns from the first steps."""
    for module in vae.modules():
        if isinstance(module, AutoencoderTinyBlock):
            last = module.conv[-1]
            assert isinstance(last, nn.Conv2d)
            last.weight.data.mul_(0.1)


def reconstruction_loss(output: Tensor, target: Tensor) -> Tensor:
    """Errors of pixels (absolute and squared), of their differences (edges), and of colour."""
    error = output.float() - target
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
    target = functional.batch_norm(torch.stack(colours, dim=1), None, None, training=True)
    return functional.mse_loss(latents[:, :3], target)


@torch.no_grad()
def reconstruct(vae: AutoencoderTiny, pixels: Tensor, batch: int = 16) -> Tensor:
    """Pixels (n, 3, height, width) from -1 to 1, through latents and back, on the CPU."""
    device = next(vae.parameters()).device
    parts = [vae.decoder(vae.encoder(chunk.to(device))).cpu() for chunk in pixels.split(batch)]
    return torch.cat(parts).clamp(-1, 1)


def psnr(output: Tensor, target: Tensor) -> float:
    """Mean over images of the peak signal-to-noise ratio in dB; pixels (n, 3, h, w) in -1..1."""
    errors = functional.mse_loss(output, target, reduction="none").mean(dim=(1, 2, 3))
    return float((10 * torch.log10(4 / errors)).mean())


def load_autoencoder(folder: Path, sizes: Sizes) -> AutoencoderTiny:
    """The trained autoencoder of a run's folder, with its refined decoder if there is one.

    Raises InputError when there is none, or when the decoder belongs to another encoder.
    """
    vae = _load(folder / CHECKPOINT, sizes)
    if not (folder / DECODER).exists():
        return vae
    refined = _load(folder / DECODER, sizes)
    encoders = zip(vae.encoder.parameters(), refined.encoder.parameters(), strict=True)
    if not all(torch.equal(*pair) for pair in encoders):
        raise InputError(
            f"{folder / DECODER} was trained for a different encoder than that of "
            f"{CHECKPOINT}: delete it and retrain it with --decoder-only."
        )
    return refined


def _load(path: Path, sizes: Sizes) -> AutoencoderTiny:
    model = TrainableAutoencoder(sizes)
    load_trained(path, model)
    return model.finished()


def load_trained(path: Path, model: TrainableAutoencoder) -> None:
    """Fill the model with a checkpoint's moving average; imported ones hold none.

    Raises InputError when the file is missing or of other sizes.
    """
    load_checkpoint(path, {"average" if holds(path, "average") else "autoencoder": model})
