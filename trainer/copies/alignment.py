"""Laying one image over another, and how far the two then agree."""

import cv2
import numpy as np

from .signatures import Signature, mirror_descriptors

Affine = np.ndarray  # (2, 3): of pixels (x, y, 1) of the image to pixels of the reference
ALIKE = 0.8  # cosine of two descriptors of one point
INLIERS = 6  # points that one affine map has to explain; three fix it
TOLERANCE = 3.0  # pixels, of 128
FINE, COARSE = 2.5, 12.0  # pixels, of 128: details between these sizes are compared
OVERLAP = 0.15  # of the image's area at least
SCALES = 0.05, 20.0  # of areas
STEPS = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 20, 1e-4)
TURNS = 8  # 0 to 3 quarter turns, and these of the mirror image


def rotate(image: np.ndarray, turn: int) -> np.ndarray:
    """`image` (height, width) mirrored if `turn` is 4 or more, then turned by quarters."""
    image = image[:, ::-1] if turn >= 4 else image
    return np.ascontiguousarray(np.rot90(image, turn % 4))


def stretch(image: np.ndarray, reference: np.ndarray) -> Affine:
    """The map that lays the whole of `image` over the whole of `reference`."""
    x, y = np.array(reference.shape[::-1]) / image.shape[::-1]
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2]], np.float32)


def by_keypoints(image: Signature, reference: Signature, mirrored: bool) -> Affine | None:
    """The affine map of most keypoints of the image, or its mirror image, to the reference's.

    By RANSAC (Fischler and Bolles 1981) over pairs that are each other's nearest; None where it
    explains fewer than six of them.
    """
    descriptors = mirror_descriptors(image.descriptors) if mirrored else image.descriptors
    if min(len(descriptors), len(reference.descriptors)) < INLIERS:
        return None
    alike = _unit(descriptors) @ _unit(reference.descriptors).T
    nearest = alike.argmax(axis=1)
    rows = np.arange(len(alike))
    mutual = (alike.argmax(axis=0)[nearest] == rows) & (alike[rows, nearest] > ALIKE)
    if mutual.sum() < INLIERS:
        return None
    points = image.points[mutual].copy()
    if mirrored:
        points[:, 0] = image.grey.shape[1] - 1 - points[:, 0]
    affine, inliers = cv2.estimateAffine2D(
        points, reference.points[nearest[mutual]], ransacReprojThreshold=TOLERANCE, maxIters=500
    )
    if affine is None or inliers.sum() < INLIERS:
        return None
    return affine.astype(np.float32) if _plausible(affine) else None


def _unit(descriptors: np.ndarray) -> np.ndarray:
    rows = descriptors.astype(np.float32)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)


def _plausible(affine: Affine) -> bool:
    return SCALES[0] < float(np.linalg.det(affine[:, :2])) < SCALES[1]


def agreement(image: np.ndarray, reference: np.ndarray, affine: Affine, least: float) -> float:
    """How far the grey `image` agrees with `reference` laid over it by `affine`: -1 to 1.

    The correlation of their details where both are, after the map is refined by Evangelidis and
    Psarakis 2008, "Parametric Image Alignment Using Enhanced Correlation Coefficient
    Maximization". A map that agrees less than `least` is not worth refining.
    """
    rough = _correlation(image, reference, affine)
    if rough < least:
        return rough
    whole = np.full_like(reference, 255)
    try:
        _, refined = cv2.findTransformECC(
            image, reference, affine.copy(), cv2.MOTION_AFFINE, STEPS, whole, 3
        )
    except cv2.error:  # it did not converge
        return rough
    if not _plausible(refined):
        return rough
    return max(rough, _correlation(image, reference, refined.astype(np.float32)))


def _correlation(image: np.ndarray, reference: np.ndarray, affine: Affine) -> float:
    size = image.shape[::-1]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    laid_over = cv2.warpAffine(reference, affine, size, flags=flags)
    shown = cv2.warpAffine(np.full_like(reference, 255), affine, size, flags=flags)
    shown = cv2.erode(shown, np.ones((5, 5), np.uint8), borderValue=255) == 255
    if shown.mean() < OVERLAP:
        return 0.0
    image_details, reference_details = (_details(picture)[shown] for picture in (image, laid_over))
    spread = float(image_details.std() * reference_details.std())
    return (
        float(
            (
                (image_details - image_details.mean())
                * (reference_details - reference_details.mean())
            ).mean()
        )
        / spread
        if spread
        else 0.0
    )


def _details(grey: np.ndarray) -> np.ndarray:
    """The difference of two blurs: no brightness, and no noise of an encoder."""
    pixels = grey.astype(np.float32)
    return cv2.GaussianBlur(pixels, (0, 0), FINE) - cv2.GaussianBlur(pixels, (0, 0), COARSE)
