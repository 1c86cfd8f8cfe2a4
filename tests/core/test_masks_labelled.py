"""Masks that name their classes themselves, and single masks of every form."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from manyshot.core.errors import InputError
from manyshot.core.masks.control import own_colours
from manyshot.core.masks.label_mask import IGNORE, LabelMask, MaskCode
from manyshot.core.masks.labelled_png import (
    CLASSES,
    decode_png,
    encode_png,
    read_class_names,
    read_labelled,
    read_labels,
)
from manyshot.core.masks.mask_readers import FORMS, Form, read_form, table_code
from PIL import Image
from PIL.PngImagePlugin import PngInfo

NAMES = st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=6, unique=True)


@st.composite
def masks(draw: st.DrawFn) -> LabelMask:
    """Any mask that has a labelled pixel; `ignored` is 255 or another free value."""
    names = tuple(draw(NAMES))
    ignored = draw(st.sampled_from([IGNORE, len(names)]))
    values = st.sampled_from([*range(len(names)), ignored])
    labels = draw(arrays(np.uint8, st.tuples(*[st.integers(1, 6)] * 2), elements=values))
    labels[0, 0] = 0
    return LabelMask(labels, names, ignored)


@given(masks())
def test_a_mask_comes_back_as_it_was_written(mask: LabelMask) -> None:
    wanted = np.where(mask.labels == mask.ignored, IGNORE, mask.labels)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "mask.png"
        path.write_bytes(encode_png(mask))
        assert encode_png(mask) == path.read_bytes()
        found = (read_labelled(path), decode_png(path.read_bytes()))
        colours = np.asarray(Image.open(path).convert("RGB"))
    for one in found:
        assert one is not None
        assert (one.classes, one.ignored, one.labels.tolist()) == (
            mask.classes,
            IGNORE,
            wanted.tolist(),
        )
    assert tuple(colours[0, 0]) == own_colours(mask.classes)[mask.classes[0]]


@given(masks(), st.randoms())
def test_it_is_translated_by_its_names(mask: LabelMask, random) -> None:  # noqa: ANN001
    """Another order of the classes, and others among them, change no pixel's class."""
    others = [*mask.classes, "more than eight letters"]
    random.shuffle(others)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "mask.png"
        path.write_bytes(encode_png(mask))
        found = read_labels(path, MaskCode(tuple(others), {}, {}))
    for before, after in zip(mask.labels.flat, found.flat, strict=True):
        name = None if before == mask.ignored else mask.classes[before]
        assert (None if after == IGNORE else others[after]) == name


