"""What is wrong with a literal for an input, in a few words."""

import math
import re
from typing import Any

from ...core.counted import closest_match
from .catalogue import COMBO, InputSpec
from .graph import shorten

SHOWN_OPTIONS = 6


def check_value(spec: InputSpec, value: Any) -> str | None:
    """What is wrong with a literal for an input; None when it fits."""
    if isinstance(value, dict) and "__value__" in value:
        value = value["__value__"]
    if spec.type == COMBO:
        return _check_option(spec, value)
    kind = _KINDS.get(spec.type)
    if kind is None:
        return None
    noun, fits = kind
    if not fits(value):
        return f"{show(value)} is not {noun}."
    return _check_range(spec, value) if spec.type in ("INT", "FLOAT") else None


def _is_int(value: Any) -> bool:
    """Whole numbers, also written as 8.0 or "8"; True is a switch and no number."""
    if isinstance(value, bool):
        return False
    if isinstance(value, str):
        return re.fullmatch(r"\s*[+-]?\d{1,20}\s*", value) is not None
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())


def _is_float(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    try:
        return isinstance(value, int | float | str) and math.isfinite(float(value))
    except (ValueError, OverflowError):
        return False


def _is_text(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _is_switch(value: Any) -> bool:
    return isinstance(value, bool) or (isinstance(value, int) and value in (0, 1))


_KINDS = {
    "INT": ("a whole number", _is_int),
    "FLOAT": ("a number", _is_float),
    "STRING": ("a text", _is_text),
    "BOOLEAN": ("true or false", _is_switch),
}


def _check_range(spec: InputSpec, value: Any) -> str | None:
    number = int(value) if spec.type == "INT" else float(value)
    if spec.minimum is not None and number < spec.minimum:
        return f"{show(value)} is below the smallest value, {spec.minimum}."
    if spec.maximum is not None and number > spec.maximum:
        return f"{show(value)} is above the largest value, {spec.maximum}."
    return None


def _check_option(spec: InputSpec, value: Any) -> str | None:
    """Remote lists and names of uploaded files in folders cannot be checked here."""
    if spec.remote or spec.options is None:
        return None
    if isinstance(value, list):
        wrong = next((item for item in value if item not in spec.options), None)
        return None if wrong is None else _not_an_option(spec, wrong)
    if value in spec.options or (spec.upload and _names_other_folder(value)):
        return None
    return _not_an_option(spec, value)


def _names_other_folder(value: Any) -> bool:
    """`folder/a.png`, or `a.png [output]`: the option list holds only the top input folder."""
    if not isinstance(value, str) or ".." in value.split("/"):
        return False
    return "/" in value or value.endswith("]")


def _not_an_option(spec: InputSpec, value: Any) -> str:
    options = [str(option) for option in spec.options or ()]
    if not options:
        return f"the server has no {show(value)}; it has no file for this input at all."
    near = closest_match(str(value), options)
    hint = f" The nearest is {shorten(near)!r}." if near else ""
    shown = ", ".join(shorten(option, 40) for option in options[:SHOWN_OPTIONS])
    more = f" and {len(options) - SHOWN_OPTIONS} more" if len(options) > SHOWN_OPTIONS else ""
    return f"the server has no {show(value)}.{hint} It has {shown}{more}."


def show(value: Any) -> str:
    """A value in a sentence: short, on one line."""
    return shorten(repr(value), 80)
