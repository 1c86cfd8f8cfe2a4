"""Whether pictures of a subject are of its class, and follow the rest of the prompt.

Both are read from features (n, d) of unit length, without a net that knows text: a probe of real
photos says of which class a picture is, and the base's own pictures of a noun say what each context
("green background") looks like. With CLIP the text itself can be held against the picture.
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
        """The share (0 to 1) of pictures (n, d) that it takes for the class."""
        right = np.equal(self.probe.predict(pictures), self.names.index(class_name))
        return float(right.mean())


def class_probe(real: Mapping[str, np.ndarray]) -> ClassProbe | None:
    """A probe of real photos, features (n, d) by class; None for fewer than two classes."""
    if len(real) < 2:
        return None
    names = tuple(real)
    labels = np.repeat(np.arange(len(names)), [len(rows) for rows in real.values()])
    return ClassProbe(names, train_probe(np.concatenate(list(real.values())), labels, True))


def contexts_followed(pictures: np.ndarray, shown: np.ndarray) -> float | None:
    """The share (0 to 1) of pictures that look most like their own context; by chance 1 / contexts.

    `pictures` (contexts, n, d): of the subject, from the same n seeds in each context. `shown`
    (contexts, m, d): of a noun, by the plain base. Of both each seed's mean over the contexts is
    taken away, which leaves what the context changes. None for fewer than two contexts.
    """
    count = len(pictures)
    if count < 2:
        return None
    centres = (shown - shown.mean(axis=0)).mean(axis=1)
    centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-9)
    seen = ((pictures - pictures.mean(axis=0)) @ centres.T).argmax(axis=-1)
    return float((seen == np.arange(count)[:, None]).mean())


def contexts_left_out(shown: np.ndarray) -> float | None:
    """`contexts_followed` of the noun's own pictures, each seed against the others.

    It is what can be reached; None for fewer than two contexts, or seeds.
    """
    if min(shown.shape[:2]) < 2:
        return None
    seeds = np.arange(shown.shape[1])
    found = [contexts_followed(shown[:, seeds == i], shown[:, seeds != i]) for i in seeds]
    return float(np.mean([share for share in found if share is not None]))


def text_similarity(pictures: np.ndarray, texts: np.ndarray) -> float:
    """The mean cosine of pictures and of their prompts, features (n, d) of CLIP.

    Ruiz et al. 2023, "DreamBooth", section 4.2, call it CLIP-T. Prompts say the noun in place of
    the token, which CLIP does not know.
    """
    return float((pictures * texts).sum(axis=1).mean())
