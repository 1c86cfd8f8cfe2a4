"""Mixed Strengths: a strength for each image, drawn by its seed."""

from comfy_api.latest import io

from ..core.denoise import drawn_strength, read_strengths
from ..core.errors import InputError
from ..core.prompts import MAX_SEED
from .schema import node_schema


class ManyshotMixedStrengths(io.ComfyNode):
    """Wired to a sampler's denoise, each image of a list gets a strength of its own."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return node_schema(
            node_id="ManyshotMixedStrengths",
            display_name="Mixed Strengths",
            category="manyshot/control",
            search_aliases=["random denoise", "denoise list", "img2img strength"],
            description="Picks a random strength per image for image to image, so that some "
            "images stay close to the photo and others move away.",
            inputs=[
                io.String.Input(
                    "strengths",
                    default="0.25, 0.5, 0.75, 1.0",
                    tooltip="Numbers from 0 (keep the photo) to 1 (all new), picked with "
                    "equal probability. List a number twice to pick it twice as "
                    "often.",
                ),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=MAX_SEED,
                    control_after_generate=True,
                    tooltip="Seed for the choice: connect the image's own seed.",
                ),
            ],
            outputs=[io.Float.Output(display_name="strength", tooltip="For a sampler's denoise.")],
        )

    @classmethod
    def validate_inputs(cls, strengths: str | None) -> bool | str:
        try:
            read_strengths("1" if strengths is None else strengths)
        except InputError as error:
            return str(error)
        return True

    @classmethod
    def execute(cls, strengths: str, seed: int) -> io.NodeOutput:
        return io.NodeOutput(drawn_strength(read_strengths(strengths), seed))
