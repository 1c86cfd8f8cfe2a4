"""The segmenter of a measurement, as a part of its recipe."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..model import Device

NetName = Literal["fpn", "unet", "deeplabv3plus", "lraspp", "deeplabv3"]
TORCHVISION: frozenset[NetName] = frozenset({"lraspp", "deeplabv3"})
OFFLINE = "efficientnet_lite0"


class Segmenter(BaseModel):
    """What learns of pairs: `segmenter: unet` is short for {net: unet}."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    net: NetName = Field(
        default="fpn",
        description="fpn, unet, deeplabv3plus: of segmentation_models_pytorch, on any encoder of "
        "timm. lraspp, deeplabv3: torchvision's, on MobileNetV3.",
    )
    encoder: str = Field(
        default=OFFLINE,
        description="efficientnet_lite0 is installed by pip; any other name is a timm model.",
    )
    mode: Literal["frozen", "finetune"] = Field(
        default="frozen",
        description="frozen: train the decoder. finetune: train the encoder as well.",
    )
    pretrained: bool = Field(default=True, description="false, with finetune: from scratch.")
    size: int = Field(
        default=128, ge=64, le=1024, multiple_of=32, description="Side of every pair, in pixels."
    )
    rates: list[float] = Field(
        default=[1e-3],
        min_length=1,
        description="Peak learning rates of the decoder; a pretrained encoder uses a tenth. "
        "Of several, one is chosen by cross-validation of real only, within the "
        "shots.",
    )
    decay: float = Field(default=1e-2, ge=0, description="Weight decay of AdamW.")
    device: Device = Field(default="auto", description="auto: a CUDA device if there is one.")

    @model_validator(mode="after")
    def _fits(self) -> "Segmenter":
        if self.mode == "frozen" and not self.pretrained:
            raise ValueError("pretrained: false is for mode: finetune; nothing else would learn")
        if self.net in TORCHVISION and "encoder" in self.model_fields_set:
            raise ValueError(f"'encoder' is not for {self.net}, which has MobileNetV3")
        if min(self.rates) <= 0:
            raise ValueError("rates are above 0")
        return self
