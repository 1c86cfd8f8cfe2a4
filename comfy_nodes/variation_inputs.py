"""What Vary Mask and Compose Masks share: how far things move, and onto which canvas."""

from comfy_api.latest import io

from ..core.errors import InputError
from ..core.masks.geometry import Size
from ..core.masks.variation import Variation
from ..core.prompts import MAX_SEED

MOST_SIDE = 2**14
WIDEST_BORDER = 100


def range_inputs(defaults: Variation) -> list[io.Input]:
    """The ranges that a transform is drawn from."""
    return [
        _share("flip", defaults.flip, "Probability of mirroring."),
        io.Float.Input(
            "rotate",
            default=defaults.rotate,
            min=0.0,
            max=180.0,
            step=1.0,
            tooltip="Maximum rotation in degrees, either way.",
        ),
        _scale("scale_from", defaults.scale[0], "Smallest scale factor."),
        _scale("scale_to", defaults.scale[1], "Largest scale factor."),
        _share("shift", defaults.shift, "Maximum shift, as a share of width and height."),
        _share(
            "visible",
            defaults.visible,
            "Minimum share of each object that stays visible. Ranges shrink until it does.",
        ),
    ]


def canvas_inputs(seed_tooltip: str) -> list[io.Input]:
    """Size, seed, and the open outline."""
    return [
        _side("width"),
        _side("height"),
        io.Int.Input(
            "seed",
            default=0,
            min=0,
            max=MAX_SEED,
            control_after_generate=True,
            tooltip=seed_tooltip,
        ),
        io.Int.Input(
            "border",
            default=-1,
            min=-1,
            max=WIDEST_BORDER,
            tooltip="Width in pixels of the unlabelled outline around objects, redrawn on "
            "either side of the edge. -1 keeps it, scaled with its object.",
        ),
    ]


def scale_range(scale_from: float, scale_to: float) -> tuple[float, float]:
    """From and to. Raises InputError when they are the wrong way round."""
    if not 0 < scale_from <= scale_to:
        raise InputError(
            f"scale_from is {scale_from:g} and scale_to {scale_to:g}: both must be above 0, "
            "and scale_to not below scale_from."
        )
    return scale_from, scale_to


def outline_width(border: int, mask_classes: object, control: object) -> int | None:
    """The width of a new outline, None for none.

    Raises InputError where there can be none: beside a plain mask, which has no value for it, and
    beside a control image, which would keep the old one.
    """
    if border < 0:
        return None
    if border > WIDEST_BORDER:
        raise InputError(f"A border is at most {WIDEST_BORDER} pixels wide.")
    if not mask_classes:
        raise InputError("A border needs a label mask: connect mask_classes, or set border to -1.")
    if control:
        raise InputError(
            "With a new border the control image would no longer match: set border to -1, "
            "or draw the control image from this node's mask with Mask to Control."
        )
    return border


def canvas_size(width: int, height: int) -> Size | None:
    """Height and width of the canvas, None for the mask's own. Raises InputError for one of two."""
    if bool(width) != bool(height):
        raise InputError("Set both width and height, or both to 0 to keep the mask's size.")
    return (height, width) if width else None


def _share(name: str, default: float, tooltip: str) -> io.Input:
    return io.Float.Input(name, default=default, min=0.0, max=1.0, step=0.05, tooltip=tooltip)


def _scale(name: str, default: float, tooltip: str) -> io.Input:
    return io.Float.Input(name, default=default, min=0.05, max=10.0, step=0.05, tooltip=tooltip)


def _side(name: str) -> io.Input:
    return io.Int.Input(
        name,
        default=0,
        min=0,
        max=MOST_SIDE,
        step=8,
        tooltip=f"Output {name} in pixels. 0: same as the input.",
    )
