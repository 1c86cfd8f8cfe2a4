"""Widgets of a node class as the front end builds them, and the values a file holds for them.

A file holds widget values by position only, so what matters is which widgets a class has, in
which order, which take a place in `widgets_values`, and which are sent to the server. Follows
ComfyUI_frontend 1.32.9 (litegraphService, useIntWidget, useComboWidget, uploadImage, uploadAudio).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .canvas import CanvasInput, CanvasNode
from .catalogue import COMBO, MATCH_TYPE, InputSpec, NodeSpec
from .dynamic_inputs import expand
from .dynamic_prompts import first_choice

WIDGET_TYPES = frozenset(
    ("INT", "FLOAT", "BOOLEAN", "STRING", COMBO, "MARKDOWN", "TEXTAREA", "COLOR", "CHART")
    + ("IMAGECOMPARE", "GALLERIA", "IMAGEUPLOAD", "AUDIO_UI", "AUDIOUPLOAD", "AUDIO_RECORD")
    + ("WEBCAM", "LOAD_3D", "PREVIEW_3D")
)
SEEDS = ("seed", "noise_seed")  # by an old convention these get a control widget undeclared
AUDIO_PLAYERS = ("LoadAudio", "SaveAudio", "PreviewAudio", "SaveAudioMP3", "SaveAudioOpus")
UPLOAD_KEYS = ("image_upload", "video_upload", "animated_image_upload")
MAX_OPTIONS = 100  # of a Custom Combo
ZERO = {"INT": 0, "FLOAT": 0, "BOOLEAN": False, "STRING": ""}


@dataclass(frozen=True)
class Widget:
    """One widget: `saved` takes a place in widgets_values, `sent` goes to the server."""

    name: str
    default: Any = None
    saved: bool = True
    sent: bool = True


def is_widget(spec: InputSpec) -> bool:
    """Whether the front end shows this input as a widget (with a socket beside it)."""
    shown = widget_type(spec) in WIDGET_TYPES or bool(spec.extra.get("socketless"))
    return shown and not spec.extra.get("forceInput")


def widget_type(spec: InputSpec) -> str:
    return str(spec.extra.get("widgetType") or spec.type)


def list_widgets(node: NodeSpec) -> list[Widget]:
    """The widgets of a node class, in the order of the canvas."""
    widgets = [
        widget
        for spec in node.inputs.values()
        if is_widget(spec)
        for widget in _widgets_of_input(spec)
    ]
    return widgets + list(list_extension_widgets(node))


def list_slots(node: NodeSpec, file_slots: tuple[CanvasInput, ...]) -> tuple[CanvasInput, ...]:
    """The input slots in the definition's order (sockets, then widgets), with the file's links.

    Slots that the definition lacks follow, unless they belong to a widget that is gone.
    """
    links = {slot.name: slot.link for slot in file_slots}
    types = {slot.name: slot.type for slot in file_slots}
    specs = sorted(node.inputs.values(), key=is_widget)
    defined = [
        CanvasInput(
            s.name, _slot_type(s, types), links.get(s.name), s.name if is_widget(s) else None
        )
        for s in specs
        if not (s.extra.get("socketless") and is_widget(s))
    ]
    extra = [slot for slot in file_slots if slot.name not in node.inputs and slot.widget is None]
    return (*defined, *extra)


def _slot_type(spec: InputSpec, file_types: Mapping[str, str]) -> str:
    """A match type is what the canvas made of it, else what it allows."""
    if spec.type != MATCH_TYPE:
        return spec.type
    template = spec.extra.get("template")
    allowed = template.get("allowed_types") if isinstance(template, Mapping) else None
    return file_types.get(spec.name) or str(allowed or "*")


def read_node(
    node: CanvasNode, spec: NodeSpec, recent: bool = False
) -> tuple[NodeSpec, dict[str, Any]]:
    """The node class as this node expands it, and the value of every widget by name.

    A combo's value says which widgets follow it, so each round reads one dynamic combo more.
    `recent`: as front ends since 2026 do, an upload without a file's name stays without, and
    players and previews send nothing.
    """
    slots = dict.fromkeys(slot.name for slot in node.inputs)
    expanded = expand(spec, slots)
    values = _read_values(node, expanded, recent)
    while (further := expand(spec, slots | values)).inputs.keys() != expanded.inputs.keys():
        expanded, values = further, _read_values(node, further, recent)
    return expanded, values


def _read_values(node: CanvasNode, spec: NodeSpec, recent: bool) -> dict[str, Any]:
    """The value of every widget by name, also of those not sent."""
    widgets = [widget for widget in list_widgets(spec) if widget.saved or not recent]
    values = {widget.name: widget.default for widget in widgets}
    if isinstance(node.values, dict):
        return values | {name: node.values[name] for name in values if name in node.values}
    saved = [widget.name for widget in widgets if widget.saved]
    saved_values = _without_forced(spec, widgets, node.values)
    return _tidy(values | dict(zip(saved, saved_values, strict=False)), spec, recent)


def select_sent(values: Mapping[str, Any], spec: NodeSpec) -> dict[str, Any]:
    """The inputs that widgets send: lists wrapped, `{a|b}` texts resolved where declared."""
    sent = {widget.name for widget in list_widgets(spec) if widget.sent}
    return {
        name: wrap_list(_resolve(value, spec.inputs.get(name)))
        for name, value in values.items()
        if name in sent and value is not MISSING
    }


def wrap_list(value: Any) -> Any:
    """A list is wrapped, so that the server does not take it for a link."""
    return {"__value__": value} if isinstance(value, list) else value


class _Missing:
    """A combo without options has no value, and is then not sent at all."""


MISSING = _Missing()


def _widgets_of_input(spec: InputSpec) -> Iterator[Widget]:
    yield Widget(spec.name, _default(spec))
    kind = widget_type(spec)
    control = spec.extra.get("control_after_generate")
    if control or (control is None and kind == "INT" and spec.name in SEEDS):
        if kind in ("INT", COMBO):
            yield Widget("control_after_generate", "randomize", sent=False)
        if kind == COMBO:
            yield Widget("control_filter_list", "", sent=False)


def _default(spec: InputSpec) -> Any:
    kind = widget_type(spec)
    if kind == COMBO:
        first = spec.options[0] if spec.options else MISSING
        return spec.default or first
    return spec.default if spec.default is not None else ZERO.get(kind, "")


def list_extension_widgets(node: NodeSpec) -> Iterator[Widget]:
    """Widgets that no definition holds: players, previews, and the upload button.

    The server passes over what the first two send.
    """
    if node.class_type in AUDIO_PLAYERS and "audioUI" not in node.inputs:
        yield Widget("audioUI", "", saved=False)
    required = [spec for spec in node.inputs.values() if spec.required]
    if any(spec.type == COMBO and any(map(spec.extra.get, UPLOAD_KEYS)) for spec in required):
        yield Widget("upload", "image", sent=False)
    elif any(spec.name == "audio" and spec.extra.get("audio_upload") for spec in required):
        yield Widget("upload", "", sent=False)
    if node.class_type in ("Preview3D", "SaveGLB"):
        yield Widget("image", "")
    if node.class_type == "PreviewAny":
        yield Widget("preview", "", saved=False)
    if node.class_type == "CustomCombo":
        yield from _custom_options()


def _custom_options() -> Iterator[Widget]:
    """The options that a user writes into a Custom Combo, and the place of the chosen one."""
    yield Widget("index", 0)
    yield from (Widget(f"option{number}", MISSING) for number in range(1, MAX_OPTIONS + 1))


def _without_forced(spec: NodeSpec, widgets: list[Widget], values: list[Any]) -> list[Any]:
    """Files from before front end 1.16 hold a dummy value for every forceInput input."""
    names = {widget.name for widget in widgets}
    old = [s for s in spec.inputs.values() if s.name in names or s.extra.get("forceInput")]
    controls = sum(bool(s.extra.get("control_after_generate")) or s.name in SEEDS for s in old)
    added = sum(name in names and name not in spec.inputs for name in ("upload", "audioUI"))
    if len(old) + controls + added != len(values):
        return values
    forced = {index for index, s in enumerate(old) if s.extra.get("forceInput")}
    return [value for index, value in enumerate(values) if index not in forced]


def _tidy(values: dict[str, Any], spec: NodeSpec, recent: bool) -> dict[str, Any]:
    """What the front end mends on opening: old spellings, and uploads without a file's name."""
    for name, declared in () if recent else spec.inputs.items():
        if declared.type == COMBO and any(map(declared.extra.get, UPLOAD_KEYS)):
            values[name] = values.get(name) or _default(declared)
    sampler = values.get("sampler_name")
    if spec.class_type in ("KSampler", "KSamplerAdvanced") and isinstance(sampler, str):
        values["sampler_name"] = sampler.removeprefix("sample_")
    return values


def _resolve(value: Any, spec: InputSpec | None) -> Any:
    if spec is None or not isinstance(value, str) or not spec.extra.get("dynamicPrompts"):
        return value
    return first_choice(value)
