"""Label masks from files of every form, drawn as control images, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from manyshot.core.errors import InputError
from manyshot.core.masks.ade20k import ade20k_class, ade20k_colours
from manyshot.core.masks.coco import check_coco_classes, read_coco
from manyshot.core.masks.control import ade20k_table, draw_control, own_colours
from manyshot.core.masks.label_mask import IGNORE, LabelMask, MaskCode, check_fits
from manyshot.core.masks.raw import indices
from manyshot.core.masks.read import read_alpha, read_mask, read_trimap
from manyshot.core.palettes import COLOURS, trimap_to_control
from PIL import Image

from ..support.rle import decode_runs, encode_runs

CODE = MaskCode(("background", "cat", "dog"), {0: 0, 1: 1, 700: 2, 9: IGNORE}, {})
COLOURED = MaskCode(
    CODE.classes,
    {},
    {**{COLOURS[name]: n for n, name in enumerate(CODE.classes)}, (1, 2, 3): IGNORE},
)
WANTED = [[0, 1], [2, IGNORE]]


def index8(path: Path) -> None:
    Image.fromarray(np.array([[0, 1], [2, 9]], np.uint8)).save(path)


def index16(path: Path) -> None:
    Image.fromarray(np.array([[0, 1], [700, 9]], np.uint16)).save(path)


def palette(path: Path) -> None:
    image = Image.fromarray(np.array([[0, 1], [2, 9]], np.uint8))
    image.putpalette([value % 251 for value in range(768)])  # colours that mean nothing
    image.save(path)


def colours(path: Path) -> None:
    table = np.array([COLOURS["background"], COLOURS["cat"], COLOURS["dog"], (1, 2, 3)], np.uint8)
    Image.fromarray(table.reshape(2, 2, 3)).save(path)


def colours_with_alpha(path: Path) -> None:
    colours(path)
    Image.open(path).convert("RGBA").save(path)


@pytest.mark.parametrize(
    ("write", "code"),
    [
        (index8, MaskCode(CODE.classes, {0: 0, 1: 1, 2: 2, 9: IGNORE}, {})),
        (index16, CODE),
        (palette, MaskCode(CODE.classes, {0: 0, 1: 1, 2: 2, 9: IGNORE}, {})),
        (colours, COLOURED),
        (colours_with_alpha, COLOURED),
    ],
)
def test_one_mask_in_every_form(write, code: MaskCode, tmp_path: Path) -> None:  # noqa: ANN001
    path = tmp_path / "mask.png"
    write(path)
    mask = read_mask(path, code)
    assert mask.labels.tolist() == WANTED
    assert mask.labels.dtype == np.uint8
    assert mask.visible_classes() == ("cat", "dog")


def test_trimaps_binary_masks_and_alpha(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    Image.fromarray(np.array([[1, 2, 3]], np.uint8)).save(path)
    trimap = read_trimap(path, "cat")
    assert (trimap.labels.tolist(), trimap.classes) == ([[1, 0, IGNORE]], ("background", "cat"))
    for image in (np.array([[255, 0]], np.uint8), np.array([[True, False]])):
        Image.fromarray(image).save(path)
        assert read_mask(path).labels.tolist() == [[1, 0]]
        assert read_trimap(path, "dog").visible_classes() == ("dog",)
    Image.fromarray(np.array([[[9, 9, 9, 255], [9, 9, 9, 127]]], np.uint8)).save(path)
    assert read_alpha(path, "logo").labels.tolist() == [[1, 0]]


def grey(*values: int, dtype: type = np.uint8) -> Image.Image:
    return Image.fromarray(np.array([values], dtype))


@pytest.mark.parametrize(
    ("image", "code", "said"),
    [
        (Image.new("RGB", (2, 1), (255, 97, 0)), COLOURED, "#ff6100 .*nearest is #ff6000 cat"),
        (Image.new("RGB", (2, 1), (255, 97, 0)), None, "is in colour"),
        (grey(0, 7), CODE, "has 7 in row 0, column 1.*Known: 0 background"),
        (grey(0, 65535, dtype=np.uint16), CODE, "has 65535 in row 0, column 1"),
        (grey(0, 0), CODE, "is empty"),
        (grey(0, 9), CODE, "is empty"),
        (grey(9, 9), CODE, "no labelled pixel"),
        (grey(5, 5), None, "a single value, 5"),
    ],
)
def test_masks_that_are_refused(
    image: Image.Image, code: MaskCode | None, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "mask.png"
    image.save(path)
    with pytest.raises(InputError, match=said) as caught:
        read_mask(path, code)
    assert "mask.png" in str(caught.value)


@pytest.mark.parametrize("content", [None, b"", b"\x89PNG\r\n\x1a\n123", b"text"])
@pytest.mark.parametrize("read", [lambda path: read_mask(path, CODE), read_alpha])
def test_files_that_are_no_image(read, content: bytes | None, tmp_path: Path) -> None:  # noqa: ANN001
    path = tmp_path / "mask.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"mask\.png cannot be read"):
        read(path)


def test_other_refusals(tmp_path: Path) -> None:
    mask = LabelMask(np.zeros((2, 3), np.uint8), ("background", "cat"))
    check_fits(mask, (2, 3), "a.jpg")
    with pytest.raises(InputError, match=r"a\.jpg has 3x2 pixels and its image 2x3"):
        check_fits(mask, (3, 2), "a.jpg")
    Image.new("RGB", (2, 2)).save(tmp_path / "rgb.png")
    with pytest.raises(InputError, match="no alpha channel"):
        read_alpha(tmp_path / "rgb.png")
    Image.new("RGBA", (2, 2)).save(tmp_path / "clear.png")
    with pytest.raises(InputError, match=r"clear\.png is empty"):
        read_alpha(tmp_path / "clear.png")


@settings(max_examples=60, deadline=None)
@given(arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_run_lengths_there_and_back(mask: np.ndarray) -> None:
    assert np.array_equal(decode_runs(encode_runs(mask), *mask.shape), mask)


@settings(max_examples=60, deadline=None)
@given(arrays(bool, st.tuples(st.integers(1, 70), st.integers(1, 70))))
def test_run_lengths_are_those_of_pycocotools(mask: np.ndarray) -> None:
    coco = pytest.importorskip("pycocotools.mask")
    packed = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert np.array_equal(decode_runs(packed["counts"], *mask.shape), mask)
    plain = {"counts": encode_runs(mask), "size": list(mask.shape)}
    again = coco.frPyObjects(plain, *mask.shape)
    assert again["counts"] == packed["counts"]


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ([1, 2], "does not fill"),
        ([-1, 5], "does not fill"),
        ("\x00", "characters"),
        ("o", "truncated"),
    ],
)
def test_damaged_run_lengths(counts: list[int] | str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        decode_runs(counts, 2, 2)


def annotations(path: Path, *found: dict[str, object]) -> Path:
    text = {
        "images": [{"id": 7, "file_name": "a.jpg", "height": 4, "width": 6}],
        "categories": [{"id": 3, "name": "dog"}, {"id": 1, "name": "cat"}],
        "annotations": [
            {"id": n, "image_id": 7, "category_id": 1, **one} for n, one in enumerate(found)
        ],
    }
    path.write_text(json.dumps(text))
    return path


def test_coco_polygons_and_run_lengths(tmp_path: Path) -> None:
    two = [[0, 0, 2, 0, 2, 2, 0, 2], [4, 2, 6, 2, 6, 4, 4, 4]]
    runs = {"counts": [4 * 3, 2, 10], "size": [4, 6]}
    crowd = {"counts": [0, 1, 23], "size": [4, 6]}
    path = annotations(
        tmp_path / "a.json",
        {"segmentation": two},
        {"segmentation": runs, "category_id": 3},
        {"segmentation": crowd, "iscrowd": 1},
    )
    classes, [image] = read_coco(path)
    assert classes == ("cat", "dog")
    wanted = [[IGNORE, 1, 0, 2, 0, 0], [1, 1, 0, 2, 0, 0], [0] * 4 + [1, 1], [0] * 4 + [1, 1]]
    assert image.label_mask(classes).labels.tolist() == wanted
    assert image.label_mask(("dog",)).visible_classes() == ("dog",)
    with pytest.raises(InputError, match=r"a\.jpg is empty"):
        image.label_mask(("bird",))
    with pytest.raises(InputError, match="'dogs'.* Did you mean 'dog'"):
        check_coco_classes(["dogs"], classes)


@pytest.mark.parametrize(
    ("annotation", "said"),
    [
        ({"segmentation": [[0, 0, 1, 1]]}, "three points"),
        ({"segmentation": [[0, 0, 1, 1, 2]]}, "three points"),
        ({"segmentation": [[0, 0, 1, 1, float("nan"), 2]]}, "three points"),
        ({"segmentation": [[0, 0, 1, 1, 1e300, 2]]}, "three points"),
        ({"segmentation": []}, "no outline"),
        ({"segmentation": {"counts": [24], "size": [6, 4]}}, "4x6 pixels and its image a.jpg 6x4"),
        ({"segmentation": {"counts": "]", "size": [4, 6]}}, "annotation 0: The"),
        ({"segmentation": 3}, "cannot be read"),
        ({"segmentation": [[0, 0, 1, 0, 1, 1]], "category_id": 2}, "an image or a category"),
    ],
)
def test_damaged_annotations(annotation: dict[str, object], said: str, tmp_path: Path) -> None:
    path = annotations(tmp_path / "a.json", annotation)
    with pytest.raises(InputError, match=said) as caught:
        read_coco(path)
    assert "a.json" in str(caught.value)


def test_control_images_are_read_back() -> None:
    trimap = np.array([[1, 2, 3]], np.uint8)
    mask = LabelMask(np.array([[1, 0, IGNORE]], np.uint8), ("background", "cat"))
    control = draw_control(mask)
    assert np.array_equal(control, trimap_to_control(trimap, "cat"))
    colours = own_colours(mask.classes)
    by_colour = {colours[name]: n for n, name in enumerate(mask.classes)}
    code = MaskCode(mask.classes, {}, {**by_colour, COLOURS["border"]: IGNORE})
    assert np.array_equal(indices(control, code, Path("c.png")), mask.labels)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 254))
def test_own_colours_differ(count: int) -> None:
    names = ("background", "cat", *(f"class {n}" for n in range(count)))
    colours = own_colours(names)
    assert len({*colours.values(), COLOURS["border"]}) == len(names) + 1
    assert colours["cat"] == COLOURS["cat"]


def test_the_colours_of_ade20k() -> None:
    colours = ade20k_colours()
    assert (len(colours), len(set(colours.values()))) == (150, 149)
    assert (colours["wall"], colours["sky"]) == ((120, 120, 120), (6, 230, 230))
    assert (colours["animal"], colours["flag"]) == ((255, 0, 122), (92, 0, 255))


@pytest.mark.parametrize(
    ("name", "found"),
    [("cat", "animal"), ("Potted_plant", "plant"), ("tv", "television receiver"), ("car", "car")],
)
def test_synonyms_of_ade20k(name: str, found: str) -> None:
    assert ade20k_class(name) == found


def test_public_models_read_the_control_image() -> None:
    mask = LabelMask(np.array([[0, 1, 2, IGNORE]], np.uint8), ("background", "cat", "zork"))
    table = ade20k_table(mask.classes, {"background": "grass", "zork": None})
    control = draw_control(mask, table, (0, 0, 0))
    assert control.tolist() == [[[4, 250, 7], [255, 0, 122], [0, 0, 0], [0, 0, 0]]]
    with pytest.raises(InputError, match="ADE20K has no class for 'zork'"):
        ade20k_table(mask.classes)
    with pytest.raises(InputError, match="'flwoer'.* Did you mean 'flower'"):
        ade20k_table(mask.classes, {"zork": "flwoer"})
    with pytest.raises(InputError, match="The mask has no class named 'cats'.* 'cat'"):
        ade20k_table(mask.classes, {"cats": "animal"})
    with pytest.raises(InputError, match="no colour for 'cat'"):
        draw_control(mask, {"background": (0, 0, 0)})
