"""How a ControlNet of ours learns to read control images: its first layers are fixed.

At 128 x 128 pixels they cost more than all the rest together. With random weights of the right size
they lose nothing that the layers behind them could not find, so they stay as they are, and what
they make of an image (its glimpse) is computed once for the whole training.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from diffusers.models.controlnets.controlnet import ControlNetConditioningEmbedding, ControlNetModel
from manyshot.core.tiny_sizes import DOWNSCALE, IMAGE_SIZE
from manyshot.trainer.stable_diffusion.architecture import HINT_WIDTHS
from manyshot.trainer.stable_diffusion.batch_sampling import Place
from torch import Tensor, nn
from torch.nn import functional

from .diffusion import Condition

GLIMPSE_SCALE = 4  # an image's side over its glimpse's


class Hint(ControlNetConditioningEmbedding):
    """diffusers' hint layers, which take images (n, 3, h, w) or glimpses (n, 96, h / 4, w / 4)."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, block_out_channels=HINT_WIDTHS)
        generator = torch.Generator().manual_seed(0)  # so that glimpses outlive a stop
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d) and layer is not self.conv_out:
                # PyTorch's own initial weights halve the signal in each layer; these keep it (He
                # et al. 2015, "Delving Deep into Rectifiers", eq. 10).
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
        for layer in self._freeze():
            layer.requires_grad_(False)

    def _freeze(self) -> list[nn.Module]:
        return [self.conv_in, *self.blocks[:-1]]

    def glimpse(self, images: Tensor) -> Tensor:
        """What the fixed layers make of images (n, 3, h, w) from 0 to 1: (n, 96, h / 4, w / 4)."""
        for layer in self._freeze():
            images = functional.silu(layer(images))
        return images

    def forward(self, conditioning: Tensor) -> Tensor:
        """The hint (n, channels, h / 8, w / 8) that is added to the first layer of the net."""
        hint = self.glimpse(conditioning) if conditioning.shape[1] == 3 else conditioning
        return self.conv_out(functional.silu(self.blocks[-1](hint)))


def give_hint(controlnet: ControlNetModel) -> Hint:
    """Put fresh hint layers of ours into a ControlNet; tensors keep their names."""
    hint = Hint(controlnet.config["block_out_channels"][0])
    controlnet.controlnet_cond_embedding = hint
    return hint


@torch.no_grad()
def glimpses(hint: Hint, images: Sequence[np.ndarray], workers: int = 1) -> list[Tensor]:
    """The glimpses of images (height, width, 3), in half precision on the CPU."""

    def see(image: np.ndarray) -> Tensor:
        pixels = torch.from_numpy(image.copy()).movedim(-1, 0)[None].float() / 255
        return hint.glimpse(pixels.to(hint.conv_in.weight))[0].half().cpu()

    with torch.no_grad(), ThreadPoolExecutor(workers) as pool:
        return list(pool.map(see, images))


def cropper(values: Sequence[Tensor]) -> Condition:
    """A function from an image's row and a place to that crop of its glimpse (96, 32, 32)."""
    step, size = DOWNSCALE // GLIMPSE_SCALE, IMAGE_SIZE // GLIMPSE_SCALE

    def crop(row: int, place: Place) -> Tensor:
        top, left = place.top * step, place.left * step
        return values[row][:, top : top + size, left : left + size].float()

    return crop
