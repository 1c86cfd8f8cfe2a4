"""What policies do to pairs: image and mask are moved together, each pair with its own chances."""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torchvision import tv_tensors
from torchvision.transforms import v2

from ....core.masks.label_mask import IGNORE
from ..pixels.image_augmentation import fork_rng
from ..policy import Policy

PASTING = 8  # its chances are apart from those of other transforms
SCALE = (0.5, 1.0)  # of a crop's area
JITTER = (0.3, 0.3, 0.3)  # brightness, contrast, saturation


@lru_cache
def _transform(policy: Policy, side: int) -> v2.Transform | None:
    flip, crop = v2.RandomHorizontalFlip(), v2.RandomResizedCrop(side, scale=SCALE)
    colour = v2.ColorJitter(*JITTER)
    transforms: dict[Policy, v2.Transform] = {
        "flip": flip,
        "crop": crop,
        "colour": colour,
        "classical": v2.Compose([flip, crop, colour]),
        "classical+copypaste": v2.Compose([flip, crop, colour]),
    }
    return transforms.get(policy)


def augment_pairs(
    images: np.ndarray, masks: np.ndarray, policy: Policy, background: int | None, *seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Bytes (n, side, side, 3) and indices (n, side, side) as the policy makes them.

    `background`: the class that Copy-Paste leaves alone. A mask is never interpolated.
    """
    transform = _transform(policy, images.shape[1])
    if transform is not None:
        with fork_rng(*seed):
            pairs = [_transform_pair(transform, *pair) for pair in zip(images, masks, strict=True)]
        images, masks = (np.stack(arrays) for arrays in zip(*pairs, strict=True))
    if "copypaste" in policy:
        rng = np.random.default_rng([*seed, PASTING])
        return copy_pasted(images, masks, background, rng)
    return images, masks


def _transform_pair(
    transform: v2.Transform, image: np.ndarray, mask: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    pixels = tv_tensors.Image(torch.from_numpy(image).permute(2, 0, 1))
    image_out, mask_out = transform(pixels, tv_tensors.Mask(torch.from_numpy(mask)))
    return image_out.permute(1, 2, 0).numpy(), mask_out.numpy()


CHANCE = 0.5  # of each pair to be pasted on
SCALES = (0.5, 1.5)  # between the paper's standard jitter (0.8 to 1.25) and its large one
RIM = 16  # an ignored outline as wide as a 16th of the side goes with its object


def copy_pasted(
    images: np.ndarray, masks: np.ndarray, background: int | None, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Bytes (n, side, side, 3) and indices (n, side, side), some with another pair's object.

    `background`: the class that is no object. A pair without an object gives nothing.
    """
    count = len(images)
    order = (np.arange(count) + rng.integers(1, max(count, 2))) % count
    chosen = np.array([_object(masks[place], background, rng) for place in order])
    cut, labels = _cut(torch.from_numpy(masks[order]), torch.from_numpy(chosen))
    pixels = torch.from_numpy(images[order]).permute(0, 3, 1, 2).float()
    grid = functional.affine_grid(_moves(count, rng), list(pixels.shape), False)
    moved = functional.grid_sample(pixels, grid, "bilinear", "border", False).round().byte()
    flat = torch.stack([cut.float(), labels.float()], dim=1)
    cut, labels = functional.grid_sample(flat, grid, "nearest", "zeros", False).unbind(dim=1)
    pasted = (cut > 0).numpy() & (rng.random(count) < CHANCE)[:, None, None]
    objects = moved.permute(0, 2, 3, 1).numpy()
    pasted_images = np.where(pasted[..., None], objects, images)
    return pasted_images, np.where(pasted, labels.byte().numpy(), masks)


def _object(mask: np.ndarray, background: int | None, rng: np.random.Generator) -> int:
    """A class that the mask has and that is an object; IGNORE without any."""
    there = np.setdiff1d(mask, [IGNORE] if background is None else [background, IGNORE])
    return int(rng.choice(there)) if len(there) else IGNORE


def _cut(masks: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
    """What is cut out (n, side, side), bool, and under which indices.

    An outline that the annotators left open is cut out as well and stays ignored: without it the
    object would lose its fur.
    """
    object_pixels = (masks == chosen[:, None, None]) & (chosen != IGNORE)[:, None, None]
    reach = masks.shape[-1] // RIM
    tall = functional.max_pool2d(object_pixels.float(), (2 * reach + 1, 1), 1, (reach, 0))
    near = functional.max_pool2d(tall, (1, 2 * reach + 1), 1, (0, reach)) > 0
    return object_pixels | (
        near & (masks == IGNORE) & object_pixels.any(dim=(1, 2), keepdim=True)
    ), masks


def _moves(count: int, rng: np.random.Generator) -> Tensor:
    """Affine maps (count, 2, 3) from places in the result to places in the source."""
    scale = 1 / rng.uniform(*SCALES, count)
    mirror = rng.choice([-1.0, 1.0], count)
    shift = rng.uniform(-0.5, 0.5, (2, count)) * scale
    none = np.zeros(count)
    rows = [[mirror * scale, none, shift[0]], [none, scale, shift[1]]]
    return torch.from_numpy(np.array(rows)).permute(2, 0, 1).float()
