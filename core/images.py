"""Opening image files: the one place that asks Pillow to.

Only the kinds in FORMATS are read, so that no file starts a program of its own (Pillow hands EPS to
Ghostscript). Whatever Pillow raises on a damaged file becomes a sentence that names it.
"""

import errno
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from .errors import InputError, read_each
from .files import check_regular

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
SENT = ("PNG", "JPEG", "WEBP")  # by servers
MOST_PIXELS = 89_478_485  # Pillow's own limit (1 GiB / 4 / 3), at which it only warns
ORIENTATION = 0x0112  # of EXIF
BITS_PER_SAMPLE = 0x0102  # of TIFF
EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)  # the machine, not the file
NUMBERS = {"I": "whole numbers", "F": "floats"}
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes an image upright, by its orientation (EXIF 2.32, page 39)."""
SIDEWAYS = 5  # from this orientation on width and height change places


class UnreadableImageError(InputError):
    """An image file that cannot be read."""


@contextmanager
def naming_all(paths: Iterable[Path]) -> Iterator[None]:
    """Around a block that reads images: when one cannot be read, the error names all that cannot.

    Raises InputError in place of the block's UnreadableImageError.
    """
    try:
        yield
    except UnreadableImageError:
        read_each(open_rgb, dict.fromkeys(paths))
        raise


@contextmanager
def open_image_file(
    source: Path | bytes, what: str = "image", formats: tuple[str, ...] = FORMATS
) -> Iterator[Image.Image]:
    """An image file whose header is read; its pixels are decoded when they are asked for.

    `what` it is called in messages. Raises InputError for a file that is none of `formats`, is
    damaged (also where that shows in the block only), or has more than MOST_PIXELS.
    """
    name = _describe_source(source, what)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what matters is raised, here or by Pillow
            if isinstance(source, Path):
                check_regular(source)
            stream = BytesIO(source) if isinstance(source, bytes) else source
            with Image.open(stream, formats=formats) as file:
                _check_pixels(file.size, name)
                yield file
    except (InputError, MemoryError):
        raise
    except Image.DecompressionBombError:
        raise _too_large(name, f"more than {2 * MOST_PIXELS // 10**6} million") from None
    except Exception as error:  # Pillow raises nearly anything on damaged files
        if isinstance(error, OSError) and error.errno in EXHAUSTED:
            raise
        raise UnreadableImageError(
            f"{name} cannot be read ({_reason(error, formats)}). Repair or remove it."
        ) from None


def open_image(
    source: Path | bytes,
    what: str = "image",
    formats: tuple[str, ...] = FORMATS,
    short_side: int | None = None,
) -> Image.Image:
    """The first picture in an image file, whole and upright, in the file's own mode.

    Where EXIF is damaged, the picture is upright as it is stored. JPEGs may come smaller, with a
    shorter side of at least `short_side` pixels. Raises InputError as `opened` does.
    """
    with open_image_file(source, what, formats) as file:
        return _whole(file, short_side)


def open_rgb(
    source: Path | bytes, formats: tuple[str, ...] = FORMATS, short_side: int | None = None
) -> Image.Image:
    """An image as `open_image` gives it, in RGB with 8 bits.

    Transparency is left aside: what lies beneath is shown, as in ComfyUI and torchvision. Of 16
    bits the upper 8 count. Raises InputError as `opened` does, and for whole numbers of 32 bits and
    for floats, as no file says which of them is white.
    """
    with open_image_file(source, "image", formats) as file:
        image = _whole(file, short_side)
        if image.mode in ("I", "F"):
            raise UnreadableImageError(
                f"{_describe_source(source, 'image')} holds {NUMBERS[image.mode]} of 32 "
                "bits, and nothing says which value is white. Save it with 8 or 16 bits, or "
                "remove it."
            )
        if image.mode.startswith("I;16"):  # Pillow would clip it to white
            image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
        return image.convert("RGB")


def image_size(path: Path, what: str = "image") -> tuple[int, int]:
    """Width and height of an image, upright, by its header. Raises InputError as `opened` does."""
    with open_image_file(path, what) as file:
        width, height = file.size
        # Pillow turns TIFFs itself
        sideways = file.format != "TIFF" and _orientation(file) >= SIDEWAYS
        return (height, width) if sideways else (width, height)


def _whole(file: Image.Image, short_side: int | None) -> Image.Image:
    if short_side is not None:
        file.draft("RGB", (short_side, short_side))
    file.load()
    turn = TURNS.get(_orientation(file))
    return _of_16_bits(file.copy() if turn is None else file.transpose(turn), file)


def _orientation(file: Image.Image) -> int:
    """1 to 8, by EXIF or XMP; 1, as it is, where they are damaged or say nothing."""
    try:
        orientation = file.getexif().get(ORIENTATION)
    except Exception:  # Pillow raises a dozen kinds on damaged EXIF, and none is of the pixels
        return 1
    return orientation if orientation in TURNS else 1


def _check_pixels(size: tuple[int, int], name: str) -> None:
    if size[0] * size[1] > MOST_PIXELS:
        raise _too_large(name, f"{size[0]}x{size[1]}")


def _too_large(name: str, pixels: str) -> UnreadableImageError:
    return UnreadableImageError(
        f"{name} has {pixels} pixels; the limit is {MOST_PIXELS // 10**6} million. Shrink or "
        "remove it."
    )


def _of_16_bits(image: Image.Image, file: Image.Image) -> Image.Image:
    """White as 65,535: Pillow reads 16 bits of PNG and PPM as 32, and 12 of TIFF as 16."""
    if image.mode == "I" and file.format in ("PNG", "PPM"):
        return image.convert("I;16")
    if image.mode == "I;16" and getattr(file, "tag_v2", {}).get(BITS_PER_SAMPLE) == (12,):
        return Image.fromarray(np.asarray(image) << 4)
    return image


def _describe_source(source: Path | bytes, what: str) -> str:
    return f"The {what} {source}" if isinstance(source, Path) else f"The {what}"


def _reason(error: Exception, formats: tuple[str, ...]) -> str:
    """In a few words, without the file's name."""
    if isinstance(error, UnidentifiedImageError):
        return f"it is no {_join_formats(formats)} file"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    plain = isinstance(error, OSError | ValueError | SyntaxError) and str(error)
    return str(error).splitlines()[0] if plain else "it is damaged"


def _join_formats(formats: tuple[str, ...]) -> str:
    *first, last = formats
    return f"{', '.join(first)} or {last}" if first else last
