"""Opening images: every kind of pixel, every orientation, and a sentence for every damage."""

import ast
import io
import random
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from manyshot.core.errors import InputError, read_each
from manyshot.core.image_files import image_files, visible_folders
from manyshot.core.images import (
    MOST_PIXELS,
    ORIENTATION,
    image_size,
    naming_all,
    open_image,
    open_rgb,
)
from manyshot.trainer.subjects.subject_photos import read_photos
from PIL import Image

ROOT = Path(__file__).parents[2]
RAMP = np.linspace(0, 255, 48).astype(np.uint8).reshape(6, 8)
PHOTO = np.stack([RAMP, RAMP[::-1], 255 - RAMP], axis=2)
LOSSLESS = ("PNG", "TIFF", "WEBP")


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def with_exif(kind: str) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    exif[0x010F] = "A maker of cameras"
    exif[0x011A] = 72.0
    exif[0x8769] = {0x9003: "2026:01:01 00:00:00", 0x829A: 0.01}
    exif[0x8825] = {1: "N", 2: (52.0, 30.0, 1.5)}
    image = Image.fromarray(PHOTO).resize((64, 48))
    options = {"lossless": True} if kind == "WEBP" else {}
    return encoded(image, kind, exif=exif.tobytes(), **options)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", LOSSLESS)
def test_images_are_upright_in_every_kind_of_file(
    tmp_path: Path, kind: str, orientation: int
) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    stored = {
        1: PHOTO,
        2: PHOTO[:, ::-1],
        3: PHOTO[::-1, ::-1],
        4: PHOTO[::-1],
        5: PHOTO.transpose(1, 0, 2),
        6: np.rot90(PHOTO),
        7: np.rot90(PHOTO, 2).transpose(1, 0, 2),
        8: np.rot90(PHOTO, -1),
    }[orientation]
    path = tmp_path / "photo"
    options = {"lossless": True} if kind == "WEBP" else {}
    image = Image.fromarray(np.ascontiguousarray(stored))
    path.write_bytes(encoded(image, kind, exif=exif, **options))
    assert np.array_equal(np.asarray(open_rgb(path)), PHOTO)
    assert image_size(path) == (8, 6)


