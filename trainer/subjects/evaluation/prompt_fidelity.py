"""Prompt fidelity: are pictures of a subject of its class, and do they follow their prompt?

Both are measured on features (n, d) of unit length, without a text encoder: a linear probe of real
photos predicts the class, and the base's own pictures of the noun show what each context ("green
background") looks like. With CLIP, pictures are compared with the text itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from ...probe import train_probe


@dataclass(frozen=True)
class ClassProbe:
    """A linear probe that tells classes apart; `names` in the order of its labels."""

    names: tuple[str, ...]
    probe: LogisticRegression

    def share(self, pictures: np.ndarray, class_name: str) -> float:
        """The share (0 to 1) of pictures (n, d) that are classified as `class_name`."""
        right = np.equal(self.probe.predict(pictures), self.names.index(class_name))
        return float(right.mean())


def train_class_probe(real: Mapping[str, np.ndarray]) -> ClassProbe | None:
    """Train a probe on real photos, features (n, d) by class; None for fewer than two classes."""
    if len(real) < 2:
        return None
    names = tuple(real)
    labels = np.repeat(np.arange(len(names)), [len(rows) for rows in real.values()])
    return ClassProbe(names, train_probe(np.concatenate(list(real.values())), labels, True))


def share_in_context(pictures: np.ndarray, shown: np.ndarray) -> float | None:
    """The share (0 to 1) of pictures nearest to their own context; 1 / contexts by chance.

    `pictures` (contexts, n, d): of the subject, from the same n seeds in each context. `shown`
    (contexts, m, d): of a noun, by the plain base. Each seed's mean over the contexts is subtracted
    from both, which leaves what the context changes. None for fewer than two contexts.
    """
    count = len(pictures)
    if count < 2:
        return None
    centres = (shown - shown.mean(axis=0)).mean(axis=1)
    centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-9)
    closest = ((pictures - pictures.mean(axis=0)) @ centres.T).argmax(axis=-1)
    return float((closest == np.arange(count)[:, None]).mean())


def leave_one_out_share(shown: np.ndarray) -> float | None:
    """`share_in_context` of the noun's own pictures, each seed against the others.

    An upper bound; None for fewer than two contexts or seeds.
    """
    if min(shown.shape[:2]) < 2:
        return None
    seeds = np.arange(shown.shape[1])
    shares = [share_in_context(shown[:, seeds == i], shown[:, seeds != i]) for i in seeds]
    return float(np.mean([share for share in shares if share is not None]))


def text_similarity(pictures: np.ndarray, texts: np.ndarray) -> float:
    """The mean cosine of pictures and their prompts, CLIP features (n, d): CLIP-T in Ruiz et al.
    2023, "DreamBooth", section 4.2. Prompts have the noun in place of the token, which CLIP does
    not know.
    """
    return float((pictures * texts).sum(axis=1).mean())
