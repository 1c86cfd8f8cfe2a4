"""The one reader of labelled folders: each layout, and what is wrong with one."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from manyshot.core.data.labelled_image import read_pair
from manyshot.core.data.reader import detect_layout, read_folder, read_splits
from manyshot.core.errors import InputError
from PIL import Image

NAMES = ("cat_1", "cat_2", "dog_1", "dog_2")
POLYGON = [0.0, 0.0, 4.0, 0.0, 4.0, 4.0, 0.0, 4.0]
BOMB = '<!DOCTYPE a [<!ENTITY x "xx"><!ENTITY y "&x;&x;">]><annotation>&y;</annotation>'


def draw(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(NAMES):
        Image.new("RGB", (8, 6), (40 * number, 90, 200 - 40 * number)).save(folder / f"{name}.png")


def coco(folder: Path) -> Path:
    draw(folder / "images")
    images = [
        {"id": i, "file_name": f"{name}.png", "width": 8, "height": 6}
        for i, name in enumerate(NAMES)
    ]
    annotations = [
        {"image_id": i, "category_id": int("dog" in name), "segmentation": [POLYGON]}
        for i, name in enumerate(NAMES)
    ]
    categories = [{"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}]
    data = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "instances.json").write_text(json.dumps(data))
    return folder


def yolo(folder: Path) -> Path:
    draw(folder / "images")
    (folder / "labels").mkdir()
    for name in NAMES:
        line = f"{int('dog' in name)} 0 0 0.5 0 0.5 0.5 0 0.5\n"
        (folder / "labels" / f"{name}.txt").write_text(line)
    (folder / "data.yaml").write_text("names: [cat, dog]\n")
    return folder


def voc(folder: Path) -> Path:
    draw(folder / "JPEGImages")
    (folder / "Annotations").mkdir()
    for name in NAMES:
        text = f"<annotation><object><name>{name[:3]}</name></object></annotation>"
        (folder / "Annotations" / f"{name}.xml").write_text(text)
    return folder


def table(folder: Path) -> Path:
    draw(folder / "photos")
    rows = [f"photos/{name}.png,{name[:3]},p{name[-1]}" for name in NAMES]
    (folder / "labels.csv").write_text("\n".join(["file,class,group", *rows]))
    return folder


def classes(folder: Path) -> Path:
    draw(folder / "all")
    for name in NAMES:
        (folder / name[:3]).mkdir(exist_ok=True)
        (folder / "all" / f"{name}.png").rename(folder / name[:3] / f"{name}.png")
    (folder / "all").rmdir()
    return folder


WRITERS = {"coco": coco, "yolo": yolo, "voc": voc, "csv": table, "classes": classes}


@pytest.mark.parametrize("layout", WRITERS)
def test_each_layout_says_the_same(layout: str, tmp_path: Path) -> None:
    folder = WRITERS[layout](tmp_path / "set")
    assert detect_layout(folder) == layout
    images = read_folder(folder)
    assert [(image.image.stem, image.single_class()) for image in images] == [
        (name, name[:3]) for name in NAMES
    ]


@pytest.mark.parametrize("layout", ["coco", "yolo"])
def test_polygons_are_masks(layout: str, tmp_path: Path) -> None:
    first = read_pair(read_folder(WRITERS[layout](tmp_path / "set"))[0])
    assert first.mask.visible_classes() == ("cat",)
    assert first.mask.labels[1, 1] == 1
    assert first.mask.labels[5, 7] == 0


def test_groups_and_splits_of_a_table(tmp_path: Path) -> None:
    folder = table(tmp_path)
    assert [image.group for image in read_folder(folder)] == ["p1", "p2", "p1", "p2"]
    rows = [f"photos/{name}.png,{name[:3]},{'train' if '1' in name else 'val'}" for name in NAMES]
    (folder / "labels.csv").write_text("\n".join(["file,class,split", *rows]))
    assert [image.split for image in read_splits(folder)] == ["train", "val"] * 2
    assert [image.image.stem for image in read_folder(folder)] == ["cat_1", "dog_1"]


def split_yolo(folder: Path) -> None:
    for split, names in (("train", NAMES[::2]), ("valid", NAMES[1::2])):
        for kind, suffix in (("images", "png"), ("labels", "txt")):
            (folder / split / kind).mkdir(parents=True)
            for name in names:
                file = f"{kind}/{name}.{suffix}"
                (folder / file).rename(folder / split / file)
    (folder / "images").rmdir()
    (folder / "labels").rmdir()


def split_coco(folder: Path, *places: tuple[str, str]) -> None:
    """The file of all images, as one of half of them each: its name, and the images' folder."""
    data = json.loads((folder / "instances.json").read_text())
    (folder / "instances.json").unlink()
    for number, (file, images) in enumerate(places):
        listed = data["images"][number::2]
        ids = [image["id"] for image in listed]
        objects = [one for one in data["annotations"] if one["image_id"] in ids]
        (folder / images).mkdir(parents=True)
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(json.dumps(data | {"images": listed, "annotations": objects}))
        for image in listed:
            name = image["file_name"]
            (folder / "images" / name).rename(folder / images / name)


