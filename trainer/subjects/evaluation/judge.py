"""Pictures of one origin held against the standard of their class: a row of the table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .diversity import diversity
from .lettering import Detector, Lettering, Reader, lettering
from .likeness import difference, similarity
from .memory import Memory, memory
from .obedience import contexts_followed, contexts_left_out, text_similarity
from .pictures import Pictures
from .results import Likeness, Memorised, Reference
from .standard import Eyes, Seen, Standard

Rows = Mapping[str, np.ndarray]  # features (n, d) by extractor


@dataclass(frozen=True)
class Spelling:
    """The word that a subject shows, and what reads and finds it."""

    word: str
    reader: Reader
    detector: Detector | None = None


@dataclass(frozen=True)
class Baseline:
    """Features of the class-name prompt's pictures (n, d), and of the noun's in contexts
    (contexts, n, d), by extractor; both may be missing."""

    plain: Rows | None = None
    in_contexts: Rows | None = None


@dataclass(frozen=True)
class Judged:
    """What a row of the table says of pictures, and the nearest training photo of each."""

    likeness: dict[str, Likeness]
    memory: Memory | None
    lettering: Lettering | None

    @property
    def memorised(self) -> Memorised | None:
        """The memory as results have it."""
        found = self.memory
        if found is None:
            return None
        photos = len(np.unique(found.photo[found.distance <= found.threshold]))
        return Memorised(
            share=found.share, expected=found.expected, threshold=found.threshold, photos=photos
        )

    @property
    def figures(self) -> dict[str, Any]:
        """As a row of the results has them."""
        return {
            "likeness": self.likeness,
            "memorised": self.memorised,
            "lettering": self.lettering,
        }


def judge(
    pictures: Pictures,
    prompts: Sequence[str],
    standard: Standard,
    eyes: Eyes,
    baseline: Baseline,
    training: Sequence[np.ndarray] = (),
    spelling: Spelling | None = None,
) -> Judged:
    """All figures of pictures. `prompts`: of each, with the noun in place of the token, or none.

    `training`: RGB bytes of the photos that they may repeat.
    """
    images = list(pictures.plain)
    rows = eyes.see(images)
    contexts = see_contexts(eyes, pictures)
    texts = {e.id: e.texts(prompts) for e in eyes.extractors if e.texts and prompts}
    found = {
        name: _likeness(rows[name], standard.class_name, seen, name, baseline, contexts, texts)
        for name, seen in standard.seen.items()
    }
    copies = memory(images, training, standard.held_out) if training else None
    said = spelling and lettering(images, spelling.word, spelling.reader, spelling.detector)
    return Judged(found, copies, said)


def see_contexts(eyes: Eyes, pictures: Pictures) -> Rows:
    """Features (contexts, n, d) of the pictures in contexts, by extractor; {} without any."""
    if pictures.in_contexts is None:
        return {}
    shape = pictures.in_contexts.shape[:2]
    flat = eyes.see(list(pictures.in_contexts.reshape(-1, *pictures.in_contexts.shape[2:])))
    return {name: rows.reshape(*shape, -1) for name, rows in flat.items()}


def _likeness(
    rows: np.ndarray,
    class_name: str,
    seen: Seen,
    name: str,
    baseline: Baseline,
    contexts: Rows,
    texts: Rows,
) -> Likeness:
    near, own = similarity(rows, seen.held_out), diversity(rows)
    plain = baseline.plain[name] if baseline.plain else None
    shown = baseline.in_contexts[name] if baseline.in_contexts and name in contexts else None
    return Likeness(
        similarity=near,
        reached=seen.bounds.reached(near.value),
        above=None if plain is None else difference(rows, plain, seen.held_out),
        diversity=own / seen.varied if own is not None and seen.varied else None,
        own_class=seen.probe.share(rows, class_name) if seen.probe else None,
        in_context=None if shown is None else contexts_followed(contexts[name], shown),
        text=text_similarity(rows, texts[name]) if name in texts else None,
    )


def reference(standard: Standard, baseline: Baseline) -> dict[str, Reference]:
    """What the figures are held against, by extractor."""
    found = {}
    for name, seen in standard.seen.items():
        shown = baseline.in_contexts[name] if baseline.in_contexts else None
        known = Reference(
            bounds=seen.bounds, autoencoder=seen.autoencoder, own_class=seen.own_class
        )
        if shown is not None and len(shown) > 1:
            reached = {"in_context": contexts_left_out(shown), "by_chance": 1 / len(shown)}
            known = known.model_copy(update=reached)
        found[name] = known
    return found
