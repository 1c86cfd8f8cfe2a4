"""COCO: a JSON file of annotations, beside its images, above images/, or in annotations/."""

from pathlib import Path

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
    """The images that the file lists, by their ids. `folder` may be the file itself.

    Raises InputError for none or several files, for an image that is missing or leads out of the
    folder, and as `read_coco` does.
    """
    file = folder if folder.is_file() else _single_file(folder)
    classes, images = read_coco(file)
    root = _image_folder(file)
    return [_labelled(file, root, image, classes) for image in images]


def _labelled(file: Path, root: Path, image: CocoImage, classes: tuple[str, ...]) -> LabelledImage:
    path = inside(root, image.file_name)
    if not path.is_file():
        raise InputError(f"{file} lists {image.file_name}, but there is no file {path}.")
    shown = tuple(dict.fromkeys(item.class_name for item in image.objects))
    return LabelledImage(path, image.file_name, ALL, image, coco_classes=classes, annotated=shown)


def _json_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.json")) or sorted((folder / ANNOTATIONS).glob("*.json"))


def _single_file(folder: Path) -> Path:
    files = _json_files(folder)
    if len(files) == 1:
        return files[0]
    names = ", ".join(file.name for file in files) or "none"
    way_out = f" Name the one you mean, such as {files[0]}." if files else ""
    raise InputError(f"{folder} needs one COCO file of annotations; found: {names}.{way_out}")


def _image_folder(file: Path) -> Path:
    """Beside the file or in images/; of annotations/instances_val.json, images/val/ if it is
    there, as exports write it."""
    parent = file.parent
    root = parent.parent if parent.name == ANNOTATIONS else parent
    images = root / IMAGES
    split = images / file.stem.rpartition("_")[2]
    if parent.name == ANNOTATIONS and split.is_dir():
        return split
    return images if images.is_dir() else root


def _has_annotations(file: Path) -> bool:
    """By its words alone: the file is parsed when it is read."""
    try:
        with open_regular(file) as opened:
            text = opened.read(MOST_BYTES)
    except OSError:
        return False
    return b'"annotations"' in text and b'"images"' in text
