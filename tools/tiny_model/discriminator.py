"""The discriminator that teaches the decoder to draw fur and eyes instead of their mean."""

from collections.abc import Sequence

import torch
from manyshot.trainer.imagenet import WIDTHS
from torch import Tensor, nn
from torch.nn import functional

FEATURE_WIDTHS = WIDTHS[:5]  # stages at a half to a sixteenth of the image's side
HIDDEN = 64
SLOPE = 0.2  # of the leaky ReLU


class Discriminator(nn.Module):
    """Judges patches of pixels, and of what a frozen ImageNet net sees in them.

    Sauer et al. 2021, "Projected GANs Converge Faster", section 3.2: on pretrained features it
    learns from few pictures, in a few hundred steps. The head on pixels sees the artefacts that
    these features overlook.
    """

    def __init__(self) -> None:
        super().__init__()
        self.pixels = nn.Sequential(
            nn.Conv2d(3, HIDDEN // 2, 4, stride=2, padding=1),
            nn.LeakyReLU(SLOPE),
            *_patch_layers(HIDDEN // 2, kernel=4, stride=2),
        )
        self.features = nn.ModuleList(
            nn.Sequential(*_patch_layers(width, kernel=3, stride=1)) for width in FEATURE_WIDTHS
        )

    def forward(self, pixels: Tensor, features: Sequence[Tensor]) -> list[Tensor]:
        """Scores (n, 1, rows, columns) of the patches at each scale, high for photos.

        `pixels` (n, 3, height, width) from -1 to 1; `features`: their `stage_features`.
        """
        pairs = zip(self.features, features, strict=False)
        return [self.pixels(pixels), *(head(_normalize(feature)) for head, feature in pairs)]


def _patch_layers(width: int, kernel: int, stride: int) -> list[nn.Module]:
    return [
        nn.Conv2d(width, HIDDEN, kernel, stride, padding=1),
        nn.GroupNorm(4, HIDDEN),
        nn.LeakyReLU(SLOPE),
        nn.Conv2d(HIDDEN, 1, 3, padding=1),
    ]


def _normalize(features: Tensor) -> Tensor:
    """Vectors of features with a mean square of 1, whatever the stage's scale."""
    return functional.normalize(features, dim=1) * features.shape[1] ** 0.5


def discriminator_loss(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
    """The hinge loss (Lim & Ye 2017, "Geometric GAN", eq. 12), the mean of all scales."""
    scales = [
        functional.relu(1 - a.float()).mean() + functional.relu(1 + b.float()).mean()
        for a, b in zip(real, fake, strict=True)
    ]
    return torch.stack(scales).mean()


def generator_loss(fake: Sequence[Tensor]) -> Tensor:
    """How far the scores of what is drawn are from high (Geometric GAN, eq. 13)."""
    return -torch.stack([scores.float().mean() for scores in fake]).mean()
