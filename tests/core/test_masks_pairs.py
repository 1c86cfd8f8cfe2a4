"""Labelled images in folders of every layout, and what is refused with which sentence."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from manyshot.core.data.labelled_image import label_mask, read_pair, read_upright
from manyshot.core.data.reader import read_folder
from manyshot.core.errors import InputError
from manyshot.core.file_kinds import Layout
from manyshot.core.masks.label_mask import IGNORE, LabelMask
from manyshot.core.masks.labelled_png import (
    encode_png,
)
from PIL import Image

TRIMAP = np.array([[2, 3, 1, 1], [2, 3, 3, 1], [2, 2, 2, 2]], np.uint8)
SEEN = [[0, IGNORE, 1, 1], [0, IGNORE, IGNORE, 1], [0, 0, 0, 0]]  # the same by index
PHOTO = np.random.default_rng(0).integers(0, 256, (3, 4, 3), np.uint8)


def save(path: Path, pixels: np.ndarray = PHOTO) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def save_mask(path: Path, classes: tuple[str, ...] = ("background", "cat")) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_png(LabelMask(np.array(SEEN, np.uint8), classes)))
    return path


def dataset(folder: Path) -> None:
    rows = []
    for label, name in enumerate(("cat", "dog")):
        for kept in (True, False):
            file = f"{name}/{int(kept)}.png"
            save(folder / "images" / file)
            save_mask(folder / "masks" / file, ("background", name))
            rows.append({"file_name": f"images/{file}", "mask_file_name": f"masks/{file}"})
            rows[-1] |= {"class_name": name, "label": label, "kept": kept}
    (folder / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))


def pairs(folder: Path) -> None:
    for name in ("cat", "dog"):
        save(folder / "images" / name / "1.png")
        save(folder / "masks" / name / "1.png", np.where(TRIMAP == 2, 0, TRIMAP))
    (folder / "palette.yaml").write_text("classes: {background: 0, pet: 1}\nignore: 3\n")


def loose_pairs(folder: Path) -> None:
    save(folder / "images" / "1.png")
    save(folder / "masks" / "1.png", np.array(SEEN, np.uint8))


def pets(folder: Path) -> None:
    root = folder / "oxford-iiit-pet"
    save(root / "images" / "Abyssinian_1.jpg")
    save(root / "annotations" / "trimaps" / "Abyssinian_1.png", TRIMAP)
    (root / "annotations" / "trainval.txt").write_text("Abyssinian_1 1 1 1\n")


def coco(folder: Path) -> None:
    save(folder / "images" / "1.png")
    box = [2, 0, 4, 0, 4, 2, 2, 2]
    file = {
        "images": [{"id": 1, "file_name": "1.png", "width": 4, "height": 3}],
        "categories": [{"id": 7, "name": "cat"}],
        "annotations": [{"image_id": 1, "category_id": 7, "segmentation": [box]}],
    }
    (folder / "instances.json").write_text(json.dumps(file))


def classes(folder: Path) -> None:
    for name in ("cat/b.png", "cat/a.png", "dog/deeper/c.png", ".hidden.png", "cat/note.txt"):
        save(folder / name) if name.endswith(".png") else (folder / name).write_text("no image")


BOX = [[0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 0, 0]]


@pytest.mark.parametrize(
    ("layout", "write", "found", "shown", "labels"),
    [
        (
            "dataset",
            dataset,
            [("images/cat/1.png", "cat"), ("images/dog/1.png", "dog")],
            [("cat",), ("dog",)],
            SEEN,
        ),
        ("pairs", pairs, [("cat/1.png", "cat"), ("dog/1.png", "dog")], [("pet",)] * 2, SEEN),
        ("pairs", loose_pairs, [("1.png", "all")], [("class 1",)], SEEN),
        ("pets", pets, [("Abyssinian_1", "Abyssinian")], [("cat",)], SEEN),
        ("coco", coco, [("1.png", "all")], [("cat",)], BOX),
    ],
)
@pytest.mark.parametrize("said", [True, False])
def test_every_layout(
    tmp_path: Path,
    layout: Layout,
    write: Callable[[Path], None],
    found: list[tuple[str, str]],
    shown: list[tuple[str, ...]],
    labels: list[list[int]],
    said: bool,
) -> None:
    write(tmp_path)
    listed = read_folder(tmp_path, layout if said else "auto")
    assert [(pair.name, pair.class_name) for pair in listed] == found
    for pair, names in zip(listed, shown, strict=True):
        scene = read_pair(pair)
        assert scene.mask.visible_classes() == names
        assert scene.mask.labels.tolist() == labels
        assert scene.image is not None
        if pair.image.suffix == ".png":
            assert np.array_equal(scene.image, PHOTO)


def test_folders_of_classes_have_no_masks(tmp_path: Path) -> None:
    classes(tmp_path)
    listed = read_folder(tmp_path)
    assert [(pair.name, pair.class_name) for pair in listed] == [
        ("cat/a.png", "cat"),
        ("cat/b.png", "cat"),
        ("dog/deeper/c.png", "dog"),
    ]
    with pytest.raises(InputError, match="has no mask"):
        label_mask(listed[0])


def test_a_coco_file_is_a_folder_of_its_own(tmp_path: Path) -> None:
    coco(tmp_path)
    (pair,) = read_folder(tmp_path / "instances.json")
    assert label_mask(pair).labels.tolist() == BOX


def test_a_palette_file_translates_all_masks(tmp_path: Path) -> None:
    """Those that name their classes too: by name, or by colour."""
    dataset(tmp_path)
    palette = tmp_path / "pet.yaml"
    palette.write_text('classes: {background: "#000000", pet: ["#ff6000", "#0060ff"]}')
    for pair in read_folder(tmp_path, palette=palette):
        mask = label_mask(pair)
        assert (mask.visible_classes(), mask.labels.tolist()) == (("pet",), SEEN)


def test_photos_are_turned_as_their_camera_says(tmp_path: Path) -> None:
    image = Image.fromarray(PHOTO)
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "1.png", exif=exif)
    assert np.array_equal(read_upright(tmp_path / "1.png"), np.rot90(PHOTO, -1))


def without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def written(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text)


def drawn(name: str, pixels: object, kind: type = np.uint8) -> Callable[[Path], object]:
    return lambda folder: save(folder / name, np.array(pixels, kind))


def read_all(folder: Path) -> None:
    for pair in read_folder(folder):
        read_pair(pair)


def record(image: str, mask: str) -> str:
    facts = {"class_name": "cat", "label": 0}
    return json.dumps({"file_name": image, "mask_file_name": mask, **facts})


@pytest.mark.parametrize(
    ("write", "spoil", "sentence"),
    [
        (pairs, without("masks/dog/1.png"), "dog/1.png has no mask: there is no file"),
        (pairs, drawn("masks/dog/1.png", [[1, 0]]), "2x1 pixels and its image 4x3"),
        (pairs, drawn("masks/dog/1.png", [[7] * 4] * 3), "has 7 in row 0, column 0.*Known: 0 back"),
        (pairs, drawn("masks/dog/1.png", [[700] * 4] * 3, np.uint16), "has 700 in row 0"),
        (pairs, drawn("masks/dog/1.png", np.zeros((3, 4))), "dog/1.png is empty"),
        (pairs, drawn("masks/dog/1.png", np.full((3, 4), 3)), "all are ignored"),
        (pairs, drawn("masks/dog/1.png", PHOTO), "has #.* which is not a class"),
        (
            pairs,
            lambda folder: save_mask(folder / "masks/dog/1.png"),
            "shows 'cat'.*not a class here",
        ),
        (pairs, written("masks/dog/1.png", "text"), "dog/1.png cannot be read"),
        (pairs, written("images/dog/1.png", "text"), "dog/1.png cannot be read"),
        (pairs, written("palette.yaml", "classes: {a: 1, b: 1}"), "1 appears twice"),
        (loose_pairs, drawn("masks/1.png", PHOTO), "is in colour .*Say in .palette.yaml"),
        (loose_pairs, drawn("masks/1.png", np.zeros((3, 4))), "The masks hold a single value"),
        (dataset, drawn("masks/dog/1.png", SEEN), "does not name its classes, as other masks"),
        (
            dataset,
            lambda folder: (folder / "masks/cat/1.png").write_bytes(
                encode_png(LabelMask(np.zeros((3, 4), np.uint8), ("background", "cat")))
            ),
            "cat/1.png is empty",
        ),
        (dataset, written("metadata.jsonl", "{}"), "metadata.jsonl, line 1, is not a record"),
        (dataset, written("metadata.jsonl", ""), "has no images in the layout 'dataset'"),
        (dataset, written("metadata.jsonl", record("../x", "masks/cat/1.png")), "leads outside"),
        (dataset, written("metadata.jsonl", record("images/cat/1.png", "/x")), "leads outside"),
        (pets, without("oxford-iiit-pet/annotations/trainval.txt"), "trainval.txt is missing"),
        (pets, without("oxford-iiit-pet/images/Abyssinian_1.jpg"), "1.jpg cannot be read"),
        (coco, written("instances.json", "{"), "annotations .* cannot be read"),
        (coco, written("second.json", "{}"), "needs one COCO file .* instances.json, second.json"),
        (coco, drawn("images/1.png", [[0, 0]]), "4x3 pixels and its image 2x1"),
        (classes, lambda folder: None, "has no mask"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    tmp_path: Path, write: Callable[[Path], None], spoil: Callable[[Path], object], sentence: str
) -> None:
    write(tmp_path)
    spoil(tmp_path)
    with pytest.raises(InputError, match=sentence) as caught:
        read_all(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("layout", ["auto", "dataset", "pairs", "classes"])
def test_a_folder_with_nothing_in_it(tmp_path: Path, layout: Layout) -> None:
    with pytest.raises(InputError, match="has no images in the layout"):
        read_folder(tmp_path, layout)
    with pytest.raises(InputError, match="There is no folder"):
        read_folder(tmp_path / "absent", layout)
