"""The panel of the script: a control for each setting, in the order of `script_args`."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import gradio as gr

from .script_settings import INFOTEXT, NAMES, PATHS, Settings, from_infotext

Field = tuple[Any, Callable[[dict[str, Any]], Any]]


def panel(elem_id: Callable[[str], str]) -> list[Any]:
    """The controls, one for each of settings.NAMES. Called inside of a gradio Blocks."""
    controls: dict[str, Any] = {}

    def text(name: str, label: str, hint: str, lines: int = 1) -> None:
        controls[name] = gr.Textbox(
            label=label, value="", lines=lines, placeholder=hint, elem_id=elem_id(name)
        )

    def weight(name: str, label: str) -> None:
        controls[name] = gr.Slider(0, 2, value=1.0, step=0.05, label=label, elem_id=elem_id(name))

    text("output", "Dataset folder", "A folder on this machine; a run continues what is there")
    text("classes", "Classes", "One per line: name, or name: words for the prompt", 4)
    text("templates", "Templates", "a photo of a {class_name}, {context}  (default: the prompt)", 2)
    with gr.Row():
        text("contexts", "Contexts", "Places, poses, light, one per line: {context}", 2)
        text("lists", "Word lists", "name: value, value  for __name__", 2)
    text("negative", "Negative", "Default: the negative prompt above")
    with gr.Row():
        controls["images_per_class"] = gr.Number(
            value=8, precision=0, label="Images per class", elem_id=elem_id("images_per_class")
        )
        controls["seed"] = gr.Number(value=0, precision=0, label="Seed", elem_id=elem_id("seed"))
    with gr.Accordion("Subjects", open=False, elem_id=elem_id("subjects_group")):
        text("subjects", "Subjects", "A subject file trained by manyshot, or a folder of them")
        weight("subject_weight", "Weight of the subjects' LoRA")
    with gr.Accordion("Masks for ControlNet", open=False, elem_id=elem_id("masks_group")):
        text("masks", "Masks", "A folder of control images, or of one folder per class")
        text("control_model", "ControlNet model", "The name in the ControlNet panel")
        text("control_module", "Preprocessor", "None, because masks already are control images")
        weight("control_weight", "Weight of ControlNet")
    return [controls[name] for name in NAMES]


def infotext_fields(controls: list[Any]) -> list[Field]:
    """What "send to" puts into each control: the value in the picture's text."""
    return [(control, _reader(name)) for name, control in zip(NAMES, controls, strict=True)]


def paste_field_names() -> list[str]:
    return [INFOTEXT]


def _reader(name: str) -> Callable[[dict[str, Any]], Any]:
    def read(params: dict[str, Any]) -> Any:
        settings: Settings | None = from_infotext(params)
        value = None if settings is None else asdict(settings)[name]
        return None if name in PATHS and not value else value  # None leaves what stands there

    return read
