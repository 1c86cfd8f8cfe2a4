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
        description="opennsfw and efficientnet_lite0 come by the package registry; any other is a "
        "net of timm, such as resnet34.tv_in1k.",
    )
    mode: Literal["frozen", "finetune"] = Field(
        default="frozen",
        description="frozen: a linear head on the net's features. finetune: all of the net learns.",
    )
    pretrained: bool = Field(default=True, description="false, with finetune: from scratch.")
    size: int | None = Field(
        default=None, ge=32, le=1024, description="Side in pixels of what the net sees."
    )
    views: int = Field(
        default=8, ge=1, le=1000, description="frozen: views of each image that a policy draws."
    )
    rates: list[float] | None = Field(
        default=None,
        min_length=1,
        description="Peak learning rates. Of several, one is chosen for real only by "
        "cross-validation inside the shots.",
    )
    decays: list[float] | None = Field(
        default=None, min_length=1, description="Weight decays, chosen with the rates."
    )
    optimiser: Literal["sgd", "adamw"] = Field(
        default="sgd", description="Of finetune; sgd has momentum 0.9. Rates fall as a cosine."
    )
    precision: Literal["float32", "bfloat16"] = Field(
        default="float32", description="bfloat16: by autocast, of finetune."
    )
    workers: int | None = Field(
        default=None,
        ge=0,
        le=64,
        description="Processes that augment, of finetune; the result is the same. Default: none on "
        "a CPU, which the net has to itself, and up to 8 for a GPU.",
    )
    device: Device = Field(default="auto", description="auto: a CUDA device if there is one.")

    @model_validator(mode="after")
    def _fits(self) -> "Model":
        if self.mode == "finetune" and "views" in self.model_fields_set:
            raise ValueError("'views' is for mode: frozen; finetune augments anew at every step")
        if self.mode == "frozen" and (given := OF_TRAINING & self.model_fields_set):
            raise ValueError(f"'{min(given)}' is for mode: finetune")
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
