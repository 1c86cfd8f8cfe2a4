"""Which part of the sampling a step is.

ComfyUI switches conditionings by noise level: a range of percents of the sampling means a range
of sigmas, the same for every sampler. Step k of a sampler begins at the k-th sigma of its
schedule; an edit after step k becomes a switch between that sigma and the next, so that each step
is drawn as the prompt says. What it cannot know: samplers that leave out or insert sigmas of
their own (dpm_2, uni_pc, dpm_adaptive); they switch at the noise level, not at the count.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any


def sampling_sigmas(model: Any, scheduler: str, steps: int, denoise: float) -> list[float]:
    """The sigmas at which KSampler evaluates the model first in each step, largest first."""
    from comfy.samplers import KSampler

    sampler = KSampler(model, steps, "cpu", "euler", scheduler, denoise)
    return sampler.sigmas[:-1].tolist()


def steps_in_full(steps: int, denoise: float) -> int:
    """The steps that KSampler would take from pure noise; it takes the last `steps` of them."""
    return steps if denoise > 0.9999 else int(steps / denoise)


def switch_percents(model: Any, sigmas: Sequence[float], ends: Sequence[int]) -> list[float]:
    """For each step number of `ends` (from 1): the share of the sampling, from 0 to 1, at which it
    is over. The last step is over at 1."""
    to_sigma = model.get_model_object("model_sampling").percent_to_sigma
    return [
        1.0 if end >= len(sigmas) else _percent(to_sigma, sigmas[end - 1], sigmas[end])
        for end in ends
    ]


def _percent(to_sigma: Callable[[float], float], before: float, after: float) -> float:
    """A percent whose sigma lies in the middle of two, by bisection: sigma falls with percent."""
    middle = math.sqrt(before * after)
    low, high = 0.0, 1.0
    for _ in range(40):
        half = (low + high) / 2
        low, high = (half, high) if to_sigma(half) > middle else (low, half)
    return low
