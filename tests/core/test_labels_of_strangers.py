"""Labels of strangers: names lead nowhere, and no file takes more memory or time than its image."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manyshot.core.data.labelled_image import fitting_mask
from manyshot.core.data.reader import read_folder
from manyshot.core.data.record import LabelledImage
from manyshot.core.errors import InputError
from manyshot.core.masks.coco import CocoImage, CocoObject, read_coco
from manyshot.core.masks.label_mask import IGNORE
from manyshot.core.masks.polygons import rasterise
from manyshot.core.pets import FOLDER, parse_list
from PIL import Image

from ..support.rle import encode_runs


@pytest.mark.parametrize(
    "line",
    ["../../secret 1 1 1", "/etc/a 1 1 1", "a/../../b_1 1 1 1", "..\\b_1 1 1 1", "a\0b_1 1 1 1"],
)
def test_names_of_a_list_stay_in_their_folder(tmp_path: Path, line: str) -> None:
    place = tmp_path / FOLDER / "annotations"
    place.mkdir(parents=True)
    (place / "trainval.txt").write_text(f"# names\nAbyssinian_1 1 1 1\n{line}\n")
    with pytest.raises(InputError, match=r"trainval\.txt, line 3: The name .* cannot be used"):
        read_folder(tmp_path, "pets")


@pytest.mark.parametrize("line", ["a_1", "a_1 x 1 1", "a_1 0 1 1", "a_1 1 3 1", "a_1 1 1 1 1"])
def test_lines_of_another_form_are_named(line: str) -> None:
    with pytest.raises(InputError, match=r"The list, line 2 is '.*', and must be a name, a class"):
        parse_list(f"b_1 1 1 1\n{line}")


def test_a_list_that_is_no_text_is_a_sentence(tmp_path: Path) -> None:
    place = tmp_path / FOLDER / "annotations"
    place.mkdir(parents=True)
    (place / "trainval.txt").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(InputError, match=r"trainval\.txt is not UTF-8"):
        read_folder(tmp_path, "pets")


def coco(path: Path, side: int, *outlines: object) -> Path:
    """A file with one square image "a.png" and an object for each of the outlines."""
    found = [{"image_id": 1, "category_id": 1, "segmentation": one} for one in outlines]
    image = {"id": 1, "file_name": "a.png", "height": side, "width": side}
    categories = [{"id": 1, "name": "cat"}]
    path.write_text(json.dumps({"images": [image], "categories": categories, "annotations": found}))
    return path


def runs(side: int) -> dict[str, object]:
    return {"counts": [0, side * side], "size": [side, side]}


@pytest.mark.parametrize(
    ("side", "outline", "reason"),
    [
        (2**14, runs(2**14), "16384x16384 pixels; the limit is 89 million"),
        (10**9, [[0, 0, 1, 0, 1, 1]], "the limit is 89 million"),
        (900, [[1, 2] * 100_001], "100,001 points; the limit is 100,000"),
        (4, {"counts": [2**40], "size": [4, 4]}, "does not fill 4x4"),
        (4, {"counts": [2**80], "size": [4, 4]}, "does not fill 4x4"),
        (4, {"counts": "o" * 1000, "size": [4, 4]}, "truncated"),
        (4, {"counts": "o" * 30 + "0", "size": [4, 4]}, "characters"),
    ],
)
def test_sizes_are_checked_before_anything_is_drawn(
    tmp_path: Path, side: int, outline: object, reason: str
) -> None:
    with pytest.raises(InputError, match=reason):
        read_coco(coco(tmp_path / "a.json", side, outline))


def test_reading_draws_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np, "repeat", lambda *_: pytest.fail("drawn"))
    classes, (image,) = read_coco(coco(tmp_path / "a.json", 9000, *[runs(9000)] * 20))
    assert (classes, image.size, len(image.objects)) == (("cat",), (9000, 9000), 20)


@pytest.mark.parametrize(
    "outlines",
    [[runs(9000)] * 60, [[[0, 0, 9000, 9000] * 5_000]]],
)
def test_more_objects_than_can_be_drawn_are_refused(tmp_path: Path, outlines: list) -> None:
    _, (image,) = read_coco(coco(tmp_path / "a.json", 9000, *outlines))
    with pytest.raises(InputError, match=r"a\.png has .* objects? .* too many to draw"):
        image.label_mask(("cat",))


def test_a_mask_of_another_size_than_its_image_is_not_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("RGB", (5, 5)).save(tmp_path / "a.png")
    (pair,) = read_folder(coco(tmp_path / "a.json", 9000, runs(9000)))
    assert isinstance(pair, LabelledImage)
    monkeypatch.setattr(np, "repeat", lambda *_: pytest.fail("drawn"))
    with pytest.raises(InputError, match="9000x9000 pixels and its image 5x5"):
        fitting_mask(pair, (5, 5))


PLACES = st.floats(-4, 12, allow_nan=False) | st.integers(-2, 10).map(lambda n: n / 2)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(PLACES, PLACES), min_size=3, max_size=12))
def test_a_polygon_covers_the_centres_inside_by_the_even_odd_rule(places: list) -> None:
    """Edge by edge, as the definition has it."""
    points, height, width = np.array(places, float), 7, 9
    odd = np.zeros((height, width + 1), np.int64)
    for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0), strict=True):
        for row in range(height):
            if min(y0, y1) <= row + 0.5 < max(y0, y1):
                x = x0 + (row + 0.5 - y0) * (x1 - x0) / (y1 - y0)
                odd[row, int(np.clip(np.ceil(x - 0.5), 0, width))] += 1
    wanted = np.cumsum(odd, axis=1)[:, :width] % 2 == 1
    assert np.array_equal(rasterise(points, height, width), wanted)


def test_the_canvas_checks_files_beside_the_servers_loop() -> None:
    """ComfyUI awaits a check that is a coroutine: a large file does not keep others waiting."""
    for name in ("load_labelled", "load_mask"):
        text = (Path(__file__).parents[2] / "comfy_nodes" / f"{name}.py").read_text()
        assert "async def validate_inputs" in text
        assert "await asyncio.to_thread(" in text


POLYGONS = st.lists(st.tuples(PLACES, PLACES), min_size=3, max_size=6).map(
    lambda places: np.array(places, float)
)
RUNS = st.lists(st.booleans(), min_size=63, max_size=63).map(
    lambda bits: np.array(encode_runs(np.array(bits).reshape(7, 9)))
)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["cat", "dog", "owl"]),
            st.lists(POLYGONS, max_size=3).map(tuple) | RUNS,
            st.booleans(),
        ),
        max_size=5,
    )
)
def test_objects_are_drawn_in_their_boxes_as_on_the_whole_image(drawn: list) -> None:
    objects = [
        CocoObject(name, (), how, crowd)
        if isinstance(how, np.ndarray)
        else CocoObject(name, how, None, crowd)
        for name, how, crowd in drawn
    ]
    wanted = np.zeros((7, 9), np.uint8)
    for item in objects:
        if item.class_name != "owl":
            value = IGNORE if item.crowd else 1 + ("cat", "dog").index(item.class_name)
            wanted[item.rasterise(7, 9)] = value
    image = CocoImage("a.png", 7, 9, tuple(objects))
    if not ((wanted > 0) & (wanted != IGNORE)).any():
        return
    assert np.array_equal(image.label_mask(("cat", "dog")).labels, wanted)


def test_small_objects_of_a_large_image_are_not_counted_as_the_whole_of_it() -> None:
    """A thousand roofs on an aerial photo."""
    rng = np.random.default_rng(0)
    square = np.array([[0, 0], [20, 0], [20, 20], [0, 20]], float)
    roofs = [CocoObject("roof", (square + rng.uniform(0, 4000, 2),)) for _ in range(1000)]
    mask = CocoImage("a.png", 4096, 4096, tuple(roofs)).label_mask(("roof",))
    assert 300_000 < (mask.labels == 1).sum() <= 441_000
