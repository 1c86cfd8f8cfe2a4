"""Which masks are kept with a server's images, and what is known of them."""

import io

import numpy as np
import pytest
from manyshot.core.masks.label_mask import LabelMask
from manyshot.core.masks.labelled_png import encode_png
from manyshot.driver.delivered_images import add_labels
from manyshot.driver.job import Delivery, Failure
from PIL import Image
from PIL.PngImagePlugin import PngInfo

LABELS = np.zeros((4, 6), np.uint8)
LABELS[1:3, 2:5] = 1
LABELS[0, 0] = 255
MASK = LabelMask(LABELS, ("background", "cat"))
CAT = [{"class": "cat", "box": [2, 1, 5, 3], "area": 6}]


def png(image: Image.Image, **options: PngInfo) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", **options)
    return file.getvalue()


IMAGE = png(Image.new("RGB", (6, 4)))
PLAIN = png(Image.new("L", (6, 4), 255))


def told(names: str, mode: str = "P") -> bytes:
    info = PngInfo()
    info.add_text("manyshot_classes", names)
    image = Image.fromarray(LABELS * (LABELS < 255))
    return png(image.convert(mode) if mode == "L" else with_table(image), pnginfo=info)


def with_table(image: Image.Image) -> Image.Image:
    image.putpalette(bytes(768))
    return image


def test_without_masks_of_the_server_each_image_gets_the_jobs_own() -> None:
    found = add_labels(Delivery((IMAGE, IMAGE)), MASK)
    assert found == Delivery((IMAGE, IMAGE), (encode_png(MASK),) * 2, (CAT,) * 2)


def test_masks_of_the_server_win() -> None:
    other = LabelMask(1 - (LABELS == 1).astype(np.uint8), ("background", "dog"))
    found = add_labels(Delivery((IMAGE,), (encode_png(other),)), MASK)
    assert isinstance(found, Delivery)
    assert found.masks == (encode_png(other),)
    assert [row["class"] for row in found.objects[0]] == ["dog"]


@pytest.mark.parametrize("mask", [PLAIN, told("{"), told("[3]"), told('["background"]')])
def test_of_masks_that_name_no_classes_rightly_nothing_is_said(mask: bytes) -> None:
    assert add_labels(Delivery((IMAGE,), (mask,)), MASK) == Delivery((IMAGE,), (mask,))


def test_without_pairs_nothing_changes() -> None:
    assert add_labels(Delivery((IMAGE,)), None) == Delivery((IMAGE,))


def test_an_image_of_another_size_than_its_mask_is_a_failed_job() -> None:
    found = add_labels(Delivery((png(Image.new("RGB", (8, 8))),)), MASK)
    assert isinstance(found, Failure)
    assert found.kind == "invalid"  # never tried again: it would come so again
    assert "has 8x8 pixels and its mask 6x4. Set 'pairs.size' to [8, 8]" in found.reason
