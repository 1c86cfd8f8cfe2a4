"""What the panel, the WebUI's API and an infotext say of a dataset: one value."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import PureWindowsPath
from typing import Any

from ..core.counted import did_you_mean
from ..core.errors import InputError
from ..core.json_text import parse_json
from ..core.prompts import MAX_SEED

INFOTEXT = "Manyshot"
MOST_IMAGES = 1_000_000  # a class


@dataclass(frozen=True)
class Settings:
    """The order of the fields is the order of `script_args`; new ones come last.

    Texts have one thing a line, as those of the node Class Prompts. `images_per_class`: 1 and more;
    `seed`: 0 to 2**50 - 1; weights: 0 to 2.
    """

    output: str = ""
    """The dataset folder."""
    classes: str = ""
    """`name` or `name: words`; with subjects it may be empty."""
    templates: str = ""
    """Without any, the prompt of the page is the template."""
    contexts: str = ""
    negative: str = ""
    """Without one, the negative prompt of the page."""
    lists: str = ""
    images_per_class: int = 8
    seed: int = 0
    subjects: str = ""
    """A subject file of manyshot, or a folder of them."""
    subject_weight: float = 1.0
    masks: str = ""
    """A folder of control images, with or without a subfolder for each class."""
    control_model: str = ""
    control_module: str = ""
    control_weight: float = 1.0


TEXTS = ("classes", "templates", "contexts", "negative", "lists")  # stay as written
PATHS = ("output", "subjects", "masks")
NAMES = tuple(field.name for field in fields(Settings))


def from_args(values: Sequence[Any]) -> Settings:
    """The settings of `script_args`.

    Raises InputError for a wrong number of them, a wrong type, and a number out of its range.
    """
    if len(values) != len(NAMES):
        raise InputError(
            f"The script takes {len(NAMES)} arguments ({', '.join(NAMES)}), not {len(values)}."
        )
    return from_values(dict(zip(NAMES, values, strict=True)))


def from_values(values: Mapping[str, Any]) -> Settings:
    """Settings by their names; what is left out has its default. Raises InputError."""
    defaults = asdict(Settings())
    for name in values:
        if name not in defaults:
            raise InputError(f"There is no setting {name!r}.{did_you_mean(name, defaults)}")
    typed = {name: _cast(name, value, defaults[name]) for name, value in values.items()}
    settings = Settings(**typed)
    _check_range("images_per_class", settings.images_per_class, 1, MOST_IMAGES)
    _check_range("seed", settings.seed, 0, MAX_SEED)
    _check_range("subject_weight", settings.subject_weight, 0, 2)
    _check_range("control_weight", settings.control_weight, 0, 2)
    return settings


def to_infotext(settings: Settings) -> str:
    """The settings that are not their defaults, as the value of INFOTEXT in a picture's text.

    Pictures are shown to others: paths that say how this machine is laid out stay out.
    """
    defaults = asdict(Settings())
    changes = {name: value for name, value in asdict(settings).items() if value != defaults[name]}
    changes = {k: v for k, v in changes.items() if k not in PATHS or not is_absolute(v)}
    return json.dumps(changes, ensure_ascii=False)


def from_infotext(params: Mapping[str, Any]) -> Settings | None:
    """The settings in an infotext that the WebUI has parsed; None where there are none."""
    text = params.get(INFOTEXT)
    if not isinstance(text, str):
        return None
    try:
        values = parse_json(text)
        return from_values(values) if isinstance(values, dict) else None
    except (ValueError, InputError):
        return None  # a text from elsewhere: sending it must still bring the rest


def is_absolute(path: str) -> bool:
    """Whether a path begins at a root, a drive or a home folder, on any system."""
    return path.startswith(("/", "\\", "~")) or PureWindowsPath(path).drive != ""


def _cast(name: str, value: Any, default: Any) -> Any:
    """The value as the type of its default; gradio gives numbers as either kind."""
    if isinstance(default, str) and value is None:
        return ""
    if isinstance(default, str) and isinstance(value, str):
        return value if name in TEXTS else value.strip()
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if isinstance(default, float) and number:
        return float(value)
    if isinstance(default, int) and number and float(value).is_integer():
        return int(value)
    type_name = {str: "text", int: "a whole number", float: "a number"}[type(default)]
    raise InputError(f"The setting {name!r} is {str(value)[:60]!r}, but must be {type_name}.")


def _check_range(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise InputError(f"The setting {name!r} is {value}; allowed is {least} to {most}.")
