"""AND: the noise predictions of several prompts, added with their weights.

ComfyUI averages all conditionings of one side, weighted by their strength and divided by the sum
of the strengths. The WebUI adds guidance (Composable Diffusion, Liu et al., ECCV 2022):

    denoised = u + scale * sum of w_i (c_i - u)

with u the negative prompt's prediction and c_i the i-th part's. So the prediction of the positive
side must be u + sum of w_i (c_i - u), which no strengths give unless the weights sum to 1. Each
part is therefore predicted by itself, in the same batch, where the model is asked for all.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..core.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

PART = "manyshot_webui_part"  # in a conditioning's values: (number, weight)
KEY = "manyshot_webui_prompt"
Conds = list[dict[str, Any]]


def composing(model: Any) -> Any:
    """The model, patched so that it adds the parts of AND; all other prompts are as before."""
    from comfy.patcher_extension import WrappersMP

    model = model.clone()
    model.remove_wrappers_with_key(WrappersMP.CALC_COND_BATCH, KEY)
    model.add_wrapper_with_key(WrappersMP.CALC_COND_BATCH, KEY, predict_parts)
    model.model_options["disable_cfg1_optimization"] = True  # which would leave out u
    return model


def predict_parts(
    predict: Callable[..., list["Tensor"]],
    model: Any,
    conds: list[Conds | None],
    x: "Tensor",
    *options: Any,
) -> list["Tensor"]:
    """`predict` (ComfyUI's calc_cond_batch) with the parts of the first side added.

    Conditionings of that side that are no parts, combined with them on the canvas, count as one
    part of weight 1. Raises InputError for parts on another side.
    """
    first, *rest = conds
    if any(PART in cond for side in rest for cond in side or []):
        raise InputError(
            "A prompt with AND is connected to a sampler's negative. The WebUI supports AND "
            "only in the positive prompt: write the negative without it."
        )
    if not any(PART in cond for cond in first or []):
        return predict(model, conds, x, *options)
    parts = _parts(first or [])
    sides = [side for _, side in parts]
    results = predict(model, [sides[0], *rest, *sides[1:]], x, *options)
    predictions = [results[0], *results[len(conds) :]]
    base = results[1] if rest and rest[0] else None
    weights = [weight for weight, _ in parts]
    return [_sum(weights, predictions, base), *results[1 : len(conds)]]


def _sum(weights: list[float], predictions: list["Tensor"], base: "Tensor | None") -> "Tensor":
    """u + sum of w_i (c_i - u). Raises InputError without u, unless it falls out."""
    if base is None:
        if abs(sum(weights) - 1) > 1e-6:
            raise InputError(
                "The AND weights do not sum to 1, which needs a negative prompt: use a "
                "sampler with cfg and negative, such as KSampler."
            )
        base = predictions[0]
    return sum(
        (
            weight * (prediction - base)
            for weight, prediction in zip(weights, predictions, strict=True)
        ),
        base,
    )


def _parts(conds: Conds) -> list[tuple[float, Conds]]:
    """The conditionings of each part, with the part's weight."""
    parts: dict[tuple[int, float], Conds] = {}
    for cond in conds:
        parts.setdefault(cond.get(PART, (-1, 1.0)), []).append(cond)
    return [(weight, side) for (_, weight), side in parts.items()]
