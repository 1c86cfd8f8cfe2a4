"""Mask to Control: a label mask in the colours that a segmentation ControlNet was taught."""

from typing import TYPE_CHECKING

from comfy_api.latest import io

from ..core.errors import InputError
from ..core.masks.colours import (
    PALETTES,
    ControlPalette,
    check_table,
    control_colours,
    open_colour,
    read_table,
)
from ..core.masks.control import draw_control
from .schema import node_schema

if TYPE_CHECKING:
    from torch import Tensor


class ManyshotMaskToControl(io.ComfyNode):
    """Each mask of a batch becomes one control image."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return node_schema(
            node_id="ManyshotMaskToControl",
            display_name="Mask to Control",
            category="manyshot/control",
            search_aliases=["segmentation colours", "ADE20K", "colour mask", "seg control image"],
            description="Turns a mask into the control image of a segmentation ControlNet.",
            inputs=[
                io.Mask.Input(
                    "mask",
                    tooltip="Label masks, or plain masks, where 0.5 or more is the class 'object'.",
                ),
                io.Combo.Input(
                    "palette",
                    options=list(PALETTES),
                    default="own",
                    tooltip="own: manyshot's colours, for ControlNets trained on them. "
                    "ade20k: for the public control_*_seg models.",
                ),
                io.String.Input(
                    "table",
                    multiline=True,
                    default="",
                    placeholder="table, as in pug: dog",
                    tooltip="Optional. One class per line, mapped to a palette class, a "
                    "colour, or none (black): 'pug: dog', 'sky: #06e6e6', 'rope: "
                    "none'.",
                ),
                io.String.Input(
                    "mask_classes",
                    optional=True,
                    force_input=True,
                    tooltip="The class of each mask value, from the node that outputs the mask.",
                ),
            ],
            outputs=[io.Image.Output(display_name="control", tooltip="For a ControlNet.")],
        )

    @classmethod
    def validate_inputs(cls, table: str | None, palette: ControlPalette | None) -> bool | str:
        try:
            named = read_table(table or "")
            if palette is not None:
                check_table(named, palette)
        except InputError as error:
            return str(error)
        return True

    @classmethod
    def execute(
        cls,
        mask: "Tensor",
        palette: ControlPalette,
        table: str,
        mask_classes: str | None = None,
    ) -> io.NodeOutput:
        from .label_masks import label_masks
        from .pictures import image_tensor

        masks = label_masks(mask, mask_classes)
        classes = masks[0].classes
        named = {name: other for name, other in read_table(table).items() if name in classes}
        colours = control_colours(classes, palette, named)
        return io.NodeOutput(
            image_tensor(
                [draw_control(label_mask, colours, open_colour(palette)) for label_mask in masks]
            )
        )
