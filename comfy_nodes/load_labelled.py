"""Load Labelled: the photos of a folder with their classes and masks, Run by Run."""

import asyncio
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from comfy_api.latest import io

from ..core.errors import InputError
from ..core.masks.layouts import LAYOUTS, Layout, PairFile
from ..core.masks.pairs import find_pairs, fitting_mask, read_upright
from ..core.masks.read import BACKGROUND, LabelMask
from .input_files import input_path, stamp

MOST = 10_000
LONG_JSON = 2 * 2**20  # bytes


class ManyshotLoadLabelled(io.ComfyNode):
    """Every output is a list; the nodes that follow run once for each of its items."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ManyshotLoadLabelled",
            display_name="Load Labelled",
            category="manyshot",
            description="Loads labelled photos out of a folder, each with its class and its mask.",
            inputs=[
                io.String.Input(
                    "folder",
                    default="",
                    tooltip="A folder inside ComfyUI's input folder, or a COCO file there.",
                ),
                io.Combo.Input(
                    "layout",
                    options=list(LAYOUTS),
                    default="auto",
                    tooltip="How the folder is laid out. pairs: images/ and masks/. classes: a "
                    "folder for each class, no masks. pets: Oxford-IIIT Pet. coco: a JSON file of "
                    "annotations. dataset: written by manyshot.",
                ),
                io.Int.Input(
                    "first",
                    default=0,
                    min=0,
                    max=2**31,
                    control_after_generate=True,
                    tooltip="Where to begin: 0 takes the first `count` photos, 1 the next ones. "
                    "Set it to increment and each Run walks on; after the last it begins anew.",
                ),
                io.Int.Input(
                    "count",
                    default=1,
                    min=1,
                    max=MOST,
                    tooltip="How many photos a Run takes.",
                ),
                io.Int.Input(
                    "times",
                    default=1,
                    min=1,
                    max=MOST,
                    tooltip="How many times each comes, one after the other: so many images are "
                    "made from it.",
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
                    tooltip="What each mask's values mean: its classes, one a line.",
                ),
                io.String.Output(
                    display_name="class_name",
                    is_output_list=True,
                    tooltip="The class of each photo, for Save Labelled.",
                ),
                io.String.Output(
                    display_name="file_name",
                    is_output_list=True,
                    tooltip="The file of each photo, inside the folder.",
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


def select_pairs(pairs: tuple[PairFile, ...], first: int, count: int) -> list[PairFile]:
    """Round `first` of `count` photos each, none twice; after the last come the first again."""
    start = first * count
    return [pairs[(start + place) % len(pairs)] for place in range(min(count, len(pairs)))]


def _has_long_json(folder: str, layout: Layout) -> bool:
    """Whether to leave the check of a COCO file to the job itself: Python parses a JSON in one
    piece, and other threads, so the server's too, wait for that."""
    path = input_path(folder, "folder")
    files = [path] if path.is_file() else list(path.glob("*.json"))
    return layout in ("auto", "coco") and sum(file.stat().st_size for file in files) > LONG_JSON


def _read(pair: PairFile) -> tuple[np.ndarray, LabelMask]:
    """The photo and its mask, an empty one where it has none."""
    image = read_upright(pair.image)
    if pair.mask is None:
        return image, LabelMask(np.zeros(image.shape[:2], np.uint8), (BACKGROUND,))
    return image, fitting_mask(pair, image.shape[:2])


def _list_pairs(folder: str, layout: Layout) -> tuple[PairFile, ...]:
    path = input_path(folder, "folder")
    return _read_pairs(path, layout, stamp(path))


@lru_cache(maxsize=4)
def _read_pairs(folder: Path, layout: Layout, _stamp: str) -> tuple[PairFile, ...]:
    return tuple(find_pairs(folder, layout))
