"""A contact sheet for each class: real photos, pictures of each method, and nearest pairs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...contact_sheets import Row, write_sheet
from ...measure.pixels.pixel_cache import resize_square
from .memorisation import Memorisation, crop_centre
from .reference_set import ReferenceSet
from .subject_tables import METHODS

SHOWN, SIDE, PAIRS = 8, 128, 4


@dataclass
class Sheet:
    """The rows of a class's contact sheet, added as its pictures are scored."""

    class_name: str
    reference_set: ReferenceSet
    rows: list[Row] = field(default_factory=list)

    def add(
        self,
        name: str,
        pictures: np.ndarray,
        memorisation: Memorisation | None,
        training: Sequence[np.ndarray],
    ) -> None:
        """Add pictures (n, height, width, 3) of a method, and those nearest to training photos."""
        self.rows.append(Row(METHODS.get(name, name), _tiles(list(pictures))))
        if memorisation is None:
            return
        photo: list[int] = memorisation.photo.tolist()
        nearest: list[int] = memorisation.distance.argsort(kind="stable")[:PAIRS].tolist()
        pairs = [tile for i in nearest for tile in (pictures[i], training[photo[i]])]
        self.rows.append(Row("nearest | training", _tiles(pairs)))

    def write(self, path: Path) -> None:
        """Write the sheet as a JPEG."""
        photos = list(self.reference_set.training.values())
        real = [Row("training photos", _tiles(photos))] if photos else []
        held_out = Row("held-out photos", _tiles(self.reference_set.held_out))
        write_sheet(path, [*real, held_out, *self.rows])


def _tiles(images: Sequence[np.ndarray]) -> list[np.ndarray]:
    return [resize_square(crop_centre(image), SIDE) for image in images[:SHOWN]]
