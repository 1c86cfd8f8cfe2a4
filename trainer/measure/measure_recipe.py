"""The recipe of a measurement as one validated value."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ...core.counted import pluralize
from ...core.user_path import UserPath
from .arms import Arm
from .measure_results import Protocol, Task
from .model import Model
from .policy import OF_IMAGES, OF_PAIRS
from .published import Published
from .segmentation.segmenter_settings import Segmenter


class Strict(BaseModel):
    """A part of the recipe: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Data(Strict):
    """The real images, and what is tested on."""

    kind: Literal["pets", "food101", "folder", "elpv"] = Field(
        default="folder",
        description="pets: Oxford-IIIT Pet, food101: Food-101, as torchvision lays them out. "
        "folder: class folders, a manyshot dataset folder, COCO, YOLO, Pascal VOC or a CSV "
        "table; for segmentation images/ and masks/ in it. elpv: the solar cells of the package "
        "elpv-dataset.",
    )
    path: UserPath | None = Field(default=None, description="The folder; elpv has none.")
    download: bool = Field(
        default=False, description="Let torchvision download pets or food101 if it is missing."
    )
    test: UserPath | None = Field(
        default=None, description="The folder of test images; default: <path>/test, else a split."
    )
    test_share: float = Field(
        default=0.25, gt=0, lt=1, description="Share of test images, for a split by seed."
    )
    split_seed: int = Field(default=0, ge=0)
    palette: UserPath | None = Field(
        default=None,
        description="Segmentation: the file that maps values or colours in masks to "
        "classes; default: palette.yaml in the folder, trimaps for pets, else "
        "every value is a class.",
    )
    by_class: bool = Field(
        default=True,
        description="Segmentation: shots count per class (breed, folder of images). false: "
        "over all pairs.",
    )
    split: UserPath | None = Field(
        default=None, description="A results.json whose real and test split is reused."
    )

    @model_validator(mode="after")
    def _path(self) -> "Data":
        if (self.path is None) != (self.kind == "elpv"):
            raise ValueError("pets, food101 and folder need 'path', and elpv has none")
        if self.download and self.kind not in ("pets", "food101"):
            raise ValueError("'download' is for kind: pets and kind: food101")
        if self.test is not None and self.kind != "folder":
            raise ValueError("'test' is for kind: folder")
        return self


