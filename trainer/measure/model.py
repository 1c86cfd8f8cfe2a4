"""The net of a measurement, as a part of its recipe."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Device = Literal["auto", "cpu", "cuda"]
OF_TRAINING = {"optimiser", "precision", "workers"}
ONNX_SIDE = 224  # what the file of opennsfw takes


class Model(BaseModel):
    """What learns: `model: opennsfw` is short for {name: opennsfw}."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(
        default="opennsfw",
        description="opennsfw and efficientnet_lite0 are installed by pip; any other name "
        "is a timm model, such as resnet34.tv_in1k.",
    )
    mode: Literal["frozen", "finetune"] = Field(
        default="frozen",
        description=(
            "frozen: train a linear head on the network's features. finetune: train the "
            "whole network."
        ),
    )
    pretrained: bool = Field(default=True, description="false, with finetune: from scratch.")
    size: int | None = Field(
        default=None, ge=32, le=1024, description="Input side of the network, in pixels."
    )
    views: int = Field(
        default=8,
        ge=1,
        le=1000,
        description="frozen: augmented views per image that a policy draws.",
    )
    rates: list[float] | None = Field(
        default=None,
        min_length=1,
        description="Peak learning rates. Of several, one is chosen by cross-validation of "
        "real only, within the shots.",
    )
    decays: list[float] | None = Field(
        default=None, min_length=1, description="Weight decays, chosen with the rates."
    )
    optimiser: Literal["sgd", "adamw"] = Field(
        default="sgd",
        description="For finetune; sgd has momentum 0.9. Rates follow a cosine schedule.",
    )
    precision: Literal["float32", "bfloat16"] = Field(
        default="float32", description="bfloat16: with autocast, for finetune."
    )
    workers: int | None = Field(
        default=None,
        ge=0,
        le=64,
        description="Data loading processes for finetune; they do not change the result. "
        "Default: none on a CPU, up to 8 with a GPU.",
    )
    device: Device = Field(default="auto", description="auto: a CUDA device if there is one.")

    @model_validator(mode="after")
    def _fits(self) -> "Model":
        if self.mode == "finetune" and "views" in self.model_fields_set:
            raise ValueError("'views' is for mode: frozen; finetune augments anew at every step")
        if self.mode == "frozen" and (unsuitable := OF_TRAINING & self.model_fields_set):
            raise ValueError(f"'{min(unsuitable)}' is for mode: finetune")
        if not self.pretrained and (self.mode == "frozen" or self.name == "opennsfw"):
            raise ValueError(
                "pretrained: false is for mode: finetune, and not for opennsfw, whose batch "
                "normalisation is folded into its weights"
            )
        if self.name == "opennsfw" and self.mode == "finetune" and self.optimiser == "sgd":
            raise ValueError(
                "SGD diverges on opennsfw, whose batch normalisation is folded into its weights; "
                "write 'optimiser: adamw'"
            )
        if self.name == "opennsfw" and self.mode == "frozen" and self.size not in (None, ONNX_SIDE):
            raise ValueError(f"opennsfw, frozen, sees {ONNX_SIDE} pixels; leave 'size' out")
        return self
