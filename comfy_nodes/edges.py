"""Soft edge maps: how strong the edges of an image are, at one scale."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

REFERENCE = 512  # pixels of the shorter side that sigmas are given for
SMALLEST = 0.3  # of a blur in pixels: less changes nothing
REACH = 4  # of the Gaussian, in standard deviations


def soft_edges(images: "Tensor", sigma: float, gain: float) -> "Tensor":
    """Grey maps [B, H, W, 3] in 0..1 of images [B, H, W, C]: `gain` times the height of edges.

    The gradient's magnitude after a Gaussian blur, times the blur's width: Lindeberg's
    gamma-normalised derivative with gamma = 1 ("Edge detection and ridge detection with automatic
    scale selection", IJCV 30(2), 1998). A sharp step of height h so has h at its middle, whatever
    the blur: the factor is that of central differences on pixels, sqrt(2 pi) sigma in the limit.
    Of a photo's channels the strongest counts.

    `sigma`: of the blur, in pixels of a photo whose shorter side has REFERENCE of them, so that a
    photo has the same edges at every size.
    """
    from kornia.filters import gaussian_blur2d, get_gaussian_kernel1d, spatial_gradient

    height, width = images.shape[1:3]
    blur = max(sigma * min(height, width) / REFERENCE, SMALLEST)
    reach = min(int(REACH * blur + 0.5), height - 1, width - 1)
    size = 2 * reach + 1
    step = get_gaussian_kernel1d(size, blur)[0, reach : reach + 2].sum() / 2  # a sharp one of 1
    smooth = gaussian_blur2d(images.movedim(-1, 1), (size, size), (blur, blur), "reflect")
    slope = spatial_gradient(smooth, mode="diff", order=1, normalized=True)
    heights = slope.norm(dim=2).amax(dim=1) * gain / step
    return heights.clamp(0, 1)[..., None].expand(-1, -1, -1, 3)