class MeasureRecipe(Strict):
    """A measurement: real and synthetic images in, results.json out."""

    task: Task = Field(
        default="classification",
        description="classification: a class per image. segmentation: a mask per image.",
    )
    data: Data
    synthetic: UserPath | list[UserPath] | dict[str, UserPath | list[UserPath]] | None = Field(
        default=None,
        description="Synthetic images: a dataset folder, a folder of dataset folders, class "
        "folders, or a list of these. With names, such as {control: a, "
        "keep_object: b}, arms select them with 'of'.",
    )
    output: UserPath = Field(description="The folder of results.json.")
    arms: list[Arm] = Field(
        default=[Arm(add="synthetic")],
        min_length=1,
        description="Training conditions to compare; real only is always included.",
    )
    shots: list[int] = Field(default=[5], min_length=1, description="Real images per class.")
    draws: int = Field(
        default=10,
        ge=1,
        le=1000,
        description="Random draws of the shots; draws of the same photos count once. One "
        "draw says nothing about other photos.",
    )
    seeds: int = Field(
        default=3, ge=1, le=100, description="Training runs (seeds) per draw and arm."
    )
    protocol: Protocol = Field(
        default="fair",
        description="fair: equal steps for all arms. thesis: as published, plus real only "
        "at the same number of steps.",
    )
    steps: int = Field(
        default=500,
        ge=1,
        le=1_000_000,
        description="Optimiser steps of every arm; default for segmentation: 200.",
    )
    batch: int = Field(
        default=64, ge=2, le=4096, description="Batch size; default for segmentation: 16."
    )
    model: Model = Field(default=Model(), description="The network to train; a name is enough.")
    segmenter: Segmenter = Field(
        default=Segmenter(), description="Segmentation: the network to train, instead of 'model'."
    )
    cache: UserPath | None = Field(
        default=None, description="Feature cache; default: the user's cache folder."
    )
    allow_overlap: bool = Field(
        default=False, description="Measure even if synthetic images repeat test images."
    )
    published: Published | None = Field(
        default=None, description="Published figures to show beside the results."
    )

    @property
    def synthetic_sets(self) -> dict[str, list[Path]]:
        """The folders of `synthetic` by their names; "" for those without."""
        if self.synthetic is None:
            return {}
        named = self.synthetic if isinstance(self.synthetic, dict) else {"": self.synthetic}
        return {
            key: folders if isinstance(folders, list) else [folders]
            for key, folders in named.items()
        }

    @property
    def synthetic_folders(self) -> list[Path]:
        """`synthetic` as a list."""
        return [folder for folders in self.synthetic_sets.values() for folder in folders]

    @field_validator("data", mode="before", json_schema_input_type=Data | str)
    @classmethod
    def _short_data(cls, value: Any) -> Any:
        return {"path": value} if isinstance(value, str | Path) else value

    @field_validator("model", mode="before", json_schema_input_type=Model | str)
    @classmethod
    def _short_model(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @field_validator("segmenter", mode="before", json_schema_input_type=Segmenter | str)
    @classmethod
    def _short_segmenter(cls, value: Any) -> Any:
        return {"net": value} if isinstance(value, str) else value

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_task(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("task") == "segmentation":
            return {"steps": 200, "batch": 16, **value}
        return value

    @field_validator("shots", mode="before", json_schema_input_type=list[int] | int)
    @classmethod
    def _one_number(cls, value: Any) -> Any:
        return [value] if isinstance(value, int) and not isinstance(value, bool) else value

    @field_validator("shots")
    @classmethod
    def _shots(cls, value: list[int]) -> list[int]:
        if min(value) < 1 or len(set(value)) < len(value):
            raise ValueError("shots must be distinct numbers, 1 or more")
        return value

    @model_validator(mode="after")
    def _fits(self) -> "MeasureRecipe":
        needs = {arm.add for arm in self.arms} & {"synthetic", "shuffled"}
        if needs and not self.synthetic_folders:
            raise ValueError("arms with synthetic images need 'synthetic', their folder")
        for arm in self.arms:
            if arm.of is not None and arm.of not in self.synthetic_sets:
                names = ", ".join(name for name in self.synthetic_sets if name) or "none"
                raise ValueError(f"'synthetic' has no folder named {arm.of!r}; it names: {names}")
            if arm.ratio == "auto" and arm.add not in ("synthetic", "shuffled"):
                raise ValueError("ratio: auto is for synthetic images")
            if self.protocol == "thesis" and (arm.ratio == "auto" or arm.mixing not in THESIS):
                raise ValueError(
                    "the thesis protocol has fixed ratios, and mixes by concatenate or alone"
                )
            if self.protocol == "thesis" and arm.policy != "none":
                raise ValueError("policies are for the fair protocol")
        if self.protocol == "thesis" and self.model.mode != "frozen":
            raise ValueError("the thesis protocol is for mode: frozen")
        self._are_of_the_task()
        self._stand_beside_ours()
        return self

    def _are_of_the_task(self) -> None:
        pairs = self.task == "segmentation"
        policies = OF_PAIRS if pairs else OF_IMAGES
        for arm in self.arms:
            if arm.policy not in policies:
                names = ", ".join(sorted(policies - {"none"}))
                raise ValueError(f"{self.task} has no policy {arm.policy!r}; it has {names}")
        if not pairs and any(arm.trust != "none" for arm in self.arms):
            raise ValueError("'trust' is for task: segmentation")
        other = {"palette", "by_class"} & self.data.model_fields_set
        if not pairs and ("segmenter" in self.model_fields_set or other):
            name = min(other, default="segmenter")
            raise ValueError(f"'{name}' is for task: segmentation")
        if pairs and "model" in self.model_fields_set:
            raise ValueError("'model' is for task: classification; segmentation has 'segmenter'")
        if pairs and self.data.kind not in ("pets", "folder"):
            raise ValueError("segmentation has data of kind: pets or kind: folder")
        if pairs and self.protocol == "thesis":
            raise ValueError("segmentation is measured under the fair protocol")

    def _stand_beside_ours(self) -> None:
        for figure in self.published.figures if self.published else ():
            if figure.arm not in self.arms or figure.shots not in self.shots:
                raise ValueError(
                    f"'published' has a figure of {pluralize(figure.shots, 'shot')} and the arm "
                    f"{figure.arm.name!r}, which are not both among 'shots' and 'arms'"
                )


THESIS = ("concatenate", "alone")
