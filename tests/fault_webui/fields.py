"""The fields of a request for images, as the API checks them: types are coerced where they can be,
and a field that it does not know is dropped without a word."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .versions import Version


class WrongFields(Exception):
    """HTTP 422. `detail` is a list as FastAPI gives it."""

    def __init__(self, detail: list[dict[str, Any]]) -> None:
        super().__init__("wrong fields")
        self.detail = detail


def whole(value: Any) -> int:
    return int(value)


def number(value: Any) -> float:
    return float(value)


def text(value: Any) -> str:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)
    raise TypeError


def flag(value: Any) -> bool:
    words = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
    return words[str(value).lower()]


def listed(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    raise TypeError


def mapping(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise TypeError


@dataclass(frozen=True)
class Kind:
    """How a type is made of JSON, and what is said where it cannot be."""

    make: Callable[[Any], Any]
    message: str
    code: str
    schema: str


INTEGER = Kind(whole, "value is not a valid integer", "type_error.integer", "integer")
FLOAT = Kind(number, "value is not a valid float", "type_error.float", "number")
STRING = Kind(text, "str type expected", "type_error.str", "string")
BOOLEAN = Kind(flag, "value could not be parsed to a boolean", "type_error.bool", "boolean")
LIST = Kind(listed, "value is not a valid list", "type_error.list", "array")
DICT = Kind(mapping, "value is not a valid dict", "type_error.dict", "object")
Fields = dict[str, tuple[Kind, Any]]

BOTH: Fields = {
    "prompt": (STRING, ""),
    "negative_prompt": (STRING, ""),
    "styles": (LIST, None),
    "seed": (INTEGER, -1),
    "subseed": (INTEGER, -1),
    "subseed_strength": (FLOAT, 0),
    "seed_resize_from_h": (INTEGER, -1),
    "seed_resize_from_w": (INTEGER, -1),
    "sampler_name": (STRING, None),
    "batch_size": (INTEGER, 1),
    "n_iter": (INTEGER, 1),
    "steps": (INTEGER, 50),
    "cfg_scale": (FLOAT, 7.0),
    "width": (INTEGER, 512),
    "height": (INTEGER, 512),
    "restore_faces": (BOOLEAN, None),
    "tiling": (BOOLEAN, None),
    "do_not_save_samples": (BOOLEAN, False),
    "do_not_save_grid": (BOOLEAN, False),
    "eta": (FLOAT, None),
    "denoising_strength": (FLOAT, None),
    "s_min_uncond": (FLOAT, None),
    "s_churn": (FLOAT, None),
    "s_tmax": (FLOAT, None),
    "s_tmin": (FLOAT, None),
    "s_noise": (FLOAT, None),
    "override_settings": (DICT, None),
    "override_settings_restore_afterwards": (BOOLEAN, True),
    "refiner_checkpoint": (STRING, None),
    "refiner_switch_at": (FLOAT, None),
    "disable_extra_networks": (BOOLEAN, False),
    "firstpass_image": (STRING, None),
    "comments": (DICT, None),
    "sampler_index": (STRING, "Euler"),
    "script_name": (STRING, None),
    "script_args": (LIST, []),
    "send_images": (BOOLEAN, True),
    "save_images": (BOOLEAN, False),
    "alwayson_scripts": (DICT, {}),
}
TXT2IMG: Fields = {
    "enable_hr": (BOOLEAN, False),
    "firstphase_width": (INTEGER, 0),
    "firstphase_height": (INTEGER, 0),
    "hr_scale": (FLOAT, 2.0),
    "hr_upscaler": (STRING, None),
    "hr_second_pass_steps": (INTEGER, 0),
    "hr_resize_x": (INTEGER, 0),
    "hr_resize_y": (INTEGER, 0),
    "hr_checkpoint_name": (STRING, None),
    "hr_sampler_name": (STRING, None),
    "hr_prompt": (STRING, ""),
    "hr_negative_prompt": (STRING, ""),
}
IMG2IMG: Fields = {
    "denoising_strength": (FLOAT, 0.75),
    "init_images": (LIST, None),
    "resize_mode": (INTEGER, 0),
    "image_cfg_scale": (FLOAT, None),
    "mask": (STRING, None),
    "mask_blur_x": (INTEGER, 4),
    "mask_blur_y": (INTEGER, 4),
    "mask_blur": (INTEGER, None),
    "mask_round": (BOOLEAN, True),
    "inpainting_fill": (INTEGER, 0),
    "inpaint_full_res": (BOOLEAN, True),
    "inpaint_full_res_padding": (INTEGER, 0),
    "inpainting_mask_invert": (INTEGER, 0),
    "initial_noise_multiplier": (FLOAT, None),
    "latent_mask": (STRING, None),
    "include_init_images": (BOOLEAN, False),
}
TASK: Fields = {"force_task_id": (STRING, None), "infotext": (STRING, None)}


def known_fields(version: Version, from_image: bool) -> Fields:
    """The fields of txt2img or img2img in this version."""
    fields = {**BOTH, **(IMG2IMG if from_image else TXT2IMG)}
    if version.scheduler_field:
        fields["scheduler"] = (STRING, None)
        if not from_image:
            fields["hr_scheduler"] = (STRING, None)
    return {**fields, **(TASK if version.task_ids else {})}


def read_fields(body: Any, fields: Fields) -> dict[str, Any]:
    """Every known field, coerced or at its default. Raises WrongFields."""
    if body is None:
        missing = {"loc": ["body"], "msg": "field required", "type": "value_error.missing"}
        raise WrongFields([missing])
    if not isinstance(body, dict):
        raise WrongFields([_wrong([], DICT)])
    read, wrong = {}, []
    for name, (kind, default) in fields.items():
        value = body.get(name)
        try:
            read[name] = (
                default if name not in body else None if value is None else kind.make(value)
            )
        except (TypeError, ValueError, KeyError, OverflowError):
            wrong.append(_wrong([name], kind))
    if wrong:
        raise WrongFields(wrong)
    return read


def schema(fields: Fields) -> dict[str, Any]:
    """As /openapi.json describes them."""
    return {
        "type": "object",
        "properties": {
            name: {"title": name.replace("_", " ").title(), "type": kind.schema, "default": default}
            for name, (kind, default) in fields.items()
        },
    }


def _wrong(where: list[str], kind: Kind) -> dict[str, Any]:
    return {"loc": ["body", *where], "msg": kind.message, "type": kind.code}
