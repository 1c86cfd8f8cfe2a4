"""Read, check and encode the photos of a subject, with boxes that crops must show."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from math import ceil
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ...core.begun import digest
from ...core.errors import InputError, read_each
from ...core.images import image_size
from ..images import content_digest, pixel_digest, read_rgb, shrunk, to_pixels
from ..stable_diffusion.batch_sampling import Box
from .base_model import DOWNSCALE, BaseModel
from .token_embeddings import Token

PixelBox = tuple[int, int, int, int]  # left, top, right, bottom; the last two excluded
LEAST = 2  # photos: one to train on, and one to hold out


@dataclass(frozen=True)
class Photo:
    """A photo (height, width, 3) in bytes, its caption's words on background and pose, and the box
    (left, top, right, bottom in pixels, the last two excluded) that crops must show.

    `path`: its file, or its name in messages if it has none.
    """

    path: Path
    digest: str
    pixels: np.ndarray
    context: str = ""
    box: PixelBox | None = None


def read_photos(
    paths: Sequence[Path],
    size: int,
    contexts: Sequence[str] = (),
    masks: Sequence[Path] = (),
    boxes: Sequence[PixelBox | None] = (),
) -> list[Photo]:
    """Photos with the shorter side `size`. Raises InputError: too few, unreadable, too small.

    `masks`: one for each photo, with the subject not black. `boxes`: in place of masks, in pixels
    of the file.
    """
    _check_count(len(paths))
    photos = read_each(
        lambda path: _photo(path, content_digest(path), read_rgb(path, size), size), paths
    )
    subject_boxes = [
        mask_box(Image.fromarray(read_rgb(mask, 1 << 16)), photo, mask)
        for mask, photo in zip(masks, photos, strict=bool(masks))
    ] or [_scale_box(box, photo) for box, photo in zip(boxes, photos, strict=bool(boxes))]
    return _attach_details(photos, contexts, subject_boxes)


def photos_from_arrays(
    images: Sequence[np.ndarray], size: int, masks: Sequence[np.ndarray] = ()
) -> list[Photo]:
    """Photos from byte arrays (height, width, 3), with masks (height, width).

    Digests are of the pixels. Raises InputError like `read_photos`.
    """
    _check_count(len(images))
    photos = [
        _photo(Path(f"Photo {n}"), pixel_digest(image), shrunk(Image.fromarray(image), size), size)
        for n, image in enumerate(images, 1)
    ]
    boxes = [
        mask_box(Image.fromarray(mask), photo, Path(f"of photo {n}"))
        for n, (mask, photo) in enumerate(zip(masks, photos, strict=bool(masks)), 1)
    ]
    return _attach_details(photos, [], boxes)


def _check_count(count: int) -> None:
    if count < LEAST:
        raise InputError(
            f"A subject needs at least {LEAST} photos, but there is {count}: one is held out "
            "to decide when to stop training. Three to ten are best."
        )


def _attach_details(
    photos: Sequence[Photo],
    contexts: Sequence[str],
    boxes: Sequence[PixelBox | None],
) -> list[Photo]:
    if len({photo.digest for photo in photos}) < len(photos):
        raise InputError("Two of the photos are identical. Remove one.")
    rows = zip_longest(photos, contexts, boxes)
    return [replace(photo, context=context or "", box=box) for photo, context, box in rows]


def _photo(path: Path, digest: str, pixels: np.ndarray, size: int) -> Photo:
    if min(pixels.shape[:2]) < size // 2:
        raise InputError(
            f"{path} is {pixels.shape[1]}x{pixels.shape[0]} pixels, but the model draws "
            f"{size}x{size}. Use one whose shorter side is at least {size // 2} pixels."
        )
    if min(pixels.shape[:2]) < size:
        pixels = _enlarge(pixels, size)
    return Photo(path, digest, pixels)


def _enlarge(pixels: np.ndarray, size: int) -> np.ndarray:
    factor = size / min(pixels.shape[:2])
    height, width = (max(size, round(side * factor)) for side in pixels.shape[:2])
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC))


def _scale_box(box: PixelBox | None, photo: Photo) -> PixelBox | None:
    if box is None:
        return None
    width, height = image_size(photo.path)
    left, top, right, bottom = box
    if not (0 <= left < right <= width and 0 <= top < bottom <= height):
        raise InputError(
            f"The box {list(box)} is not left, top, right, bottom inside {photo.path}, which "
            f"is {width}x{height} pixels."
        )
    across, down = photo.pixels.shape[1] / width, photo.pixels.shape[0] / height
    return (
        int(left * across),
        int(top * down),
        min(photo.pixels.shape[1], ceil(right * across)),
        min(photo.pixels.shape[0], ceil(bottom * down)),
    )


def mask_box(mask: Image.Image, photo: Photo, name: Path) -> PixelBox | None:
    """The subject's bounding box in a photo, from its mask; None when the mask is empty."""
    height, width = photo.pixels.shape[:2]
    if abs(mask.width / mask.height - width / height) > 0.02:
        raise InputError(f"The mask {name} does not have the size of its photo {photo.path}.")
    return mask.convert("L").resize((width, height), Image.Resampling.NEAREST).getbbox()


def boxes_digest(photos: Sequence[Photo]) -> str:
    """A digest of the photos' boxes, independent of their order."""
    return digest(sorted(f"{photo.digest} {photo.box}" for photo in photos))


@dataclass(frozen=True)
class NewSubject:
    """A subject to be trained: its token, its photos, and its class name in datasets."""

    token: Token
    photos: list[Photo]
    class_name: str


@dataclass(frozen=True)
class EncodedPhoto:
    """A photo and its mirror image as latents (2, 4, height, width), with their boxes."""

    latents: Tensor
    boxes: tuple[Box | None, Box | None]
    context: str


@torch.inference_mode()
def encode_photos(
    base: BaseModel, photos: Sequence[Photo], mirrored: bool = True
) -> list[EncodedPhoto]:
    """Encode photos once; crops are later cut from the latents."""
    return [_encode_photo(base, photo, mirrored) for photo in photos]


def _encode_photo(base: BaseModel, photo: Photo, mirrored: bool) -> EncodedPhoto:
    image = _whole_blocks(photo.pixels)
    pixels = to_pixels(torch.from_numpy(image.copy()))[None]
    device = next(base.unet.parameters()).device
    both = torch.cat([pixels, pixels.flip(3)]) if mirrored else torch.cat([pixels, pixels])
    latents = base.codec.encode(both.to(device)).cpu().clone()
    box = _latent_box(photo, latents)
    return EncodedPhoto(
        latents, (box, _mirror(box, latents.shape[3]) if mirrored else box), photo.context
    )


def _whole_blocks(image: np.ndarray) -> np.ndarray:
    height, width = (side - side % DOWNSCALE for side in image.shape[:2])
    return image[:height, :width]


def _latent_box(photo: Photo, latents: Tensor) -> Box | None:
    if photo.box is None:
        return None
    left, top, right, bottom = photo.box
    rows, columns = latents.shape[2:]
    return Box(
        top // DOWNSCALE,
        left // DOWNSCALE,
        min(rows, -(-bottom // DOWNSCALE)),
        min(columns, -(-right // DOWNSCALE)),
    )


def _mirror(box: Box | None, columns: int) -> Box | None:
    return box and Box(box.top, columns - box.right, box.bottom, columns - box.left)
