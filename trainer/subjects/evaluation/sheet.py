"""A picture of each class: real photos, pictures of each origin, and the nearest pairs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...base.evaluation.sheets import Row, write_sheet
from ...measure.pixels.store import sized
from .cells import METHODS
from .memory import Memory, middle
from .standard import Standard

SHOWN, SIDE, PAIRS = 8, 128, 4


@dataclass
class Sheet:
    """The rows of one class's picture, filled as its pictures are judged."""

    class_name: str
    standard: Standard
    rows: list[Row] = field(default_factory=list)

    def add(
        self,
        name: str,
        pictures: np.ndarray,
        memory: Memory | None,
        training: Sequence[np.ndarray],
    ) -> None:
        """Pictures (n, height, width, 3) of one origin, and those nearest to training photos."""
        self.rows.append(Row(METHODS.get(name, name), _tiles(list(pictures))))
        if memory is None:
            return
        photo: list[int] = memory.photo.tolist()
        nearest: list[int] = memory.distance.argsort(kind="stable")[:PAIRS].tolist()
        pairs = [one for i in nearest for one in (pictures[i], training[photo[i]])]
        self.rows.append(Row("nearest | training", _tiles(pairs)))

    def write(self, path: Path) -> None:
        """All of it as a JPEG."""
        photos = list(self.standard.training.values())
        real = [Row("training photos", _tiles(photos))] if photos else []
        held_out = Row("held-out photos", _tiles(self.standard.held_out))
        write_sheet(path, [*real, held_out, *self.rows])


def _tiles(images: Sequence[np.ndarray]) -> list[np.ndarray]:
    return [sized(middle(image), SIDE) for image in images[:SHOWN]]
