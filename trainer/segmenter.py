"""A small segmenter on the frozen backbone: what is foreground in an image.

At each pixel it reads the backbone's layers there ("hypercolumns", Hariharan et al. 2015) through
one hidden layer. It is trained on a few pixels of each image, which takes a minute or two on one
core and little memory.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from onnxruntime import InferenceSession
from PIL import Image, ImageFilter
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from ..core.errors import InputError
from ..core.palettes import BACKGROUND, PET
from .backbone import LAYERS, outputs
from .divergence import check_number
from .tensor_files import write_tensors

log = logging.getLogger(__name__)
READ = LAYERS[1:]
CHANNELS = (128, 256, 512, 1024)
HIDDEN = 96
POINTS = 96  # pixels of each image that are learned from
EPOCHS, BATCH, RATE = 10, 1024, 1e-3
MOST_BLUR = 1.5  # sigma in pixels: generated images are softer than photos


class Head(nn.Module):
    """From the layers of `READ` to the log odds of foreground."""

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(sum(CHANNELS)))
        self.register_buffer("deviation", torch.ones(sum(CHANNELS)))
        self.hidden = nn.Linear(sum(CHANNELS), HIDDEN)
        self.last = nn.Linear(HIDDEN, 1)

    def forward(self, columns: Tensor) -> Tensor:
        """Log odds (n) of hypercolumns (n, channels)."""
        hidden = self.hidden((columns - self.mean) / self.deviation)
        return self.last(functional.relu(hidden))[:, 0]

    def maps(self, layers: Sequence[Tensor], size: tuple[int, int]) -> Tensor:
        """Log odds (n, height, width) from layers (n, c, h, w).

        What `forward` gives for the columns of every pixel, but the layers are weighted before
        they are enlarged, which changes nothing and saves most of the work.
        """
        weight = self.hidden.weight / self.deviation
        bias = self.hidden.bias - weight @ self.mean
        weighted = zip(layers, weight.split(CHANNELS, dim=1), strict=True)
        small = [functional.conv2d(layer, summand[..., None, None]) for layer, summand in weighted]
        summed = sum(_upsample(summand, size) for summand in small) + bias.view(-1, 1, 1)
        return functional.conv2d(
            functional.relu(summed), self.last.weight[..., None, None], self.last.bias
        )[:, 0]


def _upsample(layer: Tensor, size: tuple[int, int]) -> Tensor:
    return functional.interpolate(layer, size, mode="bilinear", align_corners=False)


@dataclass(frozen=True)
class Segmenter:
    """The frozen backbone and the head trained on its layers."""

    session: InferenceSession
    head: Head


def train_segmenter(
    session: InferenceSession,
    images: Sequence[np.ndarray],
    trimaps: Sequence[np.ndarray],
    seed: int = 0,
) -> Segmenter:
    """From RGB byte images (height, width, 3) and trimaps (height, width) of core.palettes.

    Half of the images are blurred a little. Pixels of the trimaps' border are not learned from.
    """
    log.info("training the segmenter on %d images", len(images))
    rng = np.random.default_rng(seed)
    softer = [_blur(image, rng) if number % 2 else image for number, image in enumerate(images)]
    columns, targets = _examples(session, softer, trimaps, rng)
    torch.manual_seed(seed)
    head = Head()
    every = columns[:: 1 + len(columns) // 20_000].float()
    deviation, mean = torch.std_mean(every, dim=0)
    head.load_state_dict({**head.state_dict(), "mean": mean, "deviation": deviation + 1e-3})
    _fit(head, columns, targets)
    return Segmenter(session, head.eval())


def _blur(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    blur = ImageFilter.GaussianBlur(rng.uniform(0, MOST_BLUR))
    return np.asarray(Image.fromarray(image).filter(blur))


def _examples(
    session: InferenceSession,
    images: Sequence[np.ndarray],
    trimaps: Sequence[np.ndarray],
    rng: np.random.Generator,
) -> tuple[Tensor, Tensor]:
    """Hypercolumns (n, channels), in half precision, and what they should be read as (n)."""
    columns, targets = [], []
    remaining = iter(trimaps)
    for layers in outputs(session, images, READ):
        for layer_maps in zip(*layers, strict=True):
            trimap = next(remaining)
            rows, cols = _points(trimap, rng)
            columns.append(_columns(layer_maps, rows, cols, trimap.shape).half())
            targets.append(torch.from_numpy(trimap[rows, cols] == PET))
    return torch.cat(columns), torch.cat(targets).float()


def _points(trimap: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    rows, cols = np.nonzero((trimap == PET) | (trimap == BACKGROUND))
    chosen = rng.integers(0, len(rows), POINTS) if len(rows) else np.zeros(0, int)
    return rows[chosen], cols[chosen]


def _columns(
    layers: Sequence[np.ndarray], rows: np.ndarray, cols: np.ndarray, size: tuple[int, ...]
) -> Tensor:
    """The layers (c, h, w) of one image, enlarged to `size`, at some pixels: (points, channels)."""
    places = np.stack([(2 * cols + 1) / size[1] - 1, (2 * rows + 1) / size[0] - 1], axis=-1)
    grid = torch.from_numpy(places).float()[None, None]
    parts = [_sample(torch.from_numpy(layer), grid) for layer in layers]
    return torch.cat(parts).T


def _sample(layer: Tensor, grid: Tensor) -> Tensor:
    sampled = functional.grid_sample(
        layer[None], grid, mode="bilinear", padding_mode="border", align_corners=False
    )
    return sampled[0, :, 0]


def _fit(head: Head, columns: Tensor, targets: Tensor) -> None:
    optimizer = torch.optim.AdamW(head.parameters(), lr=RATE, weight_decay=1e-2)
    steps = EPOCHS * (1 + len(columns) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    for _ in range(steps):
        batch = torch.randint(len(columns), (BATCH,))
        odds = head(columns[batch].float())
        loss = functional.binary_cross_entropy_with_logits(odds, targets[batch])
        optimizer.zero_grad()
        check_number(loss.item())
        loss.backward()
        optimizer.step()
        schedule.step()


@torch.no_grad()
def foreground(segmenter: Segmenter, images: Sequence[np.ndarray]) -> np.ndarray:
    """Masks (n, height, width), bool, of RGB byte images (height, width, 3) of one size."""
    size = images[0].shape[:2]
    batches = outputs(segmenter.session, images, READ)
    masks = [
        segmenter.head.maps([torch.from_numpy(layer) for layer in layers], size) > 0
        for layers in batches
    ]
    return torch.cat(masks).numpy()


def save_segmenter(segmenter: Segmenter, path: Path) -> None:
    """Write the head as safetensors."""
    write_tensors(path, segmenter.head.state_dict())


def load_segmenter(session: InferenceSession, path: Path) -> Segmenter:
    """Read a head. Raises InputError when there is none, or not one of this kind."""
    head = Head()
    try:
        head.load_state_dict(load_file(path))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise InputError(
            f"{path} is not a segmenter of this version ({error}): delete it."
        ) from error
    return Segmenter(session, head.eval())
