"""Load Mask: one mask file of any form as a label mask with the names of its classes."""

import asyncio
from functools import lru_cache
from pathlib import Path
from typing import Any

from comfy_api.latest import io

from ..core.errors import InputError
from ..core.image_files import SUFFIXES
from ..core.masks.label_mask import LabelMask
from ..core.masks.mask_readers import FORMS, Form, read_form
from .input_files import input_folder, input_path, stamp
from .schema import node_schema


class ManyshotLoadMask(io.ComfyNode):
    """What stock nodes read as a picture, read as labels."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return node_schema(
            node_id="ManyshotLoadMask",
            display_name="Load Label Mask",
            category="manyshot/masks",
            search_aliases=["segmentation map", "index mask", "trimap", "COCO", "label map"],
            description="Loads one mask from ComfyUI's input folder: index or colour "
            "images, trimaps, alpha channels, COCO annotations.",
            inputs=[
                io.Combo.Input(
                    "file",
                    options=_files(),
                    upload=io.UploadType.image,
                    image_folder=io.FolderType.input,
                    tooltip="An image, or a COCO file (.json), in ComfyUI's input folder.",
                ),
                io.Combo.Input(
                    "form",
                    options=list(FORMS),
                    default="labels",
                    tooltip="labels: values or colours stand for classes. trimap: 1 object, "
                    "2 background, 3 border. alpha: opaque pixels are the object. "
                    "coco: annotations.",
                ),
                io.String.Input(
                    "class_name",
                    default="",
                    tooltip="The object's class, for trimap and alpha. For coco: load only "
                    "this class; empty loads all.",
                ),
                io.String.Input(
                    "table",
                    multiline=True,
                    default="",
                    placeholder="table, as in cat: 1, #ff6000",
                    tooltip="Optional, for labels. The values and colours of each class, "
                    "one class per line: 'background: 0', 'cat: 1, #ff6000', "
                    "'ignore: 255'. Empty: the names stored in the file, else each "
                    "value is a class.",
                ),
                io.String.Input(
                    "image_name",
                    default="",
                    tooltip="For coco: the image's file name in the annotations.",
                ),
            ],
            outputs=[
                io.Mask.Output(display_name="mask", tooltip="The label mask."),
                io.String.Output(
                    display_name="mask_classes",
                    tooltip="The class of each value, one per line.",
                ),
            ],
        )

    @classmethod
    async def validate_inputs(
        cls,
        file: str | None,
        form: Form | None,
        class_name: str | None,
        table: str | None,
        image_name: str | None,
    ) -> bool | str:
        if None in (file, form, class_name, table, image_name):
            return True  # wired to another node: known only when it runs
        try:
            arguments = str(file), form or "labels", str(class_name), str(table), str(image_name)
            await asyncio.to_thread(_load, *arguments)  # the server goes on meanwhile
        except InputError as error:
            return str(error)
        return True

    @classmethod
    def fingerprint_inputs(cls, file: str | None, **_inputs: Any) -> str:
        try:
            return stamp(_path(file or ""))
        except InputError:
            return ""

    @classmethod
    def execute(
        cls, file: str, form: Form, class_name: str, table: str, image_name: str
    ) -> io.NodeOutput:
        from .label_masks import mask_tensor, names_text

        mask = _load(file, form, class_name, table, image_name)
        return io.NodeOutput(mask_tensor([mask]), names_text(mask.classes))


def _files() -> list[str]:
    paths = (path for path in input_folder().glob("*") if path.is_file())
    return sorted(path.name for path in paths if path.suffix.lower() in {*SUFFIXES, ".json"})


def _path(name: str) -> Path:
    return input_path(name.removesuffix(" [input]"), "file")  # as the mask editor writes it


def _load(file: str, form: Form, class_name: str, table: str, image_name: str) -> LabelMask:
    path = _path(file)
    if not path.is_file():
        raise InputError(f"{file!r} is a folder. Use Load Labelled Photos for folders.")
    return _read(path, stamp(path), form, class_name, table, image_name)


@lru_cache(maxsize=4)
def _read(
    path: Path, _stamp: str, form: Form, class_name: str, table: str, image_name: str
) -> LabelMask:
    """Read once for the check before a run and for the run."""
    return read_form(path, form, class_name.strip(), table, image_name.strip())
