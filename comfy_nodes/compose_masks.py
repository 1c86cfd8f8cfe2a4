"""Compose Masks: the objects of several labelled photos on one canvas."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from comfy_api.latest import io

from ..core.errors import InputError
from ..core.masks.compose import MANY, compose_scenes
from ..core.masks.scene import Scene
from ..core.masks.variation import Variation
from .input_files import each
from .schema import node_schema
from .variation_inputs import canvas_inputs, canvas_size, outline_width, range_inputs, scale_range

if TYPE_CHECKING:
    from torch import Tensor


class ManyshotComposeMasks(io.ComfyNode):
    """One canvas for each mask of the list, so that its class and its file stay in step."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return node_schema(
            node_id="ManyshotComposeMasks",
            display_name="Compose Masks",
            category="manyshot/masks",
            search_aliases=["combine objects", "copy-paste", "collage", "mask collage"],
            description="Combines objects from several masks: pastes the objects of other "
            "masks in the list onto each one, with their images and control "
            "images.",
            is_input_list=True,
            inputs=[
                io.Mask.Input("mask", tooltip="A list of label masks or plain masks."),
                io.Int.Input(
                    "objects",
                    default=2,
                    min=1,
                    max=16,
                    tooltip="How many masks each canvas combines: its own and the next ones "
                    "in the list, wrapping around at the end.",
                ),
                *canvas_inputs("Seed for the placement of the added objects."),
                *range_inputs(MANY),
                io.String.Input(
                    "mask_classes",
                    optional=True,
                    force_input=True,
                    tooltip="The class of each mask value, from the node that outputs the masks.",
                ),
                io.Image.Input(
                    "image", optional=True, tooltip="The image of each mask, composed the same way."
                ),
                io.Image.Input(
                    "control",
                    optional=True,
                    tooltip="The control image of each mask, composed the same way.",
                ),
            ],
            outputs=[
                io.Mask.Output(
                    display_name="mask", is_output_list=True, tooltip="The composed masks."
                ),
                io.String.Output(
                    display_name="mask_classes",
                    is_output_list=True,
                    tooltip="The class of each value in the composed masks, one per line.",
                ),
                io.Image.Output(display_name="image", is_output_list=True, tooltip="The images."),
                io.Image.Output(
                    display_name="control", is_output_list=True, tooltip="The control images."
                ),
                io.String.Output(
                    display_name="objects",
                    is_output_list=True,
                    tooltip="Contents of each mask as JSON: class, box and area. Objects "
                    "that did not fit are left out.",
                ),
            ],
        )

    @classmethod
    def validate_inputs(
        cls,
        scale_from: list[float | None],
        scale_to: list[float | None],
        border: list[int | None],
        mask_classes: Sequence[str | None] = ("",),
        control: Sequence[object] = ("",),
    ) -> bool | str:
        try:  # what is wired is None here, what is not is ""
            if scale_from[0] is not None and scale_to[0] is not None:
                scale_range(scale_from[0], scale_to[0])
            if border[0] is not None:
                named = mask_classes[0] is None or mask_classes[0]
                outline_width(border[0], named, control[0] is None)
        except InputError as error:
            return str(error)
        return True

    @classmethod
    def execute(
        cls,
        mask: "list[Tensor]",
        objects: list[int],
        width: list[int],
        height: list[int],
        seed: list[int],
        border: list[int],
        flip: list[float],
        rotate: list[float],
        scale_from: list[float],
        scale_to: list[float],
        shift: list[float],
        visible: list[float],
        mask_classes: list[str] | None = None,
        image: "list[Tensor] | None" = None,
        control: "list[Tensor] | None" = None,
    ) -> io.NodeOutput:
        from .label_masks import names_text
        from .scenes import mask_output, objects_text, picture_output

        named = any(mask_classes or ())
        outline = outline_width(border[0], named, control is not None)
        scale = scale_range(scale_from[0], scale_to[0])
        variation = Variation(flip[0], rotate[0], scale, shift[0], shear=0.0, visible=visible[0])
        scenes = _scenes(mask, mask_classes, image, control)
        composed_scenes = [
            compose_scenes(group, one_seed, variation, canvas_size(width[0], height[0]), outline)
            for group, one_seed in zip(
                _groups(scenes, objects[0]), _seeds(seed, len(scenes)), strict=True
            )
        ]
        missing = "Compose Masks' input {!r} is not connected."
        return io.NodeOutput(
            [mask_output([scene.mask], named) for scene in composed_scenes],
            [names_text(scene.mask.classes) if named else "" for scene in composed_scenes],
            [picture_output([scene.image], missing.format("image")) for scene in composed_scenes],
            [
                picture_output([scene.control], missing.format("control"))
                for scene in composed_scenes
            ],
            [objects_text([scene.mask]) for scene in composed_scenes],
        )


def _scenes(
    mask: "list[Tensor]",
    mask_classes: list[str] | None,
    image: "list[Tensor] | None",
    control: "list[Tensor] | None",
) -> list[Scene]:
    from .scenes import make_scenes

    count = len(mask)
    texts = each("mask_classes", mask_classes or [""], count)
    images = each("image", image or [None], count)
    controls = each("control", control or [None], count)
    batches = [make_scenes(*row) for row in zip(mask, texts, images, controls, strict=True)]
    if any(len(batch) > 1 for batch in batches):
        raise InputError("Compose Masks takes a list of single masks, but one of them is a batch.")
    return [scene for batch in batches for scene in batch]


def _groups(scenes: Sequence[Scene], size: int) -> list[list[Scene]]:
    """Each scene with those that follow it, round and round."""
    return [
        [scenes[(start + i) % len(scenes)] for i in range(size)] for start in range(len(scenes))
    ]


def _seeds(seeds: Sequence[int], count: int) -> list[int]:
    """One each: a seed for all counts up."""
    return list(seeds) if len(seeds) == count else [seeds[0] + place for place in range(count)]
