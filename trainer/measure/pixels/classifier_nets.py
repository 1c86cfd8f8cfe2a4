"""Nets by name: the two of the package registry, and those of timm."""

from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import timm
import torch
from timm.data.config import resolve_data_config
from torch import Tensor, nn

from ....core.counted import did_you_mean
from ....core.errors import InputError
from ...backbone import find_backbone_file
from ...imagenet import load_imagenet_net
from ...open_nsfw import MEAN, STD, load_open_nsfw
from ..model import Model

LITE0 = "tf_efficientnet_lite0"
OFFLINE = ("opennsfw", "efficientnet_lite0")
DEFAULT_SIDE = 224


@dataclass(frozen=True)
class Net:
    """A net that can be made anew. `id`: name and version. `side`: of the images it is given.

    `mean`, `std`: of its normalisation, RGB from 0 to 1. `make`: a fresh module with a head for so
    many classes, in timm's form; what is random in it comes from torch's own generator.
    """

    id: str
    side: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    make: Callable[[int], nn.Module]

    def normalise(self, images: Tensor) -> Tensor:
        """Bytes (n, side, side, 3) as the net wants them, (n, 3, side, side), channels last."""
        statistics = (self.mean, self.std)
        mean, std = (255 * torch.tensor(values, device=images.device) for values in statistics)
        return ((images.float() - mean) / std).permute(0, 3, 1, 2)


def open_net(model: Model) -> Net:
    """The net of a recipe. Raises InputError when there is none, or no weights can be had."""
    module: Any = _module(model)
    config = {"mean": MEAN, "std": STD}
    if model.name != "opennsfw":
        config = resolve_data_config({}, model=module)
    side = model.size or config.get("input_size", (3, DEFAULT_SIDE))[-1]
    if not model.pretrained:
        name = f"{model.name}-scratch"
        return Net(name, side, config["mean"], config["std"], lambda n: _create(model, n))

    def make(classes: int) -> nn.Module:
        fresh = deepcopy(module)
        fresh.reset_classifier(classes)
        return fresh.requires_grad_(True)

    name = f"{model.name}-{_digest(module.state_dict().values())}"
    return Net(name, side, config["mean"], config["std"], make)


def _module(model: Model) -> nn.Module:
    if model.name == "opennsfw":
        return load_open_nsfw(find_backbone_file())
    if model.name == "efficientnet_lite0" and model.pretrained:
        return load_imagenet_net()
    return _create(model)


def _create(model: Model, classes: int | None = None) -> nn.Module:
    name = LITE0 if model.name == "efficientnet_lite0" else model.name
    if not timm.is_model(name):
        raise InputError(
            f"There is no network {name!r}.{did_you_mean(name, [*OFFLINE, *timm.list_models()])}"
        )
    arguments: dict[str, Any] = {} if classes is None else {"num_classes": classes}
    if model.size and timm.get_pretrained_cfg_value(name, "fixed_input_size"):
        arguments["img_size"] = model.size
    try:
        return timm.create_model(name, pretrained=model.pretrained, **arguments)
    except Exception as error:  # the hub and its HTTP client share no other base
        raise InputError(_unreachable(name, model.pretrained, error)) from None


def _unreachable(name: str, pretrained: bool, error: Exception) -> str:
    reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    if not pretrained:
        return f"The net {name!r} cannot be made: {reason}."
    return (
        f"The weights of {name!r} cannot be loaded ({reason}). Where there is a network, run "
        f"timm.create_model('{name}', pretrained=True) in Python and copy the folder that HF_HOME "
        "names; or name efficientnet_lite0 or opennsfw, which come by the package registry; or "
        "write 'pretrained: false'."
    )


def _digest(tensors: Iterable[Tensor]) -> str:
    digest = sha256()
    for tensor in tensors:
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]


def resolve_device(model: Model) -> torch.device:
    """Where a recipe wants its net to be. Raises InputError when there is no such device."""
    there = torch.cuda.is_available()
    if model.device == "cuda" and not there:
        raise InputError("'device: cuda', and torch finds no CUDA device. Write 'device: auto'.")
    return torch.device("cuda" if there and model.device != "cpu" else "cpu")