def test_masks_are_turned_as_images_are(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    path = tmp_path / "mask.png"
    path.write_bytes(encoded(Image.fromarray(np.rot90(RAMP).copy()), "PNG", exif=exif))
    assert np.array_equal(np.asarray(open_image(path, "mask")), RAMP)


GREY = np.stack([RAMP] * 3, axis=2)
WIDE = RAMP.astype(np.uint16) * 257


@pytest.mark.parametrize(
    ("data", "pixels"),
    [
        (encoded(Image.fromarray(WIDE), "PNG"), GREY),
        (encoded(Image.fromarray(WIDE), "TIFF"), GREY),
        (b"P5\n8 6\n65535\n" + WIDE.astype(">u2").tobytes(), GREY),
        (b"P5\n8 6\n255\n" + RAMP.tobytes(), GREY),
        (encoded(Image.fromarray(RAMP).convert("LA"), "PNG"), GREY),
        (encoded(Image.fromarray(np.dstack([PHOTO, RAMP])), "PNG"), PHOTO),
        (encoded(Image.fromarray(RAMP).convert("P"), "PNG", transparency=0), GREY),
        (encoded(Image.fromarray(RAMP).convert("P"), "PNG", transparency=bytes(256)), GREY),
        (encoded(Image.fromarray(255 - PHOTO).convert("CMYK"), "TIFF"), 255 - PHOTO),
        (encoded(Image.fromarray(RAMP), "GIF"), GREY),
        (
            encoded(
                Image.fromarray(PHOTO),
                "WEBP",
                save_all=True,
                append_images=[Image.fromarray(255 - PHOTO)],
                lossless=True,
            ),
            PHOTO,
        ),
        (
            encoded(
                Image.fromarray(RAMP),
                "GIF",
                save_all=True,
                append_images=[Image.fromarray(255 - RAMP)],
            ),
            GREY,
        ),
    ],
    ids=[
        "16 bits PNG",
        "16 bits TIFF",
        "16 bits PGM",
        "PGM",
        "LA",
        "RGBA",
        "P with one clear colour",
        "P with an alpha table",
        "CMYK",
        "GIF",
        "animated WebP: its first picture",
        "animated GIF: its first picture",
    ],
)
def test_every_kind_of_pixel_becomes_rgb(tmp_path: Path, data: bytes, pixels: np.ndarray) -> None:
    path = tmp_path / "image"
    path.write_bytes(data)
    assert np.array_equal(np.asarray(open_rgb(path)), pixels)


def test_twelve_bits_of_a_tiff_are_scaled(tmp_path: Path) -> None:
    packed = b"\xff\xf0\x00" * 6  # white and black by turns, 4 by 3
    tags = [(256, 4), (257, 3), (258, 12), (259, 1), (262, 1), (273, 8), (278, 3), (279, 18)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    table = struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0)
    path = tmp_path / "12.tif"
    path.write_bytes(b"II*\0" + struct.pack("<I", 8 + len(packed)) + packed + table)
    assert np.asarray(open_rgb(path))[0, :, 0].tolist() == [255, 0, 255, 0]


@pytest.mark.parametrize(
    ("values", "what"), [(np.float32(RAMP / 255), "floats"), (np.int32(RAMP), "whole numbers")]
)
def test_numbers_without_a_white_are_refused(tmp_path: Path, values: np.ndarray, what: str) -> None:
    path = tmp_path / "depth.tif"
    path.write_bytes(encoded(Image.fromarray(values), "TIFF"))
    with pytest.raises(InputError) as error:
        open_rgb(path)
    assert str(error.value) == (
        f"The image {path} holds {what} of 32 bits, and nothing says which value is white. "
        "Save it with 8 or 16 bits, or remove it."
    )


def test_a_png_that_is_postscript_starts_nothing(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nquit\n")
    with pytest.raises(InputError) as error:
        open_image(path)
    assert str(error.value) == (
        f"The image {path} cannot be read (it is no BMP, GIF, JPEG, PNG, PPM, TIFF or WEBP "
        "file). Repair or remove it."
    )


@pytest.mark.parametrize("side", [9460, 14000])  # Pillow warns of one, and refuses the other
def test_too_many_pixels_are_refused_by_the_header(tmp_path: Path, side: int) -> None:
    assert side**2 > MOST_PIXELS
    path = tmp_path / "wall.png"
    Image.new("1", (side, side)).save(path)
    for read in (open_image, image_size):
        with pytest.raises(InputError, match="the limit is 89 million. Shrink"):
            read(path)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_damaged_exif_hides_no_picture(tmp_path: Path, kind: str) -> None:
    data = with_exif(kind)
    start = data.find(b"MM\0*" if kind != "TIFF" else b"A maker of cameras")
    start = data.find(b"II*\0") if start < 0 else start
    generator = random.Random(0)
    path = tmp_path / "photo"
    for _ in range(200):
        damaged = bytearray(data)
        for _ in range(4):
            damaged[start + 8 + generator.randrange(60)] = generator.randrange(256)
        path.write_bytes(damaged)
        if kind in ("JPEG", "WEBP"):  # PNG has a checksum, and in TIFF the tags are the file's own
            assert open_rgb(path).size in [(48, 64), (64, 48)]
        else:
            sentence_or_image(path)


def sentence_or_image(path: Path) -> None:
    for read in (open_image, open_rgb, image_size):
        try:
            read(path)
        except InputError as error:
            message = str(error)
        else:
            continue
        assert str(path) in message
        assert message.endswith("Repair or remove it.")
        assert "\n" not in message


CORPUS = {
    kind: with_exif(kind) if kind != "GIF" else encoded(Image.fromarray(PHOTO), "GIF")
    for kind in ("JPEG", "PNG", "TIFF", "WEBP", "GIF")
}


@given(
    kind=st.sampled_from(sorted(CORPUS)),
    cut=st.floats(0, 1),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=8),
)
def test_damaged_files_are_images_or_sentences(
    tmp_path_factory: pytest.TempPathFactory,
    kind: str,
    cut: float,
    changes: list[tuple[float, int]],
) -> None:
    data = bytearray(CORPUS[kind])
    for place, value in changes:
        data[int(place * (len(data) - 1))] = value
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(data[: 1 + int(cut * len(data))])
    sentence_or_image(path)


@given(data=st.binary(max_size=200))
def test_any_bytes_are_an_image_or_a_sentence(data: bytes) -> None:
    with pytest.raises(InputError):
        open_image(b"\x89PNG\r\n\x1a\n" + data)


def test_all_bad_files_are_named_at_once(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.png" for number in range(4)]
    for path in paths:
        path.write_bytes(encoded(Image.fromarray(PHOTO), "PNG") if path.stem in "02" else b"text")
    for read in (
        lambda: read_each(image_size, paths),
        lambda: [open_rgb(path) for path in paths],
        lambda: read_photos(paths, 8),
    ):
        with pytest.raises(InputError) as error, naming_all(paths):
            read()
        lines = str(error.value).splitlines()
        assert [line.split(" cannot be read")[0] for line in lines] == [
            f"The image {paths[1]}",
            f"The image {paths[3]}",
        ]


def test_other_errors_pass_by_as_they_are() -> None:
    with pytest.raises(InputError, match="No class"), naming_all([Path("nowhere.png")]):
        raise InputError("No class is given.")


def test_of_many_bad_files_the_first_are_named() -> None:
    paths = [Path(f"nowhere-{number}.png") for number in range(1234)]
    with pytest.raises(InputError) as error:
        read_each(image_size, paths)
    lines = str(error.value).splitlines()
    assert len(lines) == 21
    assert lines[-1] == "And 1,214 more."


def test_what_programs_leave_behind_is_no_image(tmp_path: Path) -> None:
    for name in (
        "1.jpg",
        "Thumbs.db",
        ".DS_Store",
        "._1.jpg",
        ".ipynb_checkpoints/1-checkpoint.jpg",
        "__MACOSX/._1.jpg",
        "__MACOSX/1.jpg",
        "@eaDir/1.jpg/SYNOPHOTO_THUMB_XL.jpg",
        "sub/2.JPG",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert [p.relative_to(tmp_path).as_posix() for p in image_files(tmp_path)] == [
        "1.jpg",
        "sub/2.JPG",
    ]
    assert [path.name for path in visible_folders(tmp_path)] == ["sub"]


def test_kinds_that_are_not_read_are_named(tmp_path: Path) -> None:
    for name in ("1.jpg", "2.HEIC", "3.avif"):
        (tmp_path / name).touch()
    with pytest.raises(InputError) as error:
        image_files(tmp_path)
    assert str(error.value) == (
        f"{tmp_path} has images in unsupported formats: 2.HEIC, 3.avif. Save them as JPEG or "
        "PNG, or remove them."
    )


def test_one_module_opens_images() -> None:
    """As ruff's TID251 says, and whatever the module is called by."""
    rooms = ("cli", "comfy_nodes", "core", "driver", "library", "trainer", "webui", "scripts")
    others = [
        path.relative_to(ROOT).as_posix()
        for room in rooms
        for path in (ROOT / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "open"
        if isinstance(node.value, ast.Name) and node.value.id == "Image"
    ]
    assert others == ["core/images.py"]
