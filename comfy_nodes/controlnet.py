"""ControlNet: a control image steers what is drawn, by a ControlNet that fits the model."""

from typing import TYPE_CHECKING, Any, Literal, get_args

from comfy_api.latest import io

from ..core.errors import InputError
from .controlnet_files import (
    FOLDER,
    check_controlnet,
    controlnet_path,
    load_controlnet,
    warn_of_colours,
)
from .schema import node_schema

if TYPE_CHECKING:
    from torch import Tensor

ActsOn = Literal["both", "positive"]
ACTS_ON: tuple[ActsOn, ...] = get_args(ActsOn)


class ManyshotControlNet(io.ComfyNode):
    """Load ControlNet Model and Apply ControlNet in one, with a look at the model before."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        from folder_paths import get_filename_list

        return node_schema(
            node_id="ManyshotControlNet",
            display_name="Steer with ControlNet",
            category="manyshot/control",
            search_aliases=["ControlNet", "apply ControlNet", "load ControlNet"],
            description="Guides generation with a control image. Refuses a ControlNet made "
            "for a different model family before loading it, and lists those "
            "that fit.",
            inputs=[
                io.Combo.Input(
                    "control_net_name",
                    options=get_filename_list(FOLDER),
                    tooltip="A file in models/controlnet. Press R after adding one.",
                ),
                io.Float.Input(
                    "strength",
                    default=1.0,
                    min=0.0,
                    max=10.0,
                    step=0.01,
                    tooltip="How closely the image follows the control image; 0: not at all.",
                ),
                io.Float.Input(
                    "start_percent",
                    default=0.0,
                    min=0.0,
                    max=1.0,
                    step=0.001,
                    tooltip="When to start, as a fraction of sampling; 0 is the beginning.",
                ),
                io.Float.Input(
                    "end_percent",
                    default=1.0,
                    min=0.0,
                    max=1.0,
                    step=0.001,
                    tooltip="When to stop, as a fraction of sampling; below 1 frees the details.",
                ),
                io.Combo.Input(
                    "acts_on",
                    options=list(ACTS_ON),
                    default=ACTS_ON[0],
                    tooltip="both: like Apply ControlNet. positive: apply it to the "
                    "positive side only, so that cfg amplifies the control image as "
                    "well as the prompt. Images follow it much more closely, at a "
                    "lower cfg.",
                ),
                io.Conditioning.Input("positive", tooltip="The encoded prompt."),
                io.Conditioning.Input("negative", tooltip="The encoded negative prompt."),
                io.Image.Input(
                    "image", tooltip="The control image, for example from Mask to Control."
                ),
                io.Model.Input(
                    "model", tooltip="The model that samples; the ControlNet must match it."
                ),
                io.Vae.Input(
                    "vae",
                    optional=True,
                    tooltip="Only for ControlNets that need one, such as those for SD 3.",
                ),
            ],
            outputs=[
                io.Conditioning.Output(display_name="positive", tooltip="For the sampler."),
                io.Conditioning.Output(display_name="negative", tooltip="For the sampler."),
            ],
        )

    @classmethod
    def fingerprint_inputs(cls, control_net_name: str | None, **_inputs: Any) -> str:
        """New when the file is: ComfyUI's cache knows only its name."""
        try:
            stat = controlnet_path(control_net_name or "").stat()
        except (InputError, OSError):
            return ""
        return f"{stat.st_size} {stat.st_mtime_ns}"

    @classmethod
    def execute(
        cls,
        control_net_name: str,
        strength: float,
        start_percent: float,
        end_percent: float,
        positive: Any,
        negative: Any,
        image: "Tensor",
        model: Any,
        acts_on: ActsOn = "both",
        vae: Any = None,
    ) -> io.NodeOutput:
        from nodes import ControlNetApplyAdvanced

        check_controlnet(control_net_name, model)
        warn_of_colours(control_net_name, image)
        if strength == 0:
            return io.NodeOutput(positive, negative)
        net = load_controlnet(control_net_name, model)
        percents = (strength, start_percent, end_percent)
        apply = ControlNetApplyAdvanced().apply_controlnet
        steered = apply(positive, negative, net, image, *percents, vae)
        return io.NodeOutput(steered[0], steered[1] if acts_on == "both" else negative)
