"""The ControlNet extension: its units, as it checks them, and what it leaves in the infotext."""

from hashlib import sha256
from typing import Any

from PIL import Image

from .installed import Installed
from .pictures import decoded
from .versions import Version

RESIZE = ("Just Resize", "Crop and Resize", "Resize and Fill")
MODES = ("Balanced", "My prompt is more important", "ControlNet is more important")
CHOICES = {"resize_mode": RESIZE, "control_mode": MODES}
SHOWN = {
    "module": "none",
    "model": "None",
    "weight": 1.0,
    "resize_mode": "Crop and Resize",
    "processor_res": -1,
    "threshold_a": -1.0,
    "threshold_b": -1.0,
    "guidance_start": 0.0,
    "guidance_end": 1.0,
    "pixel_perfect": False,
    "control_mode": "Balanced",
}


class WrongUnit(Exception):
    """The extension does not take a unit: HTTP 500, or nothing at all in Forge."""


def enabled_units(
    args: list[Any], installed: Installed, version: Version
) -> tuple[dict[str, Any], ...]:
    """The units that take part. Raises WrongUnit for one that names what is not installed, whether
    it is enabled or not."""
    units = [unit for unit in args if isinstance(unit, dict)]
    for unit in units:
        _check(unit, installed)
    return tuple(unit for unit in units if unit.get("enabled", version.units_enabled))


def maps(units: tuple[dict[str, Any], ...]) -> list[Image.Image]:
    """What each unit was controlled by. Raises WrongUnit where one lacks its model or its image."""
    return [_image(unit) for unit in units]


def digest(image: Image.Image) -> str:
    return sha256(image.tobytes()).hexdigest()


def unit_facts(units: tuple[dict[str, Any], ...]) -> dict[str, str]:
    """What the infotext says, even of a unit that fails afterwards."""
    return {f"ControlNet {number}": _facts(unit) for number, unit in enumerate(units)}


def _check(unit: dict[str, Any], installed: Installed) -> None:
    known = {"model": ("None", *installed.controls), "module": ("None", *installed.modules)}
    for name, values in {**known, **CHOICES}.items():
        if name in unit and unit[name] not in values:
            raise WrongUnit(f"{name}({unit[name]}) not found in supported {name}s.")
    if not 0 <= float(unit.get("weight", 1)) <= 2:
        raise WrongUnit("ensure this value is less than or equal to 2.0")


def _image(unit: dict[str, Any]) -> Image.Image:
    if unit.get("model", "None") == "None":
        raise WrongUnit("You have not selected any ControlNet Model.")
    image = unit.get("image", unit.get("input_image"))
    image = image.get("image") if isinstance(image, dict) else image
    if not isinstance(image, str):
        raise WrongUnit("controlnet is enabled but no input image is given")
    try:
        return decoded(image).convert("RGB")
    except (ValueError, OSError) as error:
        raise WrongUnit("Invalid encoded image") from error


def _facts(unit: dict[str, Any]) -> str:
    pairs = {name: unit.get(name, default) for name, default in SHOWN.items()}
    return ", ".join(f"{name.replace('_', ' ').title()}: {value}" for name, value in pairs.items())
