"""Mask of Classes: from a label mask to the plain mask that inpainting and compositing take."""

from typing import TYPE_CHECKING

from comfy_api.latest import io

from ..core.lines import read_names
from ..core.masks.regions import BORDERS, REGIONS, Border, Region, select_region
from .schema import node_schema

if TYPE_CHECKING:
    from torch import Tensor

MOST_GROWTH = 1024


class ManyshotMaskOf(io.ComfyNode):
    """The background of a label mask, its objects, or some of its classes."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return node_schema(
            node_id="ManyshotMaskOf",
            display_name="Mask of Classes",
            category="manyshot/masks",
            search_aliases=["select class", "binary mask", "foreground mask", "inpaint region"],
            description="Extracts a region from a label mask, to redraw or to keep.",
            inputs=[
                io.Mask.Input("mask", tooltip="A label mask, or a plain mask of one object."),
                io.Combo.Input(
                    "region",
                    options=list(REGIONS),
                    default="objects",
                    tooltip="objects: everything except the background. background: to draw "
                    "a new one around the same objects. classes: those listed below.",
                ),
                io.String.Input(
                    "classes",
                    multiline=True,
                    default="",
                    placeholder="classes, one per line",
                    tooltip="For the region 'classes': their names, one per line.",
                ),
                io.Combo.Input(
                    "border",
                    options=list(BORDERS),
                    default="out",
                    tooltip="Whether the unlabelled outline around objects belongs to the region.",
                ),
                io.Int.Input(
                    "grow",
                    default=0,
                    min=-MOST_GROWTH,
                    max=MOST_GROWTH,
                    tooltip="Pixels to grow the region by on all sides; negative shrinks it.",
                ),
                io.String.Input(
                    "mask_classes",
                    optional=True,
                    force_input=True,
                    tooltip="The class of each mask value. Not connected: the mask is plain.",
                ),
            ],
            outputs=[
                io.Mask.Output(
                    display_name="mask", tooltip="A plain mask: 1 inside the region, 0 elsewhere."
                )
            ],
        )

    @classmethod
    def validate_inputs(cls, region: Region | None, classes: str | None) -> bool | str:
        if region == "classes" and classes is not None and not read_names(classes):
            return "The region 'classes' needs the names of classes, one per line."
        return True

    @classmethod
    def execute(
        cls,
        mask: "Tensor",
        region: Region,
        classes: str,
        border: Border,
        grow: int,
        mask_classes: str | None = None,
    ) -> io.NodeOutput:
        import numpy as np
        import torch

        from .label_masks import label_masks

        regions = [
            select_region(label_mask, region, read_names(classes), border, grow)
            for label_mask in label_masks(mask, mask_classes)
        ]
        return io.NodeOutput(torch.from_numpy(np.stack(regions)).float())
