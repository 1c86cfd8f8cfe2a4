"""The recipe's `pairs`: which labelled photos there are, and what becomes of them."""

from dataclasses import replace
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from ...core.file_kinds import Layout
from ...core.masks.colours import ControlPalette
from ...core.masks.variation import Variation
from ...core.user_path import UserPath
from ..inputs import StrictModel

DEFAULTS = Variation(cover=True)
STILL = Variation(flip=0.0, rotate=0.0, scale=(1.0, 1.0), shift=0.0, shear=0.0)
MOST_SIDE = 2**14
Share = Annotated[float, Field(ge=0, le=1)]
Side = Annotated[int, Field(ge=1, le=MOST_SIDE)]


class Vary(StrictModel):
    """How each job's mask differs from the photo's, drawn from the job's seed."""

    flip: Share = Field(default=DEFAULTS.flip, description="Probability of mirroring.")
    rotate: float = Field(
        default=DEFAULTS.rotate, ge=0, le=180, description="Maximum degrees, either way."
    )
    scale: tuple[float, float] = Field(default=DEFAULTS.scale, description="[from, to]")
    shift: Share = Field(default=DEFAULTS.shift, description="Maximum share of the side.")
    shear: float = Field(
        default=DEFAULTS.shear, ge=0, lt=90, description="Maximum degrees, either way."
    )
    crop: Share = Field(default=DEFAULTS.crop, description="Minimum share of the side to keep.")
    visible: Share = Field(
        default=DEFAULTS.visible, description="Minimum share of each object that stays visible."
    )
    cover: bool = Field(
        default=DEFAULTS.cover, description="Zoom in until no empty borders are left."
    )

    @model_validator(mode="after")
    def _check(self) -> "Vary":
        self.variation()
        return self

    def variation(self) -> Variation:
        """The same as the core's value. Raises InputError for ranges that make no sense."""
        return replace(DEFAULTS, **self.model_dump())


def _switch(value: object) -> object:
    """`true` is all defaults, `false` is none."""
    return {True: {}, False: None}[value] if isinstance(value, bool) else value


def _or_a_switch(schema: dict[str, Any]) -> None:
    schema["anyOf"].append({"type": "boolean"})


class Pairs(StrictModel):
    """Labelled photos: each job gets one of its class, as $image, $mask and $control."""

    folder: UserPath = Field(
        description="The folder of photos with masks, or a COCO file or a CSV table."
    )
    layout: Layout = Field(
        default="auto",
        description="dataset (of manyshot), pairs (images/ and masks/), pets (Oxford-IIIT Pet), "
        "coco, yolo, voc (Pascal VOC), csv (columns file, class), or classes (folders of photos "
        "without masks).",
    )
    palette: UserPath | None = Field(
        default=None, description="A file that maps values and colours in masks to classes."
    )
    skip_empty: bool = Field(
        default=False,
        description="Skip photos whose mask shows only background, instead of refusing them.",
    )
    vary: Annotated[Vary | None, BeforeValidator(_switch)] = Field(
        default=None,
        description=(
            "New geometry for each job: true, or ranges. Without it masks are only resized to fit."
        ),
        json_schema_extra=_or_a_switch,
    )
    border: int | None = Field(
        default=None,
        ge=0,
        le=100,
        description="Width in pixels of the unlabelled outline on either side of an "
        "object's edge, redrawn. Without it the outline of trimaps scales with "
        "its object.",
    )
    size: tuple[Side, Side] | None = Field(
        default=None,
        description="[width, height]; default: that of the workflow's empty latent, else "
        "the photo's own.",
    )
    colours: ControlPalette = Field(default="own", description="Of $control.")
    table: dict[str, str | None] = Field(
        default={},
        description="Class of the mask: class of ADE20K (own: another class), or #rrggbb, or null.",
    )
    compose: int = Field(
        default=1, ge=1, le=16, description="Number of photos whose objects a job combines."
    )

    @property
    def variation(self) -> Variation:
        """What is drawn for each job."""
        return STILL if self.vary is None else self.vary.variation()
