"""Training settings of subjects, with defaults that work for each method."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ...core.subject_file import Method

STEPS: dict[Method, int] = {"textual_inversion": 500, "lora": 500, "dreambooth": 400}
RATES: dict[Method, float] = {"textual_inversion": 5e-3, "lora": 5e-4, "dreambooth": 5e-6}
SMALL_RATES: dict[Method, float] = {"textual_inversion": 2e-2, "lora": 5e-3, "dreambooth": 2e-4}
"""Of manyshot-tiny: a small network takes larger steps, and has less to forget."""


class Settings(BaseModel):
    """Everything that decides the outcome of training, apart from base, photos and token."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Method = "lora"
    steps: int = Field(
        default=0, ge=0, le=1_000_000, description="Maximum steps; 0: the method's default."
    )
    batch: int = Field(default=4, ge=1, le=256, description="Photos per step.")
    rate: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Peak learning rate; 0: the default for method and base.",
    )
    text_rate: float | None = Field(
        default=None, gt=0, le=1, description="Rate of the text encoder; default: half of `rate`."
    )
    vectors: int = Field(
        default=4, ge=1, le=32, description="Embedding vectors per token, for textual_inversion."
    )
    rank: int = Field(default=16, ge=1, le=320, description="Rank of lora's matrices.")
    alpha: float | None = Field(default=None, gt=0, description="Scale of lora; default: the rank.")
    peft: bool = Field(
        default=False, description="Write lora for diffusers too: the folder <name>-peft."
    )
    text: bool | None = Field(
        default=None,
        description="Also train the text encoder; default: with lora, and on a small base.",
    )
    prior: int = Field(
        default=0,
        ge=0,
        le=10_000,
        description="Prior preservation: images of the noun that keep its meaning.",
    )
    prior_weight: float = Field(default=1.0, gt=0, le=10)
    guidance: float = Field(default=5.0, ge=1, le=30, description="Guidance for the prior images.")
    snr_gamma: float | None = Field(
        default=5.0, gt=0, description="Gamma of min-SNR weighting; null: off."
    )
    average: float | None = Field(
        default=None, gt=0, lt=1, description="Decay of the moving average (EMA) of the weights."
    )
    mirrored: bool = Field(default=True, description="Also train on mirrored photos.")
    held_out: int = Field(
        default=1, ge=0, le=100, description="Photos held out for early stopping."
    )
    every: int = Field(
        default=50, ge=1, description="Steps between validations on the held-out photos."
    )
    patience: int = Field(
        default=6, ge=1, description="Validations without improvement before stopping."
    )
    seed: int = Field(default=0, ge=0)
    checkpointing: bool = Field(
        default=False, description="Gradient checkpointing: less memory, a third more time."
    )

    @model_validator(mode="before")
    @classmethod
    def _usual(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        method = data.get("method", "lora")
        steps = data.get("steps") or STEPS.get(method, 0)
        return {**data, "steps": steps}

    def resolve_defaults(self, small: bool) -> "Settings":
        """Fill in the defaults for a base, `small` like manyshot-tiny or not."""
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
        """Peak learning rates of the trainable modules."""
        text = self.rate if self.method == "textual_inversion" else self.rate / 2
        return {"unet": self.rate, "text": self.text_rate or text}
