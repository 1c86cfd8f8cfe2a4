"""Arms: what is added to the real images of a draw, how much, how mixed in, how augmented."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from .noise_filter import SHOWN as TRUST_SHOWN
from .noise_filter import Trust
from .policy import SHOWN, Policy

Added = Literal["nothing", "synthetic", "shuffled", "real", "same"]
Mixing = Literal["concatenate", "replace", "weight", "pretrain", "alone"]
SHARES: dict[Mixing, float] = {"replace": 0.5, "weight": 0.8, "pretrain": 0.5}


class Arm(BaseModel):
    """One training condition; the default is real images only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    add: Added = Field(
        default="nothing",
        description="synthetic: synthetic images; shuffled: the same with wrong labels; "
        "real: more real images, as a reference; same: the real images again "
        "(A/A).",
    )
    ratio: Annotated[float, Field(ge=5, le=8000)] | Literal["auto"] = Field(
        default=100.0,
        description="Added images in percent of the real ones. auto: chooses ratio and "
        "mixing by cross-validation within the shots, and may add nothing.",
    )
    each: int | None = Field(
        default=None, ge=1, le=100_000, description="Added images per class, instead of a ratio."
    )
    mixing: Mixing = Field(
        default="concatenate",
        description="concatenate: pool real and added images. replace: an added image of "
        "the same class replaces a real one with probability `share`. weight: "
        "half of each batch is added images, and the real half has `share` of "
        "the loss. pretrain: the first `share` of the steps uses added images "
        "only, the rest real ones. alone: added images only.",
    )
    share: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="For replace (default 0.5), weight (0.8) and pretrain (0.5).",
    )
    policy: Policy = Field(
        default="none",
        description="Augmentation of all images of the arm. With add: nothing, real images only.",
    )

    of: str | None = Field(
        default=None,
        description="Which of several named folders the synthetic images come from: a key "
        "of 'synthetic'. Default: all of them.",
    )
    trust: Trust = Field(
        default="none",
        description="Segmentation: filter synthetic pairs with a segmenter trained on the "
        "draw's real pairs alone. ignore: skip pixels that it finds unlikely. "
        "drop: take pairs from the half that it agrees with best; their number "
        "stays the same.",
    )

    @model_validator(mode="after")
    def _fits(self) -> "Arm":
        if self.of is not None and self.add not in ("synthetic", "shuffled"):
            raise ValueError("'of' is for synthetic images, and for shuffled ones")
        if self.trust != "none" and (self.add != "synthetic" or self.ratio == "auto"):
            raise ValueError("'trust' is for add: synthetic with a ratio of its own, not auto")
        if self.share is not None and self.mixing not in SHARES:
            raise ValueError("'share' is for replace, weight and pretrain")
        if self.ratio == "auto" and self.mixing != "concatenate":
            raise ValueError("ratio: auto chooses the mixing as well; leave 'mixing' out")
        if self.each is not None and self.ratio != 100:
            raise ValueError("'each' replaces 'ratio'; set one of them")
        return self

    @property
    def name(self) -> str:
        """As tables and reports call it; no two different arms share a name."""
        texts = [self._mix, TRUST_SHOWN.get(self.trust), SHOWN.get(self.policy)]
        return ", ".join(text for text in texts if text)

    @property
    def _mix(self) -> str:
        if self.add == "nothing":
            return "real only"
        what = _NAMES[self.add] if self.of is None else f"{_NAMES[self.add]} ({self.of})"
        if self.ratio == "auto":
            return f"{what}, auto"
        amount = f"{what} {self._amount}"
        if self.mixing == "concatenate":
            return f"+ {amount}"
        if self.mixing == "alone":
            return f"{amount} alone"
        return f"+ {amount}, {self.mixing} {self.used_share:g}"

    @property
    def _amount(self) -> str:
        return f"{self.ratio:g} %" if self.each is None else f"{self.each} a class"

    @property
    def real_only(self) -> "Arm":
        """This arm without what it adds: real images only, under the same policy."""
        return Arm(policy=self.policy)

    @property
    def untrusting(self) -> "Arm":
        """This arm with all that it adds taken as it is."""
        return self.model_copy(update={"trust": "none"})

    @property
    def used_share(self) -> float:
        """`share`, or what it is when it is not given."""
        return SHARES.get(self.mixing, 0.0) if self.share is None else self.share

    def with_mixing(self, ratio: float, mixing: Mixing, share: float | None = None) -> "Arm":
        """An arm with `ratio`, `mixing` and its `share` in place of "auto"."""
        return self.model_copy(update={"ratio": float(ratio), "mixing": mixing, "share": share})


_NAMES: dict[Added, str] = {
    "synthetic": "synthetic",
    "shuffled": "shuffled labels",
    "real": "extra real",
    "same": "same real",
}
REAL_ONLY = Arm()
