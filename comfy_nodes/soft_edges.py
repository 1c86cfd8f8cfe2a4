"""Soft Edges: a control image out of a photo, softer than Canny's lines."""

from typing import TYPE_CHECKING

from comfy_api.latest import io

from .schema import node_schema

if TYPE_CHECKING:
    from torch import Tensor


class ManyshotSoftEdges(io.ComfyNode):
    """White where a photo has a strong edge, grey where a weak one, black elsewhere."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return node_schema(
            node_id="ManyshotSoftEdges",
            display_name="Soft Edges",
            category="manyshot/control",
            search_aliases=["HED", "softedge", "edge detection", "preprocessor"],
            description="Turns the edges of a photo into a control image: strong edges "
            "white, weak ones grey, independent of the photo's size.",
            inputs=[
                io.Image.Input("image", tooltip="The photos."),
                io.Float.Input(
                    "sigma",
                    default=2.0,
                    min=0.1,
                    max=64.0,
                    step=0.1,
                    tooltip="Scale: the blur in pixels, for a 512-pixel photo. Higher "
                    "values drop hair and grass.",
                ),
                io.Float.Input(
                    "gain",
                    default=3.0,
                    min=0.1,
                    max=50.0,
                    step=0.1,
                    tooltip="Brightness: at 1, only a black-to-white edge is white.",
                ),
            ],
            outputs=[
                io.Image.Output(
                    display_name="edges", tooltip="A greyscale control image of the same size."
                )
            ],
        )

    @classmethod
    def execute(cls, image: "Tensor", sigma: float, gain: float) -> io.NodeOutput:
        from comfy import model_management

        from .edges import soft_edges

        edges = soft_edges(image.to(model_management.get_torch_device()), sigma, gain)
        return io.NodeOutput(edges.to(model_management.intermediate_device()))
