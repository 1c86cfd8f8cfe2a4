"""WebUI Prompt: a prompt of AUTOMATIC1111's WebUI, encoded with its meaning."""

from typing import Any, get_args

from comfy_api.latest import io

from ..core.errors import InputError
from ..core.webui_prompt.attention import chunks
from ..core.webui_prompt.read import parse
from ..core.webui_prompt.steps import schedule
from ..core.webui_prompt.values import Prompt
from ..core.webui_prompt.write import plain_text
from .schema import node_schema
from .webui_compose import composing
from .webui_conditioning import Sampling, encode_prompt, is_composed, is_edited
from .webui_encode import Weighting
from .webui_loras import file_states, find_loras, with_loras

NOT_WIRED = object()


class ManyshotWebUIPrompt(io.ComfyNode):
    """CLIP Text Encode for the WebUI's language: attention, edits, AND, LoRAs, BREAK."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return node_schema(
            node_id="ManyshotWebUIPrompt",
            display_name="WebUI Prompt",
            category="manyshot/prompts",
            search_aliases=["A1111", "AUTOMATIC1111", "Forge", "prompt weights", "prompt editing"],
            description="Encodes a prompt in the syntax of AUTOMATIC1111's WebUI or Forge, "
            "with the same meaning: (words:1.3), [from:to:0.5], [a|b], AND, "
            "BREAK and <lora:name:0.8>.",
            inputs=[*_prompt_inputs(), *_sampling_inputs(), _model_input()],
            outputs=[
                io.Conditioning.Output(display_name="conditioning", tooltip="For the sampler."),
                io.Model.Output(
                    display_name="model",
                    tooltip="The model with the prompt's LoRAs and AND parts: for the sampler.",
                ),
                io.Clip.Output(
                    display_name="clip",
                    tooltip="The text encoder with the prompt's LoRAs: for the negative prompt.",
                ),
                io.String.Output(
                    display_name="text",
                    tooltip="The plain words, as they apply at the end of sampling.",
                ),
            ],
        )

    @classmethod
    def validate_inputs(
        cls, text: str | None, steps: int | None = None, model: Any = NOT_WIRED
    ) -> bool | str:
        if text is None:
            return True  # wired to another node: known only when it runs
        try:
            _parse_supported(text, steps or 20, model is not NOT_WIRED)
        except InputError as error:
            return str(error)
        return True

    @classmethod
    def fingerprint_inputs(cls, text: str | None, **_inputs: Any) -> str:
        """New when a LoRA's file is: ComfyUI's cache knows only its name."""
        try:
            return file_states(parse(text or ""))
        except (InputError, OSError):
            return ""

    @classmethod
    def execute(
        cls,
        clip: Any,
        text: str,
        steps: int,
        scheduler: str,
        denoise: float,
        weighting: Weighting,
        model: Any = None,
    ) -> io.NodeOutput:
        prompt = _parse_supported(text, steps, model is not None)
        model, clip = with_loras(find_loras(prompt), model, clip)
        sampling = Sampling(steps, scheduler, denoise)
        conditioning = encode_prompt(prompt, model, clip, sampling, weighting)
        if is_composed(prompt):
            model = composing(model)
        words = plain_text(prompt, sampling.in_full)
        return io.NodeOutput(conditioning, _or_blocked(model), clip, words)


def _prompt_inputs() -> list[io.Input]:
    return [
        io.Clip.Input("clip", tooltip="The text encoder, before any LoRA of this prompt."),
        io.String.Input(
            "text",
            multiline=True,
            default="",
            tooltip="A prompt as in the WebUI. Name LoRAs and embeddings by file name, "
            "without 'embedding:'.",
        ),
    ]


def _sampling_inputs() -> list[io.Input]:
    from comfy.samplers import KSampler

    return [
        io.Int.Input(
            "steps",
            default=20,
            min=1,
            max=1000,
            tooltip="The sampler's steps, to time [from:to:0.5] and [a|b].",
        ),
        io.Combo.Input(
            "scheduler",
            options=list(KSampler.SCHEDULERS),
            default="normal",
            tooltip=(
                "The sampler's scheduler, for the same purpose. 'normal' is the WebUI's "
                "automatic one."
            ),
        ),
        io.Float.Input(
            "denoise",
            default=1.0,
            min=0.01,
            max=1.0,
            step=0.01,
            tooltip="The sampler's denoise, for the same purpose. As in the WebUI, edits "
            "count the steps that image to image would take at 1.",
        ),
        io.Combo.Input(
            "weighting",
            options=list(get_args(Weighting)),
            default="comfyui",
            tooltip="How to weight (words:1.3): like CLIP Text Encode, or like the WebUI "
            "(SD 1.x and 2.x).",
        ),
    ]


def _model_input() -> io.Input:
    return io.Model.Input(
        "model",
        optional=True,
        tooltip="The model that samples. Needed for LoRAs, AND and [from:to:0.5]; connect "
        "the sampler to this node's model output.",
    )


def _parse_supported(text: str, steps: int, has_model: bool) -> Prompt:
    """The prompt, if all of it can be done. Raises InputError."""
    prompt = parse(text)
    for subprompt in prompt.parts:
        for stretch in schedule(subprompt.phrase, steps):
            chunks(stretch.text)
    reason = _model_reason(prompt, bool(find_loras(prompt)))
    if reason and not has_model:
        raise InputError(
            f"The prompt has {reason}, which needs the model: connect WebUI Prompt's 'model' "
            "input, and the sampler to its 'model' output."
        )
    return prompt


def _model_reason(prompt: Prompt, has_loras: bool) -> str | None:
    if has_loras:
        return "a LoRA"
    if is_composed(prompt):
        return "AND" if len(prompt.parts) > 1 else "a weight at the end"
    if any(map(is_edited, prompt.parts)):
        return "an edit such as [from:to:0.5] or [a|b]"
    return None


def _or_blocked(model: Any) -> Any:
    """In place of no model the sentence that a node which uses it shows."""
    from comfy_execution.graph_utils import ExecutionBlocker

    return (
        model if model is not None else ExecutionBlocker("WebUI Prompt's 'model' is not connected.")
    )
