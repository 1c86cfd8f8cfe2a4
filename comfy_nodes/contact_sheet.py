"""Contact Sheet: a look at labelled images, a row for each class."""

from typing import TYPE_CHECKING

from comfy_api.latest import io

from .input_files import each
from .schema import node_schema

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor


class ManyshotContactSheet(io.ComfyNode):
    """Takes all images at once, whether they come as a list or as a batch."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return node_schema(
            node_id="ManyshotContactSheet",
            display_name="Contact Sheet",
            category="manyshot/dataset",
            search_aliases=["preview dataset", "image grid", "class labels"],
            description="Shows images in a row for each class, with its name: what a dataset looks "
            "like at a glance. Runs in bulk leave it out.",
            is_input_list=True,
            is_output_node=True,
            inputs=[
                io.Image.Input("images", tooltip="The images: a list, or batches."),
                io.String.Input(
                    "class_name",
                    force_input=True,
                    tooltip="The class of each item of the list, or one for all.",
                ),
            ],
            outputs=[
                io.Image.Output(display_name="sheet", tooltip="The sheet, to be saved if you like.")
            ],
        )

    @classmethod
    def execute(cls, images: "list[Tensor]", class_name: list[str]) -> io.NodeOutput:
        import numpy as np
        from comfy_api.latest import ui

        from ..core.class_sheet import draw_class_rows
        from .pictures import image_tensor

        tiles: dict[str, list[Image.Image]] = {}
        counts: dict[str, int] = {}
        names = each("class_name", class_name, len(images), "image")
        for batch, name in zip(images, names, strict=True):
            counts[name] = counts.get(name, 0) + len(batch)
            tiles.setdefault(name, []).extend(_first_tiles(batch, len(tiles.get(name, []))))
        sheet = image_tensor([np.asarray(draw_class_rows(tiles, counts))])
        return io.NodeOutput(sheet, ui=ui.PreviewImage(sheet, cls=cls))


def _first_tiles(batch: "Tensor", shown: int) -> "list[Image.Image]":
    """As many of a batch as a row with `shown` tiles has room for."""
    from PIL import Image

    from ..core.class_sheet import COLUMNS, make_tile
    from .pictures import pixels

    fitting = batch[: max(0, COLUMNS - shown), ..., :3]
    return [make_tile(Image.fromarray(image)) for image in pixels(fitting)]
