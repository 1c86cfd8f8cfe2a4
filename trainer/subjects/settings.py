"""How a subject is trained: one validated value, with defaults that work for each method."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ...core.subject_file import Method

STEPS: dict[Method, int] = {"textual_inversion": 500, "lora": 500, "dreambooth": 400}
RATES: dict[Method, float] = {"textual_inversion": 5e-3, "lora": 5e-4, "dreambooth": 5e-6}
SMALL_RATES: dict[Method, float] = {"textual_inversion": 2e-2, "lora": 5e-3, "dreambooth": 2e-4}
"""Of manyshot-tiny: a small net takes larger steps, and knows less that they could spoil."""


class Settings(BaseModel):
    """Everything that decides what training gives, beside base, photos and token."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Method = "lora"
    steps: int = Field(default=0, ge=0, le=1_000_000, description="0: as usual for the method.")
    batch: int = Field(default=4, ge=1, le=256, description="Photos in a step.")
    rate: float = Field(
        default=0.0, ge=0, le=1, description="Peak learning rate; 0: as usual for method and base."
    )
    text_rate: float | None = Field(
        default=None, gt=0, le=1, description="Of the text encoder; default: half of `rate`."
    )
    vectors: int = Field(default=4, ge=1, le=32, description="Of textual_inversion's token.")
    rank: int = Field(default=16, ge=1, le=320, description="Of lora's matrices.")
    alpha: float | None = Field(default=None, gt=0, description="Of lora; default: the rank.")
    peft: bool = Field(
        default=False, description="Write lora for diffusers too: the folder <name>-peft."
    )
    text: bool | None = Field(
        default=None,
        description="Whether the text encoder learns too; default: in lora, and of a small base.",
    )
    prior: int = Field(
        default=0, ge=0, le=10_000, description="Pictures of the noun that hold its meaning."
    )
    prior_weight: float = Field(default=1.0, gt=0, le=10)
    guidance: float = Field(default=5.0, ge=1, le=30, description="Of the prior's pictures.")
    snr_gamma: float | None = Field(
        default=5.0, gt=0, description="Of min-SNR weights; null: none."
    )
    average: float | None = Field(
        default=None, gt=0, lt=1, description="Decay of a moving average of the weights."
    )
    mirrored: bool = Field(default=True, description="Learn mirror images as well.")
    held_out: int = Field(default=1, ge=0, le=100, description="Photos to stop by.")
    every: int = Field(default=50, ge=1, description="Steps between looks at the held-out photos.")
    patience: int = Field(default=6, ge=1, description="Looks without a better one to stop after.")
    seed: int = Field(default=0, ge=0)
    checkpointing: bool = Field(default=False, description="Less memory, a third more time.")

    @model_validator(mode="before")
    @classmethod
    def _usual(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        method = data.get("method", "lora")
        steps = data.get("steps") or STEPS.get(method, 0)
        return {**data, "steps": steps}

    def settled(self, small: bool) -> "Settings":
        """The same with what is usual for a base, `small` as manyshot-tiny or not."""
        rates = SMALL_RATES if small else RATES
        text = self.method == "lora" or small
        return self.model_copy(
            update={
                "rate": self.rate or rates[self.method],
                "text": text if self.text is None else self.text,
            }
        )

    @property
    def used_alpha(self) -> float:
        """`alpha`, or the rank."""
        return float(self.rank) if self.alpha is None else self.alpha

    def rates(self) -> dict[str, float]:
        """Peak learning rates by what learns."""
        text = self.rate if self.method == "textual_inversion" else self.rate / 2
        return {"unet": self.rate, "text": self.text_rate or text}
