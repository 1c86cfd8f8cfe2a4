"""Representation alignment: the UNet's middle features learn to predict an image net's.

Yu et al. 2025, "Representation Alignment for Generation: Training Diffusion Transformers Is Easier
Than You Think": a denoiser learns what is in the picture many times sooner when a projection of its
hidden features is pulled towards a frozen net's features of the clean picture.
"""

import threading
from collections.abc import Callable, Sequence

import numpy as np
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from manyshot.core.tiny_sizes import DOWNSCALE, IMAGE_SIZE
from manyshot.trainer.imagenet import WIDTHS, load_imagenet_net, stage_features
from manyshot.trainer.images import to_pixels
from manyshot.trainer.stable_diffusion.batch_sampling import Place
from torch import Tensor, nn
from torch.nn import functional

from .latents import whole_blocks


class AlignedUNet(nn.Module):
    """A UNet with a projection of its middle features, which only the training needs."""

    def __init__(self, unet: UNet2DConditionModel) -> None:
        super().__init__()
        self.unet = unet
        self.projector = build_projector(unet.config["block_out_channels"][-1])
        self._middle = threading.local()  # threads share the modules, each with a batch of its own
        assert unet.mid_block is not None
        unet.mid_block.register_forward_hook(self._keep_middle)

    def _keep_middle(self, _module: nn.Module, _inputs: object, output: Tensor) -> None:
        self._middle.features = output

    def forward(self, noisy: Tensor, times: Tensor, text: Tensor) -> tuple[Tensor, Tensor]:
        """The noise (n, 4, h, w), and predicted image features (n, 320, h / 4, w / 4)."""
        noise = self.unet(noisy, times, text).sample
        return noise, self.projector(self._middle.features)


def build_projector(channels: int, hidden: int = 512) -> nn.Sequential:
    """Three layers with SiLU at each place, as in the paper (section 3.2 and appendix)."""
    return nn.Sequential(
        nn.Conv2d(channels, hidden, 1),
        nn.SiLU(),
        nn.Conv2d(hidden, hidden, 1),
        nn.SiLU(),
        nn.Conv2d(hidden, WIDTHS[-1], 1),
    )


def alignment_loss(projected: Tensor, features: Tensor) -> Tensor:
    """One minus the mean cosine between both (n, channels, h, w), place by place: from 0 to 2.

    Features on another grid than the projection's are resampled to it.
    """
    targets = functional.interpolate(features.float(), size=projected.shape[-2:], mode="area")
    return 1 - functional.cosine_similarity(projected.float(), targets, dim=1).mean()


def image_features(images: Sequence[np.ndarray], device: str) -> Callable[[int, Place], Tensor]:
    """A function that gives the image net's last features (320, 4, 4) of an image's crop.

    `images` are bytes (height, width, 3) by row. Features are kept, so that each crop is seen once.
    """
    net = load_imagenet_net().to(device)
    cache: dict[tuple[int, Place], Tensor] = {}

    def features(row: int, place: Place) -> Tensor:
        if (row, place) not in cache:
            cache[row, place] = _crop_features(crop_pixels(images[row], place).to(device))
        return cache[row, place].float()

    @torch.inference_mode()
    def _crop_features(pixels: Tensor) -> Tensor:
        return stage_features(net, pixels[None])[-1][0].half().cpu()

    return features


def crop_pixels(image: np.ndarray, place: Place) -> Tensor:
    """The pixels (3, 128, 128) from -1 to 1 that a latent crop at `place` stands for."""
    top, left = place.top * DOWNSCALE, place.left * DOWNSCALE
    crop = whole_blocks(image)[top : top + IMAGE_SIZE, left : left + IMAGE_SIZE]
    return to_pixels(torch.from_numpy(crop.copy())[None])[0]
