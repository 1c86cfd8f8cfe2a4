"""One rule for what mask values mean: a table of sets of masks with what is decided, or said."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from manyshot.core.data.labelled_image import label_mask
from manyshot.core.data.reader import read_folder
from manyshot.core.errors import InputError
from manyshot.core.masks.coco import read_coco
from manyshot.core.masks.colours import hex_colour
from manyshot.core.masks.control import unknown_colours
from manyshot.core.masks.conventions import infer_code
from manyshot.core.masks.label_mask import IGNORE
from manyshot.core.masks.mask_readers import read_form
from manyshot.core.masks.partners import IMAGES, MASKS, mask_pairs
from manyshot.core.masks.raw import read_indices
from manyshot.core.masks.set_code import code_beside, read_palette, set_code
from PIL import Image, ImageFilter

DISC = np.hypot(*np.mgrid[-16:16, -16:16]) < 9
BW = {0: 0, 255: 1}


def painted(*values: int, dtype: type = np.uint8) -> Image.Image:
    """A disc of the last value, in rings from the outside on."""
    radius = np.hypot(*np.mgrid[-16:16, -16:16])
    rings = np.clip(((16 - radius) * len(values) / 16).astype(int), 0, len(values) - 1)
    return Image.fromarray(np.array(values, dtype)[rings])


def soft(*values: int, side: int = 80) -> Image.Image:
    return painted(*values).resize((side, side), Image.Resampling.BILINEAR)


def dotted(value: int) -> Image.Image:
    image = painted(0, 255)
    image.putpixel((16, 16), value)
    return image


def with_alpha(mode: str, opaque: bool = True) -> Image.Image:
    image = painted(0, 255).convert(mode)
    image.putalpha(Image.new("L", image.size, 255) if opaque else painted(0, 255))
    return image


def indexed(*colours: int) -> Image.Image:
    image = painted(0, 1)
    image.putpalette([*colours, *[0] * (768 - len(colours))])
    return image


NAMES2 = ("background", "class 1")
TRIMAP = painted(2, 3, 1)
DECIDED = {
    "black and white": ([painted(0, 255)], ("background", "object"), BW),
    "black and white as RGB": ([painted(0, 255).convert("RGB")], ("background", "object"), BW),
    "opaque RGBA": ([with_alpha("RGBA")], ("background", "object"), BW),
    "opaque LA": ([with_alpha("LA")], ("background", "object"), BW),
    "1 bit": ([painted(0, 255).convert("1")], ("background", "object"), BW),
    "16 bits": ([painted(0, 65535, dtype=np.uint16)], ("background", "object"), {0: 0, 65535: 1}),
    "one empty": ([painted(0, 255), painted(0)], ("background", "object"), BW),
    "one full": ([painted(0, 255), painted(255)], ("background", "object"), BW),
    "inverted": ([painted(255, 0)], ("background", "object"), BW),
    "indices": ([painted(0, 1)], NAMES2, {0: 0, 1: 1, 255: IGNORE}),
    "indices in a table": ([indexed(0, 0, 0, 255, 0, 0)], NAMES2, {0: 0, 1: 1, 255: IGNORE}),
    "ignored": ([painted(0, 255, 1)], NAMES2, {0: 0, 1: 1, 255: IGNORE}),
    "ignored in one of many": ([painted(0, 1), painted(0, 255, 1)], NAMES2, None),
    "one of many all ignored": ([painted(0, 255, 1)] * 10 + [painted(0, 255)], NAMES2, None),
    "nearly white": ([painted(0, 254)], ("background", "class 254"), None),
    "many classes": (
        [painted(0, 3, 15, 255), painted(0, 7, 20)],
        ("background", "class 3", "class 7", "class 15", "class 20"),
        None,
    ),
    "no background": ([painted(1, 2)], ("class 1", "class 2"), None),
    "three classes": ([painted(0, 1, 2)], ("background", "class 1", "class 2"), None),
}


def saved(folder: Path, images: list[Image.Image], suffix: str = ".png") -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number}{suffix}" for number in range(len(images))]
    for image, path in zip(images, paths, strict=True):
        image.save(path)
    return paths


@pytest.mark.parametrize("name", DECIDED)
def test_a_set_is_decided_as_a_whole(tmp_path: Path, name: str) -> None:
    images, classes, values = DECIDED[name]
    code = infer_code(saved(tmp_path, images))
    assert code.classes == classes
    assert values is None or code.values == values
    for path in saved(tmp_path, images):
        if name != "one of many all ignored":
            read_indices(path, code)


GOOD = [painted(0, 255)] * 6
THRESHOLD = "'threshold: 128' in 'palette.yaml'"
REFUSED = {
    "resized bilinearly": ([soft(0, 255)], "80 masks|0.png has .* among 0 and 255.*soft edges"),
    "resized by bicubic": (
        [painted(0, 255).resize((80, 80), Image.Resampling.BICUBIC)],
        "soft edges",
    ),
    "made smaller": ([painted(0, 255).resize((20, 20), Image.Resampling.BOX)], "soft edges"),
    "blurred": ([painted(0, 255).filter(ImageFilter.GaussianBlur(2))], "soft-edged"),
    "one of seven soft": ([*GOOD, soft(0, 255, side=32 * 2)], r"6.png has .* as has 1 of 7 masks"),
    "one pixel of 254": ([*GOOD, dotted(254)], r"6.png has 1 pixel of 254 among 0 and 255"),
    "one pixel of 1": ([*GOOD, dotted(1)], r"6.png has 1 pixel of 1 among 0 and 255"),
    "white and indices": ([painted(0, 255), painted(0, 1)], r"0.png holds 0, 255, .*1.png 0, 1 "),
    "white and ignored": ([*GOOD, painted(0, 1, 255)], r"0.png holds 0, 255, .*6.png 0, 1, 255"),
    "indices resized": ([soft(0, 15)], "0.png has 1, 2, 3, .* only on edges"),
    "trimap": ([TRIMAP], "0.png holds 1, 2 and 3, as a trimap does"),
    "trimap among indices": ([painted(0, 1), TRIMAP], "1.png holds 1, 2 and 3, as a trimap does"),
    "matting": ([painted(0, 128, 255)], "0, 128, 255, in equal steps"),
    "stretched": ([painted(0, 85, 170, 255)], "0, 85, 170, 255, in equal steps"),
    "all background": ([painted(0)] * 3, "hold a single value, 0"),
    "all white": ([painted(255)], "hold a single value, 255"),
    "transparent RGBA": ([with_alpha("RGBA", opaque=False)], "0.png has .* transparent pixels"),
    "transparent LA": ([with_alpha("LA", opaque=False)], "0.png has .* transparent pixels"),
    "in colours": ([Image.new("RGB", (4, 4), (255, 0, 0))], "is in colour .#ff0000"),
    "colour tables that differ": (
        [indexed(0, 0, 0, 255, 0, 0), indexed(0, 0, 0, 0, 0, 255)],
        "The index 1 is #ff0000 in .*0.png and #0000ff in .*1.png",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_may_mean_several_things_is_refused_with_file_and_values(
    tmp_path: Path, name: str
) -> None:
    images, words = REFUSED[name]
    with pytest.raises(InputError, match=words) as caught:
        infer_code(saved(tmp_path, images))
    said = str(caught.value)
    assert "palette.yaml" in said or "without an alpha channel" in said


def test_jpeg_and_fractions(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"0.jpg is a JPEG with .*{THRESHOLD}"):
        infer_code(saved(tmp_path, [painted(0, 255)], ".jpg"))
    with pytest.raises(InputError, match="0.tif has fractions such as 0.5"):
        infer_code(saved(tmp_path, [Image.new("F", (2, 2), 0.5)], ".tif"))
    assert infer_code(saved(tmp_path, [painted(0, 1).convert("F")], ".tif")).classes == NAMES2


def pair_folder(folder: Path, masks: list[Image.Image], suffix: str = ".png") -> Path:
    saved(folder / IMAGES, [Image.new("RGB", mask.size) for mask in masks], ".jpg")
    saved(folder / MASKS, masks, suffix)
    return folder


@pytest.mark.parametrize(
    ("masks", "suffix", "palette", "shown"),
    [
        ([soft(0, 255)], ".png", "threshold: 128", {"object"}),
        ([painted(0, 255)], ".jpg", "threshold: 128", {"object"}),
        ([*GOOD, dotted(254)], ".png", "threshold: 128", {"object"}),
        (
            [soft(255, 0)],
            ".png",
            "{classes: {background: 255, cat: 0}, threshold: 100}",
            {"cat"},
        ),
        ([TRIMAP], ".png", "{classes: {background: 2, object: 1}, ignore: 3}", {"object"}),
        ([painted(0, 255), painted(0, 1)], ".png", "classes: {background: 0, o: [1, 255]}", {"o"}),
        (
            [painted(0, 128, 255)],
            ".png",
            "{classes: {background: 0, object: 255}, ignore: 128}",
            {"object"},
        ),
        ([painted(0, 1, 2)], ".png", "classes: {background: 0, a: 1, b: 2}", {"a", "b"}),
        (
            [indexed(0, 0, 0, 255, 0, 0), indexed(255, 0, 0, 0, 0, 0)],
            ".png",
            "classes: {background: '#000000', cat: '#ff0000'}",
            {"cat"},
        ),
    ],
)
def test_the_way_out_works(
    tmp_path: Path, masks: list[Image.Image], suffix: str, palette: str, shown: set[str]
) -> None:
    folder = pair_folder(tmp_path, masks, suffix)
    (folder / "palette.yaml").write_text(palette)
    for pair in read_folder(folder):
        assert set(label_mask(pair).visible_classes()) == shown


def test_the_threshold_is_where_white_begins(tmp_path: Path) -> None:
    folder = pair_folder(tmp_path, [Image.fromarray(np.array([[0, 127, 128, 255]], np.uint8))])
    (folder / "palette.yaml").write_text("threshold: 128")
    (pair,) = read_folder(folder)
    assert label_mask(pair).labels.tolist() == [[0, 0, 1, 1]]
    path = folder / MASKS / "0.png"
    assert read_form(path, "labels", table="threshold: 128").labels.tolist() == [[0, 0, 1, 1]]
    (folder / "palette.yaml").write_text("{classes: {a: 0, b: 7}, threshold: 128}")
    with pytest.raises(InputError, match="with a threshold classes have 0"):
        read_folder(folder)


def test_a_canvas_is_told_of_its_table(tmp_path: Path) -> None:
    (path,) = saved(tmp_path, [soft(0, 255)])
    with pytest.raises(InputError, match="'threshold: 128' in the table"):
        read_form(path, "labels")


@pytest.mark.parametrize(
    ("real", "other", "said"),
    [
        ([painted(0, 1)], [painted(0, 255)], "show 'object' .* do not have: background, class 1"),
        ([painted(0, 255, 1)], [painted(0, 255)], "show 'object'"),
        ([painted(0, 255)], [painted(0, 1)], "show 'class 1'"),
        ([painted(0, 1)], [painted(0, 1, 2)], "show 'class 2'"),
        ([painted(0, 1, 2)], [painted(0, 2)], None),
        ([painted(0, 255)], [painted(0, 255)], None),
    ],
)
def test_other_masks_go_by_name_or_are_refused(
    tmp_path: Path, real: list[Image.Image], other: list[Image.Image], said: str | None
) -> None:
    code = set_code(saved(tmp_path / "real", real), tmp_path / "real")
    masks = saved(tmp_path / "other", other)
    assert code is not None
    if said is None:
        beside = code_beside(masks, tmp_path / "other", code, "the real masks")
        assert read_indices(masks[0], beside).max() == len(code.classes) - 1
        return
    with pytest.raises(InputError, match=said):
        code_beside(masks, tmp_path / "other", code, "the real masks")
    classes = ", ".join(f"{name}: {[1, 255] if i else 0}" for i, name in enumerate(code.classes))
    (tmp_path / "other" / "palette.yaml").write_text(f"classes: {{{classes}}}")
    if "class 2" not in said:
        beside = code_beside(masks, tmp_path / "other", code, "the real masks")
        assert set(np.unique(read_indices(masks[0], beside))) == {0, 1}


def test_a_stated_palette_that_ignores_all_objects_is_refused(tmp_path: Path) -> None:
    code = set_code(saved(tmp_path / "real", [painted(0, 255, 1)]), tmp_path / "real")
    assert code is not None
    masks = saved(tmp_path / "other", [painted(0, 255)])
    with pytest.raises(
        InputError, match="No mask in .*other shows an object: the values are 0, 255"
    ):
        code_beside(masks, tmp_path / "other", code, "the real masks", stated=True)


def test_skipping_empty_masks_loses_no_good_one(tmp_path: Path) -> None:
    folder = pair_folder(tmp_path, [*GOOD, dotted(254)])
    with pytest.raises(InputError, match=r"6\.png has 1 pixel of 254"):
        read_folder(folder)


@pytest.mark.parametrize(
    ("images", "masks", "said"),
    [
        (["a.jpg", "a.png"], ["a.png"], "a.jpg and .*a.png share one mask, .*a.png"),
        (["a.jpg"], ["a.png", "a.bmp"], "a.bmp and .*a.png are two masks with the same name"),
        (
            ["a.jpg", "b.jpg"],
            ["a.png", "b_mask.png"],
            "b.jpg has no mask: there is no file .*b.png",
        ),
        (["1.jpg"], ["10.png"], "1.jpg has no mask"),
    ],
)
def test_masks_go_by_the_whole_name(
    tmp_path: Path, images: list[str], masks: list[str], said: str
) -> None:
    for folder, names in ((IMAGES, images), (MASKS, masks)):
        (tmp_path / folder).mkdir()
        for name in names:
            painted(0, 255).save(tmp_path / folder / name)
    with pytest.raises(InputError, match=said):
        read_folder(tmp_path)


def test_masks_of_other_suffixes_and_those_left_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files: dict[str, Callable[[], Image.Image]] = {
        "images/x.1.jpg": lambda: Image.new("RGB", (32, 32)),
        "masks/x.1.bmp": lambda: painted(0, 255),
        "masks/y.png": lambda: painted(0, 255),
    }
    for name, make in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        make().save(tmp_path / name)
    image = tmp_path / "images" / "x.1.jpg"
    pairs = mask_pairs(tmp_path / IMAGES, tmp_path / MASKS)
    assert pairs == [(image, tmp_path / "masks/x.1.bmp")]
    assert "1 mask has no image" in caplog.text


@pytest.mark.parametrize(
    ("controlnet", "colours", "said"),
    [
        ("manyshot-tiny-segmentation.safetensors", {"cat": "#ff6000", "dog": "#0060ff"}, None),
        (
            "manyshot-tiny-segmentation.safetensors",
            {"cat": "#ff6000", "class 3": "#808000"},
            "class 3",
        ),
        ("sd15/control_v11p_sd15_seg_fp16.safetensors", {"cat": "#ff6000"}, "ADE20K.*cat #ff6000"),
        ("control_v11p_sd15_seg [e1f51eb9]", {"wall": "#787878", "open": "#000000"}, None),
        ("control_v11p_sd15_canny.safetensors", {"cat": "#ff6000"}, None),
        ("another.safetensors", {"cat": "#ff6000"}, None),
    ],
)
def test_colours_that_a_controlnet_has_not_learned_are_named(
    controlnet: str, colours: dict[str, str], said: str | None
) -> None:
    sentence = unknown_colours(controlnet, {n: hex_colour(c) for n, c in colours.items()})
    assert (sentence is None) == (said is None)
    assert said is None or re.search(said, str(sentence))


def test_the_way_out_names_a_class_that_is_there() -> None:
    sentence = unknown_colours("manyshot-tiny-segmentation.safetensors", {"cell": (128, 0, 0)})
    assert str(sentence).endswith("Give each class one of its colours: {cell: cat}.")


@pytest.mark.parametrize(
    ("categories", "images", "said"),
    [
        ([(1, "cat"), (7, "cat")], [(1, "a")], "'cat' .*listed twice|'cat' has two ids, 1 and 7"),
        ([(1, "cat"), (1, "dog")], [(1, "a")], "id 1 stands for both 'cat' and 'dog'"),
        ([(1, "cat")], [(1, "a"), (1, "b")], "image id 1 stands for both 'a' and 'b'"),
        ([(1, "cat")], [(1, "a"), (2, "a")], "image 'a' has two ids, 1 and 2"),
        ([(0, "background"), (90, "cat")], [(0, "a")], None),
    ],
)
def test_coco_ids_and_names_stand_for_one_thing(
    tmp_path: Path, categories: list, images: list, said: str | None
) -> None:
    box = [1, 1, 3, 1, 3, 3, 1, 3]
    file = {
        "images": [{"id": i, "file_name": name, "width": 4, "height": 4} for i, name in images],
        "categories": [{"id": i, "name": name} for i, name in categories],
        "annotations": [
            {"image_id": images[0][0], "category_id": i, "segmentation": [box]}
            for i, _ in categories
        ],
    }
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(file))
    if said is not None:
        with pytest.raises(InputError, match=said):
            read_coco(path)
        return
    classes, (image,) = read_coco(path)
    mask = image.label_mask(classes)
    assert mask.classes == ("background", "cat")
    assert mask.visible_classes() == ("cat",)


@pytest.mark.parametrize("choice", [0, 1])
def test_the_palettes_that_a_refusal_offers_are_read(tmp_path: Path, choice: int) -> None:
    folder = pair_folder(tmp_path, [painted(0, 255), painted(0, 1)])
    with pytest.raises(InputError, match="255 may be the object or ignored") as refusal:
        infer_code(sorted((folder / MASKS).rglob("*.png")))
    *palettes, ignore = re.findall(r"'((?:classes|ignore): [^']*)'", str(refusal.value))
    (folder / "palette.yaml").write_text("\n".join([palettes[choice], ignore][: 1 + choice]))
    assert read_palette(folder / "palette.yaml").classes == ("background", "object")
