"""What each step learns from: crops of the photos and of the prior, and what they are called."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..base.diffusion import spread_times
from ..base.latents import random_crop
from .adapted import Adapted
from .base_model import DOWNSCALE, Text, joined
from .photos import Encoded

LOOKS = 8
TEMPLATES = (
    "a photo of a {}",
    "a photo of the {}",
    "a close-up photo of a {}",
    "a picture of a {}",
    "{}",
)


@dataclass(frozen=True)
class Lesson:
    """Photos (n encoded ones), their prompts (at least one each), and their weight in the loss."""

    photos: Sequence[Encoded]
    prompts: Sequence[tuple[str, ...]]
    weight: float


@dataclass(frozen=True)
class Step:
    """Latents (n, 4, h, w), noise like them, times (n), prompts (n), weights (n)."""

    latents: Tensor
    noise: Tensor
    times: Tensor
    prompts: tuple[str, ...]
    weights: Tensor

    def split(self, count: int) -> list["Step"]:
        """The step in up to `count` parts; their times are spread alike."""
        count = min(count, len(self.times))
        return [
            Step(
                self.latents[i::count],
                self.noise[i::count],
                self.times[i::count],
                self.prompts[i::count],
                self.weights[i::count],
            )
            for i in range(count)
        ]


def subject_prompts(word: str, context: str) -> tuple[str, ...]:
    """What a photo of the subject is called."""
    ending = f", {context}" if context else ""
    return tuple(template.format(word) + ending for template in TEMPLATES)


def random_step(lessons: Sequence[Lesson], batch: int, size: int) -> Step:
    """`batch` crops of each lesson's photos at random places, times spread over the schedule."""
    parts = [_part(lesson, batch, size) for lesson in lessons]
    latents = torch.cat([part[0] for part in parts])
    return Step(
        latents,
        torch.randn_like(latents),
        torch.cat([spread_times(batch) for _ in parts]),
        tuple(prompt for part in parts for prompt in part[1]),
        torch.cat([part[2] for part in parts]),
    )


def look_step(held_out: Lesson, size: int) -> Step:
    """Each held-out photo under its plainest prompt, at LOOKS times spread over the schedule."""
    alone = zip(held_out.photos, held_out.prompts, strict=True)
    return random_step([Lesson([photo], [said[:1]], 1.0) for photo, said in alone], LOOKS, size)


def _part(lesson: Lesson, batch: int, size: int) -> tuple[Tensor, list[str], Tensor]:
    chosen = torch.randint(len(lesson.photos), (batch,)).tolist()
    sides = torch.randint(2, (batch,)).tolist()
    crops, prompts = [], []
    for row, side in zip(chosen, sides, strict=True):
        photo, said = lesson.photos[row], lesson.prompts[row]
        crops.append(random_crop(photo.latents[side], photo.boxes[side], size // DOWNSCALE)[0])
        prompts.append(said[int(torch.randint(len(said), ()))])
    return torch.stack(crops), prompts, torch.full((batch,), lesson.weight)


class Ears:
    """What the UNet hears of prompts: from memory where the text encoder does not learn.

    Where it does, every different prompt of a step is encoded once.
    """

    def __init__(self, adapted: Adapted) -> None:
        self._adapted = adapted
        self._known: dict[str, Text] = {}

    def hear(self, prompts: Sequence[str]) -> Text:
        """What the UNet hears of each prompt, on its device."""
        unique = list(dict.fromkeys(prompts))
        rows = torch.tensor([unique.index(prompt) for prompt in prompts])
        if self._adapted.text_learns:
            return self._adapted.hear(unique).at(rows.to(self._adapted.base.unet.device))
        for prompt in unique:
            if prompt not in self._known:  # alone: rounding must not depend on which come together
                with torch.no_grad():
                    self._known[prompt] = self._adapted.hear([prompt]).half()
        device = self._adapted.base.unet.device
        # Single precision first: autocast on a CPU cannot join half precision.
        return joined([self._known[prompt].to(device) for prompt in unique]).at(rows.to(device))
