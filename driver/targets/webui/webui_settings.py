"""How WebUIs draw the jobs of a recipe: its key `webui`."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Discriminator, Field, Tag, ValidationError

from ....core.counted import did_you_mean
from ....core.errors import InputError
from ....core.recipe_file import parse_recipe_data
from ....core.webui_facts import SIDE
from ...inputs import FileInput, Scalar, StrictModel
from ..base import TargetSettings

Reference = Annotated[str, Field(pattern=r"^[$@].+")]
"""`$name`, a field of the job, or `@address`, the value or the picture that it has there."""


def _kind(value: Any) -> str:
    return "reference" if isinstance(value, str) else "value"


Side = Annotated[int, Field(ge=64, le=16384, multiple_of=SIDE)]
Whole = Annotated[
    Annotated[int, Field(ge=1, le=1000), Tag("value")] | Annotated[Reference, Tag("reference")],
    Discriminator(_kind),
]
Length = Annotated[
    Annotated[Side, Tag("value")] | Annotated[Reference, Tag("reference")], Discriminator(_kind)
]
Number = Annotated[
    Annotated[float, Tag("value")] | Annotated[Reference, Tag("reference")], Discriminator(_kind)
]
Picture = Annotated[
    Annotated[FileInput, Tag("value")] | Annotated[Reference, Tag("reference")],
    Discriminator(_kind),
]


class Lora(StrictModel):
    """A LoRA as prompts of the WebUI name it."""

    name: str = Field(description="Without folder and suffix; $subject: the class's subject.")
    weight: Number = 1.0


class Unit(StrictModel):
    """One unit of ControlNet, in the words of its API."""

    model: str = Field(description="As ControlNet lists it, with or without its hash.")
    image: Picture = Field(description="$control, $image, or a picture ({file: …}, {folder: …}).")
    module: str = Field(default="none", description="A preprocessor; none: the image as it is.")
    weight: Number = Field(default=1.0)
    guidance_start: Number = 0.0
    guidance_end: Number = 1.0
    control_mode: Literal[
        "Balanced", "My prompt is more important", "ControlNet is more important"
    ] = "Balanced"
    resize_mode: Literal["Just Resize", "Crop and Resize", "Resize and Fill"] = "Crop and Resize"
    processor_res: int = -1
    threshold_a: float = -1
    threshold_b: float = -1


class Hires(StrictModel):
    """The second, larger pass of txt2img."""

    upscaler: str = "Latent"
    scale: float = Field(default=2.0, gt=1, le=8)
    steps: int = Field(default=0, ge=0, description="0: as many as in the first pass.")
    denoising_strength: Number = 0.7


class WebUISettings(TargetSettings):
    """Settings of txt2img; with `init_image` of img2img; with `mask` of inpainting.

    None is read from the workflow, or is the WebUI's own default.
    """

    language: Literal["webui", "comfyui"] = Field(
        default="webui",
        description="Syntax of the prompts. comfyui: as CLIP Text Encode reads them, "
        "translated for the WebUI.",
    )
    checkpoint: str | None = Field(default=None, description="As the WebUI lists it.")
    vae: str | None = Field(default=None, description="Its file name; default: Automatic.")
    clip_skip: Whole | None = Field(default=None, description="1: CLIP's last layer.")
    loras: list[Lora] | None = Field(default=None, description="Added to every prompt.")
    subject_weight: float = Field(default=1.0, description="Of a subject's LoRA.")
    sampler: str | None = Field(default=None, description="Such as Euler a, or DPM++ 2M.")
    scheduler: str | None = Field(default=None, description="Such as Karras; or Automatic.")
    steps: Whole | None = None
    cfg_scale: Number | None = None
    width: Length | None = Field(default=None, description="With `init_image` that picture's.")
    height: Length | None = None
    init_image: Picture | None = Field(default=None, description="$image or a picture: img2img.")
    denoising_strength: Number | None = None
    resize_mode: Literal["Just resize", "Crop and resize", "Resize and fill"] = "Just resize"
    mask: Picture | None = Field(default=None, description="White areas are redrawn.")
    mask_blur: int = Field(default=4, ge=0, le=64)
    fill: Literal["fill", "original", "latent noise", "latent nothing"] = "original"
    only_masked: bool = Field(default=False, description="Draw only the area around the mask.")
    only_masked_padding: int = Field(default=32, ge=0, le=256)
    controlnet: list[Unit] | None = None
    hires: Hires | None = None
    options: dict[str, Scalar] = Field(
        default={}, description="Further settings of the WebUI, by their names in its API."
    )
    fields: dict[str, Scalar] = Field(
        default={}, description="Further fields of txt2img or img2img, by their names in the API."
    )


DEFAULTS: dict[str, Any] = {
    "clip_skip": 1,
    "loras": [],
    "sampler": "DPM++ 2M",
    "scheduler": "Automatic",
    "steps": 20,
    "cfg_scale": 7.0,
    "width": 512,
    "height": 512,
    "denoising_strength": 0.75,
    "controlnet": [],
}
"""What neither the recipe nor its workflow says: the defaults of the WebUI's page."""


def complete(settings: WebUISettings | None, read: dict[str, Any]) -> WebUISettings:
    """`settings` with what they leave out, from what was `read` of the workflow, then DEFAULTS.

    Image to image keeps its picture's size where nothing says one. Raises InputError for values
    out of range that were read.
    """
    recipe_values = (
        {} if settings is None else settings.model_dump(exclude_none=True, exclude_unset=True)
    )
    both = {
        name: {**read.get(name, {}), **recipe_values.get(name, {})}
        for name in ("options", "fields")
    }
    values = {**read, **recipe_values, **both}
    sized = ("width", "height") if "init_image" in values else ()
    defaults = {name: value for name, value in DEFAULTS.items() if name not in sized}
    return parse_recipe_data(WebUISettings, {**defaults, **values}, "'webui' with the workflow's")


Key = str


def map_leaves(value: Any, leaf: Callable[[Key, Any], Any], key: Key = "") -> Any:
    """The tree below `value` as dicts and lists, each leaf replaced by what `leaf` makes of it."""
    if isinstance(value, list):
        return [map_leaves(item, leaf, f"{key}.{number}") for number, item in enumerate(value)]
    if isinstance(value, BaseModel) and not isinstance(value, FileInput):
        above = f"{key}." if key else ""
        names = type(value).model_fields
        return {name: map_leaves(getattr(value, name), leaf, above + name) for name in names}
    return leaf(key, value)


def leaves(settings: WebUISettings) -> dict[Key, Any]:
    """Key -> value, of all values."""
    values: dict[Key, Any] = {}
    map_leaves(settings, values.setdefault)
    return values


def check_value(settings: WebUISettings, key: Key, value: Any) -> None:
    """Raises InputError when `settings` have no such key, or it cannot have that value."""
    keys = leaves(settings)
    if key not in keys:
        raise InputError(f"'sweep': there is no 'webui.{key}'.{did_you_mean(key, keys)}")
    try:
        WebUISettings.model_validate(
            map_leaves(settings, lambda k, old: value if k == key else _plain(old))
        )
    except ValidationError as error:
        reason = error.errors()[0]["msg"]
        raise InputError(f"'sweep': webui.{key} cannot be {value!r}: {reason}.") from None


def _plain(value: Any) -> Any:
    return value.model_dump() if isinstance(value, FileInput) else value
