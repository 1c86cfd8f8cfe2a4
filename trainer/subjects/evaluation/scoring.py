"""Score the pictures of one method against the reference set of their class: a row of the table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .evaluation_results import MemorisationFigures, Reference, SubjectFidelity
from .memorisation import Memorisation, measure_memorisation
from .prompt_fidelity import leave_one_out_share, share_in_context, text_similarity
from .reference_set import FeatureExtractors, ReferenceFeatures, ReferenceSet
from .subject_fidelity import difference, diversity, similarity
from .subject_pictures import Pictures
from .text_rendering import Detector, Reader, TextRendering, measure_text_rendering

Rows = Mapping[str, np.ndarray]  # features (n, d) by extractor


@dataclass(frozen=True)
class TextCheck:
    """The word on a logo, with the OCR and the detector that look for it."""

    word: str
    reader: Reader
    detector: Detector | None = None


@dataclass(frozen=True)
class Baseline:
    """Features by extractor: of the class-name prompt's pictures (n, d), and of the noun's in
    contexts (contexts, n, d). Either may be missing."""

    plain: Rows | None = None
    in_contexts: Rows | None = None


@dataclass(frozen=True)
class ImageScores:
    """The figures of a table row, and the nearest training photo of each picture."""

    likeness: dict[str, SubjectFidelity]
    memorisation: Memorisation | None
    lettering: TextRendering | None

    @property
    def memorised(self) -> MemorisationFigures | None:
        """The memorisation in the form of the results file."""
        memorisation = self.memorisation
        if memorisation is None:
            return None
        photos = len(np.unique(memorisation.photo[memorisation.distance <= memorisation.threshold]))
        return MemorisationFigures(
            share=memorisation.share,
            expected=memorisation.expected,
            threshold=memorisation.threshold,
            photos=photos,
        )

    @property
    def figures(self) -> dict[str, Any]:
        """The figures by their keys in a row of the results file."""
        return {
            "likeness": self.likeness,
            "memorised": self.memorised,
            "lettering": self.lettering,
        }


def score_pictures(
    pictures: Pictures,
    prompts: Sequence[str],
    reference_set: ReferenceSet,
    extractor: FeatureExtractors,
    baseline: Baseline,
    training: Sequence[np.ndarray] = (),
    text_check: TextCheck | None = None,
) -> ImageScores:
    """All figures of pictures. `prompts`: one for each picture, with the noun in place of the
    token, or none. `training`: RGB bytes of the photos that the pictures may copy.
    """
    images = list(pictures.plain)
    rows = extractor.extract(images)
    contexts = extract_context_features(extractor, pictures)
    texts = {e.id: e.texts(prompts) for e in extractor.extractors if e.texts and prompts}
    fidelity = {
        name: _measure_fidelity(
            rows[name], reference_set.class_name, reference, name, baseline, contexts, texts
        )
        for name, reference in reference_set.features.items()
    }
    copies = measure_memorisation(images, training, reference_set.held_out) if training else None
    rendering = text_check and measure_text_rendering(
        images, text_check.word, text_check.reader, text_check.detector
    )
    return ImageScores(fidelity, copies, rendering)


def extract_context_features(extractor: FeatureExtractors, pictures: Pictures) -> Rows:
    """Features (contexts, n, d) of the pictures in contexts, by extractor; {} without any."""
    if pictures.in_contexts is None:
        return {}
    shape = pictures.in_contexts.shape[:2]
    flat = extractor.extract(
        list(pictures.in_contexts.reshape(-1, *pictures.in_contexts.shape[2:]))
    )
    return {name: rows.reshape(*shape, -1) for name, rows in flat.items()}


def _measure_fidelity(
    rows: np.ndarray,
    class_name: str,
    reference: ReferenceFeatures,
    name: str,
    baseline: Baseline,
    contexts: Rows,
    texts: Rows,
) -> SubjectFidelity:
    to_held_out, variety = similarity(rows, reference.held_out), diversity(rows)
    plain = baseline.plain[name] if baseline.plain else None
    shown = baseline.in_contexts[name] if baseline.in_contexts and name in contexts else None
    return SubjectFidelity(
        similarity=to_held_out,
        reached=reference.bounds.normalise(to_held_out.value),
        above=None if plain is None else difference(rows, plain, reference.held_out),
        diversity=variety / reference.diversity
        if variety is not None and reference.diversity
        else None,
        own_class=reference.probe.share(rows, class_name) if reference.probe else None,
        in_context=None if shown is None else share_in_context(contexts[name], shown),
        text=text_similarity(rows, texts[name]) if name in texts else None,
    )


def build_references(reference_set: ReferenceSet, baseline: Baseline) -> dict[str, Reference]:
    """The reference values that figures are read against, by extractor."""
    references = {}
    for name, features in reference_set.features.items():
        shown = baseline.in_contexts[name] if baseline.in_contexts else None
        reference = Reference(
            bounds=features.bounds, autoencoder=features.autoencoder, own_class=features.own_class
        )
        if shown is not None and len(shown) > 1:
            reached = {"in_context": leave_one_out_share(shown), "by_chance": 1 / len(shown)}
            reference = reference.model_copy(update=reached)
        references[name] = reference
    return references
