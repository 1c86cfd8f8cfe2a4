"""The ControlNet extension: its units, as it checks them, and what it leaves in the infotext."""

from hashlib import sha256
from typing import Any

from PIL import Image, ImageOps

from .installed import Installed
from .pictures import decoded
from .versions import Version

CHOICES = {
    "resize_mode": ("Just Resize", "Crop and Resize", "Resize and Fill"),
    "control_mode": ("Balanced", "My prompt is more important", "ControlNet is more important"),
}
SHOWN: dict[str, Any] = {
    "module": "none",
    "model": "None",
    "weight": 1.0,
    "resize_mode": "Crop and Resize",
    "processor_res": 512,
    "threshold_a": 0.5,
    "threshold_b": 0.5,
    "guidance_start": 0.0,
    "guidance_end": 1.0,
    "pixel_perfect": False,
    "control_mode": "Balanced",
}
Unit = dict[str, Any]


class WrongUnit(Exception):
    """The extension does not take a unit."""


def enabled_units(args: list[Any], installed: Installed, version: Version) -> tuple[Unit, ...]:
    """The units that take part; those beyond the extension's slots are left out without a word.
    Raises WrongUnit for one with a wrong value, whether it is enabled or not."""
    units = [unit for unit in args[: installed.slots] if isinstance(unit, dict)]
    for unit in units:
        _check(unit, installed)
    return tuple(unit for unit in units if unit.get("enabled", version.units_enabled))


def maps(
    units: tuple[Unit, ...], installed: Installed, sizes: list[tuple[int, int]]
) -> list[Image.Image]:
    """What each unit was controlled by, in these sizes, but for units that hide theirs. Raises
    WrongUnit where one lacks its model or its image."""
    images = [_image(unit, installed) for unit in units]
    shown = [unit.get("save_detected_map", True) for unit in units]
    return [
        ImageOps.fit(image, size)
        for image, show in zip(images, shown, strict=True)
        for size in sizes
        if show
    ]


def digest(units: tuple[Unit, ...]) -> str:
    """What decides the pixels."""
    return sha256(repr([sorted(unit.items()) for unit in units]).encode()).hexdigest()


def unit_facts(units: tuple[Unit, ...]) -> dict[str, str]:
    """What the infotext says, even of a unit that fails afterwards."""
    return {f"ControlNet {number}": _facts(unit) for number, unit in enumerate(units)}


def _check(unit: Unit, installed: Installed) -> None:
    for name, values in {"module": installed.modules, **CHOICES}.items():
        if name in unit and unit[name] not in values:
            raise WrongUnit(f"{name}\n  {name}({unit[name]}) not found in supported {name}s.")
    if not 0 <= float(unit.get("weight", 1)) <= 2:
        raise WrongUnit("weight\n  ensure this value is less than or equal to 2.0")
    start, end = unit.get("guidance_start", 0), unit.get("guidance_end", 1)
    if start > end:
        raise WrongUnit(f"__root__\n  guidance_start({start}) > guidance_end({end})")


def _image(unit: Unit, installed: Installed) -> Image.Image:
    known = {*installed.controls, *(name.partition(" [")[0] for name in installed.controls)}
    if unit.get("model", "None") not in known:
        raise WrongUnit(f"model not found: {unit.get('model')}")
    image = unit.get("image", unit.get("input_image"))
    image = image.get("image") if isinstance(image, dict) else image
    if not isinstance(image, str):
        raise WrongUnit("controlnet is enabled but no input image is given")
    try:
        return decoded(image).convert("RGB")
    except (ValueError, OSError) as error:
        raise WrongUnit("Invalid encoded image") from error


def _facts(unit: Unit) -> str:
    pairs = {name: unit.get(name, default) for name, default in SHOWN.items()}
    pairs["weight"] = float(pairs["weight"])
    return ", ".join(f"{name.replace('_', ' ').title()}: {value}" for name, value in pairs.items())