COCO_PLACES = {
    "Roboflow COCO": (
        ("train/_annotations.coco.json", "train"),
        ("valid/_annotations.coco.json", "valid"),
    ),
    "COCO 2017": (
        ("annotations/instances_train2017.json", "train2017"),
        ("annotations/instances_val2017.json", "val2017"),
    ),
    "manyshot export": (
        ("annotations/instances_train.json", "images/train"),
        ("annotations/instances_val.json", "images/val"),
    ),
}
SPLIT_FOLDERS: dict[str, Callable[[Path], object]] = {
    "Roboflow YOLO": lambda folder: split_yolo(yolo(folder)),
    **{
        name: lambda folder, places=places: split_coco(coco(folder), *places)
        for name, places in COCO_PLACES.items()
    },
}


@pytest.mark.parametrize("layout", SPLIT_FOLDERS)
def test_splits_as_others_lay_them_out(layout: str, tmp_path: Path) -> None:
    SPLIT_FOLDERS[layout](tmp_path)
    images = sorted(read_splits(tmp_path), key=lambda image: image.image.stem)
    assert [(image.image.stem, image.single_class(), image.split) for image in images] == [
        (name, name[:3], split) for name, split in zip(NAMES, ["train", "val"] * 2, strict=True)
    ]
    assert len({image.name for image in images}) == 4
    assert [image.image.stem for image in read_folder(tmp_path)] == ["cat_1", "dog_1"]


def put(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text)


def remove(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


DAMAGE: list[tuple[str, Callable[[Path], object], str]] = [
    ("coco", remove("images/cat_1.png"), "lists cat_1.png, but there is no file"),
    ("yolo", remove("images/cat_1.png"), "cat_1.txt have no image"),
    ("yolo", remove("labels/cat_1.txt"), "cat_1.png has no labels"),
    ("yolo", remove("data.yaml"), "has no data.yaml with the class names"),
    ("yolo", put("labels/cat_1.txt", "7 0 0 1 1"), "line 1 has an unknown category '7'"),
    ("yolo", put("labels/cat_1.txt", "0 0 0 nan 1"), "line 1 is neither a box"),
    ("yolo", put("data.yaml", "names: [cat, Cat]"), "differ only in case"),
    ("voc", remove("Annotations/cat_1.xml"), "cat_1.png has no labels"),
    ("voc", remove("JPEGImages/cat_1.png"), "cat_1.xml have no image"),
    ("voc", put("Annotations/cat_1.xml", BOMB), "it declares a document type"),
    ("voc", put("Annotations/cat_1.xml", "<annotation>"), "cat_1.xml cannot be read"),
    (
        "voc",
        put("Annotations/cat_1.xml", "<annotation><object/></annotation>"),
        "object 1 has no name",
    ),
    ("csv", remove("photos/cat_1.png"), "line 2 lists photos/cat_1.png, but there is no file"),
    ("csv", put("labels.csv", "file,class\n../x.png,cat"), "leads outside the folder"),
    ("csv", put("labels.csv", "file,class,grp\n"), "unknown column 'grp'. Did you mean 'group'"),
    ("csv", put("labels.csv", "file,class\nphotos/cat_1.png,"), "line 2 has no class"),
    ("csv", put("labels.csv", "file,class\nphotos/cat_1.png"), "another number of values"),
    ("csv", put("labels.csv", "file,class\n" + "photos/cat_1.png,cat\n" * 2), "twice"),
    (
        "csv",
        put("labels.csv", "file,class,split\nphotos/cat_1.png,cat,tarin"),
        "unknown split 'tarin'. Did you mean 'train'",
    ),
    (
        "csv",
        put(
            "labels.csv",
            "file,class,group,split\nphotos/cat_1.png,cat,a,train\nphotos/cat_2.png,cat,a,test",
        ),
        "the group 'a' in two splits",
    ),
]


@pytest.mark.parametrize(("layout", "spoil", "sentence"), DAMAGE)
def test_damage_is_a_sentence(
    layout: str, spoil: Callable[[Path], object], sentence: str, tmp_path: Path
) -> None:
    folder = WRITERS[layout](tmp_path / "set")
    spoil(folder)
    with pytest.raises(InputError) as error:
        read_folder(folder)
    assert sentence in str(error.value)


def test_a_folder_of_two_layouts_is_refused(tmp_path: Path) -> None:
    yolo(tmp_path)
    (tmp_path / "labels.csv").write_text("file,class\nimages/cat_1.png,cat")
    with pytest.raises(InputError, match="several layouts: yolo, csv"):
        read_folder(tmp_path)
    assert len(read_folder(tmp_path, "yolo")) == 4


@pytest.mark.parametrize("layout", ["coco", "yolo", "voc"])
def test_hidden_files_are_not_read(layout: str, tmp_path: Path) -> None:
    folder = WRITERS[layout](tmp_path / "set")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "a.json").write_text("{")
    assert len(read_folder(folder)) == 4
