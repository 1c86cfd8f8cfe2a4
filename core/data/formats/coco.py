"""COCO: a JSON file of annotations, beside its images, above images/, or in annotations/.

A file for each split is named after it, as instances_val2017.json is, or lies in a folder of its
name, as Roboflow exports them.
"""

from pathlib import Path

from ...class_folders import SPLIT_NAMES, Split
from ...errors import InputError
from ...files import open_regular
from ...image_files import image_files, visible_folders
from ...masks.coco import MOST_BYTES, CocoImage, read_coco
from ...masks.partners import ALL, IMAGES
from ...paths import inside
from ..record import LabelledImage

ANNOTATIONS = "annotations"


def matches(folder: Path) -> bool:
    """Whether a JSON file in it has annotations, or is all that may label the images."""
    files = _json_files(folder)
    if not files:
        return False
    class_folders = [inner for inner in visible_folders(folder) if inner.name != IMAGES]
    photos = [*image_files(folder, deep=False), *filter(image_files, class_folders)]
    return any(map(_has_annotations, files)) or not photos


def read(folder: Path, palette: Path | None) -> list[LabelledImage]:
    """The images that the file lists, or those of each split, by their ids. `folder` may be the
    file itself.

    Raises InputError for none or several files that are no splits, for an image that is missing or
    leads out of the folder, and as `read_coco` does.
    """
    if folder.is_file():
        return _read_file(folder, None)
    files = _json_files(folder)
    if len(files) == 1:
        return _read_file(files[0], None)
    splits: dict[Split, Path] = {
        split: file for file in files if (split := _split(file, folder)) is not None
    }
    if not files or len(splits) < len(files):
        raise InputError(_describe_choice(folder, files))
    return [image for split, file in splits.items() for image in _read_file(file, split)]


def _read_file(file: Path, split: Split | None) -> list[LabelledImage]:
    classes, images = read_coco(file)
    root = _image_folder(file)
    return [_labelled(file, root, image, classes, split) for image in images]


def _labelled(
    file: Path, root: Path, image: CocoImage, classes: tuple[str, ...], split: Split | None
) -> LabelledImage:
    path = inside(root, image.file_name)
    if not path.is_file():
        raise InputError(f"{file} lists {image.file_name}, but there is no file {path}.")
    shown = tuple(dict.fromkeys(item.class_name for item in image.objects))
    name = f"{split}/{image.file_name}" if split else image.file_name
    return LabelledImage(path, name, ALL, image, coco_classes=classes, annotated=shown, split=split)


def _json_files(folder: Path) -> list[Path]:
    """Of the folder, else of its annotations/, else of its folders of splits."""
    splits = [inner for inner in visible_folders(folder) if inner.name.lower() in SPLIT_NAMES]
    return (
        sorted(folder.glob("*.json"))
        or sorted((folder / ANNOTATIONS).glob("*.json"))
        or [file for inner in splits for file in sorted(inner.glob("*.json"))]
    )


def _split(file: Path, folder: Path) -> Split | None:
    """The split that a file is named after, without its year, or that its folder is."""
    of_folder = SPLIT_NAMES.get(file.parent.name.lower()) if file.parent != folder else None
    return of_folder or SPLIT_NAMES.get(_last_word(file).lower().rstrip("0123456789"))


def _last_word(file: Path) -> str:
    """val2017 of instances_val2017.json."""
    return file.stem.rpartition("_")[2]


def _describe_choice(folder: Path, files: list[Path]) -> str:
    names = ", ".join(file.name for file in files) or "none"
    way_out = (
        f" Name the one you mean, such as {files[0]}, or name them after their splits, such as "
        "train.json and val.json."
        if files
        else ""
    )
    return f"{folder} needs one COCO file of annotations; found: {names}.{way_out}"


def _image_folder(file: Path) -> Path:
    """Beside the file or in images/; of annotations/instances_val.json, images/val/ or val/ if one
    is there."""
    parent = file.parent
    root = parent.parent if parent.name == ANNOTATIONS else parent
    images, word = root / IMAGES, _last_word(file)
    split_folders = [images / word, root / word] if parent.name == ANNOTATIONS else []
    return next((place for place in [*split_folders, images] if place.is_dir()), root)


def _has_annotations(file: Path) -> bool:
    """By its words alone: the file is parsed when it is read."""
    try:
        with open_regular(file) as opened:
            text = opened.read(MOST_BYTES)
    except OSError:
        return False
    return b'"annotations"' in text and b'"images"' in text
