"""A dataset folder becomes a folder in another format, whole or not at all."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ...core.errors import InputError, ManyshotError
from ...core.extras import Extra, install_command
from ...core.new_folder import new_folder
from .export_material import Material, Step, read_material
from .options import Drawing, Format
from .split import TRAIN, VAL


@dataclass(frozen=True)
class Exported:
    """How many images are in train and in val, of how many classes; `unshared`: the classes that
    val has no image of; how many images were deleted."""

    train: int
    val: int
    classes: int
    unshared: tuple[str, ...] = ()
    deleted: int = 0


def export(
    folder: Path,
    to: Format,
    output: Path,
    drawing: Drawing,
    val_share: float,
    seed: int,
    step: Step,
) -> Exported:
    """Write the kept images of a dataset folder to `output`, which is new or empty.

    Raises InputError for a folder, masks or options that the format cannot use, ManyshotError when
    a library is missing or writing fails; then `output` is as it was.
    """
    if output.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{output} is inside the dataset folder. Choose an output outside it.")
    with new_folder(output) as place:
        write = _writer(to, drawing, seed, step)
        material = read_material(folder, val_share, seed, step)
        write(material, place)
    count = {name: len(samples) for name, samples in material.splits.items()}
    classes = {sample.record.label for sample in material.samples}
    shares = count.get(TRAIN, 0), count.get(VAL, 0)
    return Exported(*shares, len(classes), material.unshared, material.deleted)


def _writer(
    to: Format, drawing: Drawing, seed: int, step: Step
) -> Callable[[Material, Path], None]:
    """Imported here: each format has a library of its own."""
    try:
        match to:
            case Format.COCO:
                from .coco_export import write_coco

                return lambda material, place: write_coco(material, place, drawing, step)
            case Format.YOLO:
                from .yolo import write_yolo

                return lambda material, place: write_yolo(material, place, drawing, step)
            case Format.VOC:
                from .voc import write_voc

                return lambda material, place: write_voc(material, place, drawing, step)
            case Format.WEBDATASET:
                from .web_dataset import write_web_dataset

                return lambda material, place: write_web_dataset(material, place, seed, step)
            case Format.IMAGEFOLDER:
                from .image_folder import write_image_folder

                return lambda material, place: write_image_folder(material, place, step)
            case Format.HUGGINGFACE:
                from .hugging_face import write_hugging_face

                return lambda material, place: write_hugging_face(material, place, step)
            case Format.KOHYA:
                from .kohya import write_kohya

                return lambda material, place: write_kohya(material, place, step)
    except ModuleNotFoundError as error:
        library = (error.name or "a library").partition(".")[0]
        raise ManyshotError(
            f"The format {to.value} needs {library}, which is not installed. Install it with: "
            f"{install_command(Extra.EXPORT)}"
        ) from None