def other_mode(path: Path, text: str, mode: str = "P") -> None:
    info = PngInfo()
    info.add_text(CLASSES, text)
    image = Image.fromarray(np.array([[0, 5]], np.uint8))
    if mode == "P":
        image.putpalette(bytes(768))
    image.save(path, pnginfo=info)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('["a"', "cannot be read"),
        ('{"a": 1}', "is malformed"),
        ("[1, 2]", "is malformed"),
        ('["a", "b"]', "5|beyond its 2 classes"),  # an index without a name
    ],
)
def test_damaged_names_are_told(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "mask.png"
    other_mode(path, text)
    with pytest.raises(InputError, match=sentence):
        read_labelled(path)
    with pytest.raises(InputError):
        decode_png(path.read_bytes())


def test_files_of_another_origin_name_nothing(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    Image.new("P", (2, 1)).save(path)
    assert read_class_names(path) is read_labelled(path) is decode_png(path.read_bytes()) is None
    other_mode(path, '["a"]', "L")  # its values are no indices of ours
    assert read_class_names(path) is None
    for data in (b"", b"text", path.read_bytes()[:30]):
        path.write_bytes(data)
        with pytest.raises(InputError, match="cannot be read"):
            read_class_names(path)
        with pytest.raises(InputError, match="cannot be read"):
            decode_png(data)


@pytest.mark.parametrize(
    ("text", "values", "colours"),
    [
        ("background: 0\ncat: 1, 7, #ff6000", {0: 0, 1: 1, 7: 1}, {(255, 96, 0): 1}),
        ("a: 0\nb: 300\nignore: 255, #808080", {0: 0, 300: 1, 255: 255}, {(128,) * 3: 255}),
    ],
)
def test_tables(text: str, values: dict[int, int], colours: dict[tuple[int, ...], int]) -> None:
    code = table_code(text)
    assert (dict(code.values), dict(code.colours)) == (values, colours)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("cat: 1", "The table: 'classes'"),
        ("a: 1\nb: 1", "The table: 1 appears twice"),
        ("a: 1\nb: #xyz", "The table: '#xyz' is neither a value nor a colour"),
        ("a: 1\nb: 99999", "The table: 'classes.b.0"),
        ("a: 1\nb 2", "'b 2' is not of the form"),
        ("a: 1\na: 2", "two lists named 'a'"),
    ],
)
def test_wrong_tables(text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        table_code(text)


TRIMAP = np.array([[1, 2, 3]], np.uint8)
COLOURS = np.array([[(255, 96, 0), (0, 0, 0), (9, 9, 9)]], np.uint8)
CAT = "background: 2, #000000\ncat: 1, #ff6000\nignore: 3, #090909"


@pytest.mark.parametrize(
    ("pixels", "form", "class_name", "table", "classes"),
    [
        (TRIMAP, "trimap", "cat", "", ("background", "cat")),
        (TRIMAP, "trimap", "", "", ("background", "object")),
        (TRIMAP, "labels", "", CAT, ("background", "cat")),
        (TRIMAP.astype(np.uint16), "labels", "", CAT, ("background", "cat")),
        (COLOURS, "labels", "", CAT, ("background", "cat")),
    ],
)
def test_one_mask_of_every_form(
    tmp_path: Path,
    pixels: np.ndarray,
    form: Form,
    class_name: str,
    table: str,
    classes: tuple[str, ...],
) -> None:
    path = tmp_path / "mask.png"
    Image.fromarray(pixels).save(path)
    mask = read_form(path, form, class_name, table)
    assert (mask.labels.tolist(), mask.classes) == ([[1, 0, IGNORE]], classes)


def test_masks_that_say_what_they_show(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    Image.fromarray(np.array([[[1, 2, 3, 255], [1, 2, 3, 0]]], np.uint8)).save(path)
    assert read_form(path, "alpha", "logo").labels.tolist() == [[1, 0]]
    own = LabelMask(np.array([[0, 1]], np.uint8), ("background", "dog"))
    path.write_bytes(encode_png(own))
    assert read_form(path, "labels").classes == own.classes
    translated = read_form(path, "labels", table="dog: 4\nbackground: 9")
    assert (translated.labels.tolist(), translated.visible_classes()) == ([[1, 0]], ("dog",))


def annotations(path: Path, *files: str) -> Path:
    file = {
        "images": [
            {"id": i, "file_name": name, "width": 2, "height": 1} for i, name in enumerate(files)
        ],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
        "annotations": [
            {"image_id": i, "category_id": k, "segmentation": [[k - 1, 0, k, 0, k, 1, k - 1, 1]]}
            for i in range(len(files))
            for k in (1, 2)
        ],
    }
    path.write_text(json.dumps(file))
    return path


def test_masks_of_annotations(tmp_path: Path) -> None:
    one = annotations(tmp_path / "one.json", "a.jpg")
    assert read_form(one, "coco").labels.tolist() == [[1, 2]]
    two = annotations(tmp_path / "two.json", "a.jpg", "b.jpg")
    only = read_form(two, "coco", "dog", image_name="b.jpg")
    assert (only.labels.tolist(), only.classes) == ([[0, 1]], ("background", "dog"))


@pytest.mark.parametrize(
    ("class_name", "image_name", "sentence"),
    [
        ("", "", "have 2 images; say which one. There are: a.jpg, b.jpg"),
        ("", "c.jpg", "have no image 'c.jpg'. There are: a.jpg"),
        ("cats", "a.jpg", "No category is named 'cats'. Did you mean 'cat'?"),
    ],
)
def test_annotations_without_what_is_asked(
    tmp_path: Path, class_name: str, image_name: str, sentence: str
) -> None:
    path = annotations(tmp_path / "two.json", "a.jpg", "b.jpg")
    with pytest.raises(InputError) as caught:
        read_form(path, "coco", class_name, image_name=image_name)
    assert sentence in str(caught.value)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("table", ["", CAT])
def test_files_that_are_no_mask(tmp_path: Path, form: Form, table: str) -> None:
    for content in (b"", b"text", b"\x89PNG\r\n\x1a\n"):
        path = tmp_path / "mask.png"
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"mask\.png cannot be read"):
            read_form(path, form, table=table)


def test_colours_without_a_table_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    Image.fromarray(COLOURS).save(path)
    with pytest.raises(InputError, match=r"#000000, #090909, #ff6000.*Say in the table"):
        read_form(path, "labels")
