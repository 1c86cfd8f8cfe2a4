"""Vary Mask: new geometry for a mask, and the same for all that goes with it."""

from typing import TYPE_CHECKING

from comfy_api.latest import io

from ..core.errors import InputError
from ..core.masks.scene import augment_scene
from ..core.masks.variation import Variation
from .schema import node_schema
from .variation_inputs import canvas_inputs, canvas_size, outline_width, range_inputs, scale_range

if TYPE_CHECKING:
    from torch import Tensor

DEFAULTS = Variation(cover=True)


class ManyshotVaryMask(io.ComfyNode):
    """Each mask of a batch gets a transform of its own."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return node_schema(
            node_id="ManyshotVaryMask",
            display_name="Vary Mask",
            category="manyshot/masks",
            search_aliases=["augment", "augmentation", "flip mask", "rotate mask"],
            description="Mirrors, rotates, scales, shifts and crops a mask together with "
            "its image and control image. Objects stay in view.",
            inputs=[
                io.Mask.Input("mask", tooltip="A label mask, or a plain mask."),
                *canvas_inputs(
                    "Seed for the new geometry. Connect the seed of Prompt from Mask to "
                    "give each image its own."
                ),
                *range_inputs(DEFAULTS),
                io.Float.Input(
                    "shear",
                    default=DEFAULTS.shear,
                    min=0.0,
                    max=89.0,
                    step=1.0,
                    tooltip="Maximum shear in degrees, either way.",
                ),
                io.Float.Input(
                    "crop",
                    default=DEFAULTS.crop,
                    min=0.1,
                    max=1.0,
                    step=0.05,
                    tooltip="Minimum share of width and height to keep; 1 does not crop.",
                ),
                io.Boolean.Input(
                    "cover",
                    default=DEFAULTS.cover,
                    tooltip="Zoom in until no empty borders are left.",
                ),
                io.String.Input(
                    "mask_classes",
                    optional=True,
                    force_input=True,
                    tooltip="The class of each mask value, from the node that outputs the "
                    "mask. Passed through unchanged.",
                ),
                io.Image.Input(
                    "image", optional=True, tooltip="The mask's image, transformed with it."
                ),
                io.Image.Input(
                    "control",
                    optional=True,
                    tooltip="A control image in flat colours, transformed with the mask "
                    "without mixing colours.",
                ),
            ],
            outputs=[
                io.Mask.Output(
                    display_name="mask", tooltip="The mask, of the same kind as the input."
                ),
                io.Image.Output(display_name="image", tooltip="The image, transformed with it."),
                io.Image.Output(
                    display_name="control", tooltip="The control image, transformed with it."
                ),
                io.String.Output(
                    display_name="objects",
                    tooltip="Contents of the mask as JSON: class, box and area of each object.",
                ),
            ],
        )

    @classmethod
    def validate_inputs(
        cls,
        scale_from: float | None,
        scale_to: float | None,
        border: int | None,
        mask_classes: str | None = "",
        control: object = "",
    ) -> bool | str:
        try:  # what is wired is None here, what is not is ""
            if scale_from is not None and scale_to is not None:
                scale_range(scale_from, scale_to)
            if border is not None:
                outline_width(border, mask_classes is None or mask_classes, control is None)
        except InputError as error:
            return str(error)
        return True

    @classmethod
    def execute(
        cls,
        mask: "Tensor",
        width: int,
        height: int,
        seed: int,
        border: int,
        flip: float,
        rotate: float,
        scale_from: float,
        scale_to: float,
        shift: float,
        visible: float,
        shear: float,
        crop: float,
        cover: bool,
        mask_classes: str | None = None,
        image: "Tensor | None" = None,
        control: "Tensor | None" = None,
    ) -> io.NodeOutput:
        from .scenes import make_scenes, mask_output, objects_text, picture_output

        variation = Variation(
            flip, rotate, scale_range(scale_from, scale_to), shift, shear, crop, visible, cover
        )
        outline = outline_width(border, mask_classes, control is not None)
        scenes = [
            augment_scene(scene, variation, seed + place, canvas_size(width, height), outline)[0]
            for place, scene in enumerate(make_scenes(mask, mask_classes, image, control))
        ]
        masks = [scene.mask for scene in scenes]
        return io.NodeOutput(
            mask_output(masks, bool(mask_classes)),
            picture_output(
                [scene.image for scene in scenes], "Vary Mask's 'image' is not connected."
            ),
            picture_output(
                [scene.control for scene in scenes], "Vary Mask's 'control' is not connected."
            ),
            objects_text(masks),
        )
