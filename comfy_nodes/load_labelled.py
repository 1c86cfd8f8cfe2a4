"""Load Labelled: the photos of a folder with their classes and masks, Run by Run."""

import asyncio
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from comfy_api.latest import io

from ..core.data.labelled_image import fitting_mask, read_upright
from ..core.data.reader import read_folder
from ..core.data.record import LabelledImage
from ..core.errors import InputError
from ..core.file_kinds import LAYOUTS, Layout
from ..core.masks.label_mask import BACKGROUND, LabelMask
from .input_files import input_path, stamp
from .schema import node_schema

MOST = 10_000
LONG_JSON = 2 * 2**20  # bytes


class ManyshotLoadLabelled(io.ComfyNode):
    """Every output is a list; the nodes that follow run once for each of its items."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return node_schema(
            node_id="ManyshotLoadLabelled",
            display_name="Load Labelled Photos",
            category="manyshot/dataset",
            search_aliases=["load dataset", "image folder", "COCO", "segmentation dataset"],
            description="Loads labelled photos from a folder, each with its class and mask.",
            inputs=[
                io.String.Input(
                    "folder",
                    default="",
                    tooltip="A folder, a COCO file or a CSV table in ComfyUI's input folder.",
                ),
                io.Combo.Input(
                    "layout",
                    options=list(LAYOUTS),
                    default="auto",
                    tooltip="The folder's layout. pairs: images/ and masks/. classes: one "
                    "folder per class, no masks. pets: Oxford-IIIT Pet. coco: a "
                    "JSON annotation file. yolo: images/, labels/ and data.yaml. voc: Pascal VOC. "
                    "csv: a table with the columns file and class. dataset: written by manyshot.",
                ),
                io.Int.Input(
                    "first",
                    default=0,
                    min=0,
                    max=2**31,
                    control_after_generate=True,
                    tooltip="Which group of `count` photos to load: 0 is the first, 1 the "
                    "next. Set it to increment to advance with every Run; after the "
                    "last photo it starts over.",
                ),
                io.Int.Input(
                    "count",
                    default=1,
                    min=1,
                    max=MOST,
                    tooltip="How many photos to load per Run.",
                ),
                io.Int.Input(
                    "times",
                    default=1,
                    min=1,
                    max=MOST,
                    tooltip="How many times to repeat each photo, that is, how many images "
                    "to make from it.",
                ),
            ],
            outputs=[
                io.Image.Output(
                    display_name="image", is_output_list=True, tooltip="The photos, upright."
                ),
                io.Mask.Output(
                    display_name="mask", is_output_list=True, tooltip="Their label masks."
                ),
                io.String.Output(
                    display_name="mask_classes",
                    is_output_list=True,
                    tooltip="The class of each mask value, one per line.",
                ),
                io.String.Output(
                    display_name="class_name",
                    is_output_list=True,
                    tooltip="The class of each photo, for Save Labelled Images.",
                ),
                io.String.Output(
                    display_name="file_name",
                    is_output_list=True,
                    tooltip="The file name of each photo, relative to the folder.",
                ),
            ],
        )

    @classmethod
    async def validate_inputs(cls, folder: str | None, layout: Layout | None) -> bool | str:
        if folder is None or layout is None:
            return True  # wired to another node: known only when it runs
        try:
            if not _has_long_json(folder, layout):
                await asyncio.to_thread(_list_pairs, folder, layout)  # the server goes on meanwhile
        except InputError as error:
            return str(error)
        return True

    @classmethod
    def fingerprint_inputs(cls, folder: str | None, **_inputs: Any) -> str:
        try:
            return stamp(input_path(folder or "", "folder"))
        except InputError:
            return ""

    @classmethod
    def execute(
        cls, folder: str, layout: Layout, first: int, count: int, times: int
    ) -> io.NodeOutput:
        from .label_masks import mask_tensor, names_text
        from .pictures import image_tensor

        pairs = select_pairs(_list_pairs(folder, layout), first, count)
        loaded = [(pair, *_read(pair)) for pair in pairs]
        rows = [row for row in loaded for _ in range(times)]
        return io.NodeOutput(
            [image_tensor([image]) for _, image, _ in rows],
            [mask_tensor([mask]) for *_, mask in rows],
            [names_text(mask.classes) for *_, mask in rows],
            [pair.class_name for pair, *_ in rows],
            [pair.name for pair, *_ in rows],
        )


def select_pairs(pairs: tuple[LabelledImage, ...], first: int, count: int) -> list[LabelledImage]:
    """Round `first` of `count` photos each, none twice; after the last come the first again."""
    start = first * count
    return [pairs[(start + place) % len(pairs)] for place in range(min(count, len(pairs)))]


def _has_long_json(folder: str, layout: Layout) -> bool:
    """Whether to leave the check of a COCO file to the job itself: Python parses a JSON in one
    piece, and other threads, so the server's too, wait for that."""
    path = input_path(folder, "folder")
    files = [path] if path.is_file() else list(path.glob("*.json"))
    return layout in ("auto", "coco") and sum(file.stat().st_size for file in files) > LONG_JSON


def _read(pair: LabelledImage) -> tuple[np.ndarray, LabelMask]:
    """The photo and its mask, an empty one where it has none."""
    image = read_upright(pair.image)
    if pair.mask is None:
        return image, LabelMask(np.zeros(image.shape[:2], np.uint8), (BACKGROUND,))
    return image, fitting_mask(pair, image.shape[:2])


def _list_pairs(folder: str, layout: Layout) -> tuple[LabelledImage, ...]:
    path = input_path(folder, "folder")
    return _read_pairs(path, layout, stamp(path))


@lru_cache(maxsize=4)
def _read_pairs(folder: Path, layout: Layout, _stamp: str) -> tuple[LabelledImage, ...]:
    return tuple(read_folder(folder, layout))
