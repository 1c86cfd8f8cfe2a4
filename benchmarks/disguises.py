"""Ways in which copies of photos are disguised: re-encoded, resized, turned, cropped, filtered."""

from collections.abc import Callable, Mapping
from io import BytesIO

from PIL import Image, ImageEnhance, ImageFilter

Disguise = Callable[[Image.Image], Image.Image]


def encoded(form: str, quality: int) -> Disguise:
    def disguise(image: Image.Image) -> Image.Image:
        file = BytesIO()
        image.save(file, form, quality=quality)
        return Image.open(file).convert("RGB")

    return disguise


def cropped(share: float, x: float, y: float) -> Disguise:
    """`share` of each side, at `x` and `y` (0 to 1) of what is spare, enlarged again."""

    def disguise(image: Image.Image) -> Image.Image:
        width, height = (share * length for length in image.size)
        left, top = x * (image.width - width), y * (image.height - height)
        box = (left, top, left + width, top + height)
        return image.resize(image.size, Image.Resampling.BICUBIC, box)

    return disguise


def in_turn(*disguises: Disguise) -> Disguise:
    def disguise(image: Image.Image) -> Image.Image:
        for one in disguises:
            image = one(image)
        return image

    return disguise


def transposed(how: Image.Transpose) -> Disguise:
    return lambda image: image.transpose(how)


def resized(factor: float) -> Disguise:
    return lambda image: image.resize((round(factor * image.width), round(factor * image.height)))


DISGUISES: Mapping[str, Disguise] = {
    **{f"JPEG {quality}": encoded("JPEG", quality) for quality in (20, 50, 90)},
    "WebP 30": encoded("WEBP", 30),
    "half the size": resized(0.5),
    "twice the size": resized(2),
    "square": lambda image: image.resize((min(image.size), min(image.size))),
    "mirrored": transposed(Image.Transpose.FLIP_LEFT_RIGHT),
    "quarter turn": transposed(Image.Transpose.ROTATE_90),
    "half turn": transposed(Image.Transpose.ROTATE_180),
    "turned by 10 degrees": lambda image: image.rotate(10, Image.Resampling.BICUBIC),
    "corner, 80 % of each side": cropped(0.8, 0, 0),
    "centre, 80 %": cropped(0.8, 0.5, 0.5),
    "corner, 60 %": cropped(0.6, 1, 1),
    "centre, 50 %": cropped(0.5, 0.5, 0.5),
    "brightness + 40 %": lambda image: ImageEnhance.Brightness(image).enhance(1.4),
    "contrast - 40 %": lambda image: ImageEnhance.Contrast(image).enhance(0.6),
    "blur of 1 pixel": lambda image: image.filter(ImageFilter.GaussianBlur(1)),
    "mirrored corner, JPEG 30": in_turn(
        transposed(Image.Transpose.FLIP_LEFT_RIGHT), cropped(0.8, 1, 0), encoded("JPEG", 30)
    ),
}
