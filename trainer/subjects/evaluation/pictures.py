"""Pictures of a subject to be judged: drawn by its own base, a few at a time, and kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from ....core.errors import InputError
from ...base.evaluation.drawn import kept_rows
from ...base.pictures import to_bytes
from ..adapted import Adapted
from ..base_model import BaseModel
from ..sampling import draw_subject

Progress = Callable[[int, int], None]  # (done, of)
STEPS = 20
SLOT = "{}"  # of a template


@dataclass(frozen=True)
class Drawing:
    """What is drawn of each subject: `count` pictures over the templates in turn, and in each
    context `context_count` from the same seeds. A context follows the prompt behind a comma."""

    count: int = 32
    batch: int = 8
    seed: int = 0
    guidance: float = 5.0
    templates: tuple[str, ...] = ("a photo of a {}",)
    contexts: tuple[str, ...] = ()
    context_count: int = 6

    def __post_init__(self) -> None:
        bare = next((one for one in self.templates if SLOT not in one), None)
        if bare is not None:
            raise InputError(f"The template {bare!r} lacks {SLOT}, which stands for the subject.")

    def prompts(self, word: str) -> list[str]:
        """One for each picture."""
        turns = (self.templates[i % len(self.templates)] for i in range(self.count))
        return [template.replace(SLOT, word) for template in turns]

    def context_prompts(self, word: str) -> list[str]:
        """One for each context."""
        said = self.templates[0].replace(SLOT, word)
        return [f"{said}, {context}" for context in self.contexts]


@dataclass(frozen=True)
class Pictures:
    """RGB bytes (n, height, width, 3), and in contexts (contexts, n, height, width, 3)."""

    plain: np.ndarray
    in_contexts: np.ndarray | None = None


def plain(base: BaseModel) -> Adapted:
    """The base as it is, to draw nouns with."""
    return Adapted(base, "", 0, {}, lambda *_: None)


def draw_pictures(
    adapted: Adapted,
    digest: str,
    word: str,
    drawing: Drawing,
    folder: Path,
    progress: Progress = lambda done, of: None,
) -> Pictures:
    """All pictures of a word; `folder` keeps them, under `digest` (sha256 of what draws them)."""
    total = drawing.count + len(drawing.contexts) * drawing.context_count
    done = 0

    def drawn(prompts: Sequence[str]) -> np.ndarray:
        nonlocal done
        names = [_name(digest, i, prompt, drawing) for i, prompt in enumerate(prompts)]
        path = folder / f"{sha256(''.join(names).encode()).hexdigest()[:16]}.npz"
        found = kept_rows(
            path,
            names,
            lambda: _drawn(adapted, prompts, drawing, lambda n: progress(done + n, total)),
        )
        done += len(prompts)
        progress(done, total)
        return found

    whole = drawn(drawing.prompts(word))
    if not drawing.contexts:
        return Pictures(whole)
    own = [drawn([said] * drawing.context_count) for said in drawing.context_prompts(word)]
    return Pictures(whole, np.stack(own))


def _name(digest: str, index: int, prompt: str, drawing: Drawing) -> str:
    how = f"{drawing.seed} {drawing.batch} {drawing.guidance:g} {STEPS}"
    return f"{digest} {how} {index} {prompt}"


def _drawn(
    adapted: Adapted, prompts: Sequence[str], drawing: Drawing, told: Callable[[int], None]
) -> np.ndarray:
    parts = []
    for first in range(0, len(prompts), drawing.batch):
        told(first)
        own = prompts[first : first + drawing.batch]
        pixels = draw_subject(
            adapted, own, drawing.seed + first, steps=STEPS, guidance=drawing.guidance
        )
        parts.append(to_bytes(pixels).numpy())
    return np.concatenate(parts)
