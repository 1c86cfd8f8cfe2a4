"""A WebUI prompt as a conditioning: a range of the sampling for each stretch of words."""

from typing import Any, NamedTuple

from ..core.webui_prompt.steps import Stretch, runs, schedule, texts_by_step
from ..core.webui_prompt.values import Part, Prompt
from .webui_compose import PART
from .webui_encode import Conditioning, Weighting, encode
from .webui_steps import sampling_sigmas, steps_in_full, switch_percents


class Sampling(NamedTuple):
    """How the sampler will go: its own inputs."""

    steps: int
    scheduler: str
    denoise: float

    @property
    def in_full(self) -> int:
        return steps_in_full(self.steps, self.denoise)


def is_edited(subprompt: Part) -> bool:
    return any(not isinstance(item, str) for item in subprompt.phrase)


def is_composed(prompt: Prompt) -> bool:
    """Whether guidance is to be added: several parts, or a weight."""
    return len(prompt.parts) > 1 or any(subprompt.weight != 1 for subprompt in prompt.parts)


def encode_prompt(
    prompt: Prompt, model: Any, clip: Any, sampling: Sampling, weighting: Weighting
) -> Conditioning:
    """All parts. The model is asked for its sigmas if a part is edited."""
    conditioning: Conditioning = []
    for number, subprompt in enumerate(prompt.parts):
        conds = _encode_subprompt(subprompt, model, clip, sampling, weighting)
        values = {PART: (number, subprompt.weight)} if is_composed(prompt) else {}
        conditioning += [[vectors, {**options, **values}] for vectors, options in conds]
    return conditioning


def _encode_subprompt(
    subprompt: Part, model: Any, clip: Any, sampling: Sampling, weighting: Weighting
) -> Conditioning:
    if not is_edited(subprompt):
        return encode(clip, schedule(subprompt.phrase, 1)[0].text, weighting)
    sigmas = sampling_sigmas(model, sampling.scheduler, sampling.steps, sampling.denoise)
    texts = texts_by_step(schedule(subprompt.phrase, sampling.in_full), len(sigmas))
    stretches = runs(texts)
    encoded = {text: encode(clip, text, weighting) for text in dict.fromkeys(texts)}
    return _in_ranges(
        stretches, encoded, switch_percents(model, sigmas, [s.last for s in stretches])
    )


def _in_ranges(
    stretches: tuple[Stretch, ...], encoded: dict[str, Conditioning], ends: list[float]
) -> Conditioning:
    """As ConditioningSetTimestepRange; a range that is the whole sampling needs none."""
    from nodes import ConditioningSetTimestepRange

    if len(stretches) == 1:
        return encoded[stretches[0].text]
    conditioning: Conditioning = []
    for stretch, start, end in zip(stretches, [0.0, *ends], ends, strict=False):
        conditioning += ConditioningSetTimestepRange().set_range(encoded[stretch.text], start, end)[
            0
        ]
    return conditioning
