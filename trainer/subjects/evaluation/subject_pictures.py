"""Draw a subject's pictures for evaluation with its own base, in batches, and cache them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from ....core.errors import InputError
from ...images import to_bytes
from ...tensor_files import cache_rows
from ..adapted_model import AdaptedModel
from ..base_model import BaseModel
from ..sampling import draw_subject

Progress = Callable[[int, int], None]  # (done, of)
STEPS = 20
SLOT = "{}"  # of a template


@dataclass(frozen=True)
class Drawing:
    """What to draw of each subject: `count` pictures that cycle through the templates, and
    `context_count` in each context, from the same seeds. The prompt is "template, context"."""

    count: int = 32
    batch: int = 8
    seed: int = 0
    guidance: float = 5.0
    templates: tuple[str, ...] = ("a photo of a {}",)
    contexts: tuple[str, ...] = ()
    context_count: int = 6

    def __post_init__(self) -> None:
        bare = next((template for template in self.templates if SLOT not in template), None)
        if bare is not None:
            raise InputError(f"The template {bare!r} lacks {SLOT}, which stands for the subject.")

    def prompts(self, word: str) -> list[str]:
        """One for each picture."""
        turns = (self.templates[i % len(self.templates)] for i in range(self.count))
        return [template.replace(SLOT, word) for template in turns]

    def context_prompts(self, word: str) -> list[str]:
        """One for each context."""
        prompt = self.templates[0].replace(SLOT, word)
        return [f"{prompt}, {context}" for context in self.contexts]


@dataclass(frozen=True)
class Pictures:
    """RGB bytes (n, height, width, 3), and in contexts (contexts, n, height, width, 3)."""

    plain: np.ndarray
    in_contexts: np.ndarray | None = None


def wrap_base(base: BaseModel) -> AdaptedModel:
    """The plain base, to draw nouns with."""
    return AdaptedModel(base, "", 0, {}, lambda *_: None)


def draw_pictures(
    adapted: AdaptedModel,
    digest: str,
    word: str,
    drawing: Drawing,
    folder: Path,
    progress: Progress = lambda done, of: None,
) -> Pictures:
    """All pictures of a word, cached in `folder` under `digest` (sha256 of the model)."""
    total = drawing.count + len(drawing.contexts) * drawing.context_count
    done = 0

    def draw(prompts: Sequence[str]) -> np.ndarray:
        nonlocal done
        names = [_name(digest, i, prompt, drawing) for i, prompt in enumerate(prompts)]
        path = folder / f"{sha256(''.join(names).encode()).hexdigest()[:16]}.npz"
        rows = cache_rows(
            path,
            names,
            lambda: _draw_batches(adapted, prompts, drawing, lambda n: progress(done + n, total)),
        )
        done += len(prompts)
        progress(done, total)
        return rows

    whole = draw(drawing.prompts(word))
    if not drawing.contexts:
        return Pictures(whole)
    in_contexts = [
        draw([prompt] * drawing.context_count) for prompt in drawing.context_prompts(word)
    ]
    return Pictures(whole, np.stack(in_contexts))


def _name(digest: str, index: int, prompt: str, drawing: Drawing) -> str:
    how = f"{drawing.seed} {drawing.batch} {drawing.guidance:g} {STEPS}"
    return f"{digest} {how} {index} {prompt}"


def _draw_batches(
    adapted: AdaptedModel, prompts: Sequence[str], drawing: Drawing, progress: Callable[[int], None]
) -> np.ndarray:
    batches = []
    for first in range(0, len(prompts), drawing.batch):
        progress(first)
        batch = prompts[first : first + drawing.batch]
        pixels = draw_subject(
            adapted, batch, drawing.seed + first, steps=STEPS, guidance=drawing.guidance
        )
        batches.append(to_bytes(pixels).numpy())
    return np.concatenate(batches)
