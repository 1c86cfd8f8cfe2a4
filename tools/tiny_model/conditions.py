"""What ControlNets are shown: trimaps in the palette's colours, or the photo's edges."""

import random
from collections.abc import Sequence

import numpy as np
import torch
from manyshot.core.palettes import trimap_to_control
from manyshot.core.tiny_sizes import IMAGE_SIZE
from manyshot.trainer.control_agreement import canny_edges
from torch import Tensor

from .corpus import Example
from .export_controlnet import Kind
from .latents import whole_blocks
from .photo_data import centre_crop


def condition_images(examples: Sequence[Example], kind: Kind, seed: int = 0) -> list[np.ndarray]:
    """For each pet the bytes (height, width, 3) of the part of it that its latents cover."""
    rng = random.Random(seed)
    return [whole_blocks(_condition(example, kind, rng)) for example in examples]


def _condition(example: Example, kind: Kind, rng: random.Random) -> np.ndarray:
    if kind == "segmentation":
        assert example.trimap is not None
        assert example.species is not None
        return trimap_to_control(example.trimap, example.species)
    # Artists set the thresholds as they like: the ControlNet is to know few edges and many.
    low = rng.uniform(0.1, 0.4)
    edges = canny_edges([example.image], low, 2 * low)[0]
    return np.repeat(edges[:, :, None], 3, axis=2).astype(np.uint8) * 255


def preview_conditions(
    examples: Sequence[Example], images: Sequence[np.ndarray], count: int
) -> tuple[list[str], Tensor]:
    """The first captions of `count` evenly chosen pets, and the middles of their images.

    The images are (count, 3, 128, 128) from 0 to 1.
    """
    rows = [len(examples) * i // count for i in range(count)]
    squares = np.stack([centre_crop(images[row], IMAGE_SIZE) for row in rows])
    prompts = [examples[row].captions[0].text for row in rows]
    return prompts, torch.from_numpy(squares).movedim(-1, 1).float() / 255
