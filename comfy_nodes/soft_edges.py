"""Soft Edges: a control image out of a photo, softer than Canny's lines."""

from typing import TYPE_CHECKING

from comfy_api.latest import io

if TYPE_CHECKING:
    from torch import Tensor


class ManyshotSoftEdges(io.ComfyNode):
    """White where a photo has a strong edge, grey where a weak one, black elsewhere."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ManyshotSoftEdges",
            display_name="Soft Edges",
            category="manyshot",
            description="Draws the edges of a photo as a control image, strong ones white and weak "
            "ones grey; the same edges at every size of the photo.",
            inputs=[
                io.Image.Input("image", tooltip="The photos."),
                io.Float.Input(
                    "sigma",
                    default=2.0,
                    min=0.1,
                    max=64.0,
                    step=0.1,
                    tooltip="How coarse: the blur in pixels, for a photo of 512 pixels. More of it "
                    "leaves out hair and grass.",
                ),
                io.Float.Input(
                    "gain",
                    default=3.0,
                    min=0.1,
                    max=50.0,
                    step=0.1,
                    tooltip="How bright: at 1 only an edge from black to white is white.",
                ),
            ],
            outputs=[
                io.Image.Output(display_name="edges", tooltip="A grey control image, as large.")
            ],
        )

    @classmethod
    def execute(cls, image: "Tensor", sigma: float, gain: float) -> io.NodeOutput:
        from comfy import model_management

        from .edges import soft_edges

        edges = soft_edges(image.to(model_management.get_torch_device()), sigma, gain)
        return io.NodeOutput(edges.to(model_management.intermediate_device()))
