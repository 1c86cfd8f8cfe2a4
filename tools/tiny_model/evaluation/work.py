"""What every part of the evaluation works with."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from manyshot.core.errors import InputError
from manyshot.core.subsets import evenly
from manyshot.trainer.segmenter import Segmenter

from ..figures.card_tables import PICTURES
from ..figures.control_figures import write_flat_photos
from ..figures.dataset_images import DatasetImages, read_drawn
from ..figures.instruments import Instruments
from ..pets import pet_segmenter
from . import recipes
from .recipes import Recipe, class_words
from .stage import Stage

PHOTOS = 500  # through the autoencoder; fewer in a small evaluation


@dataclass(frozen=True)
class Work:
    """One evaluation: where it draws, and what it is held against.

    `each`: images of each class where classes are judged; elsewhere `few`. `strengths`: the
    guidance that is swept. `cfg`: that which is drawn with; None until it is chosen.
    """

    stage: Stage
    tools: Instruments
    data: Path
    kept: Path
    each: int
    few: int
    strengths: tuple[float, ...]
    cfg: float | None

    @property
    def guidance(self) -> float:
        """The guidance to draw with. Raises InputError when nobody has chosen it."""
        if self.cfg is None:
            raise InputError("No guidance is chosen yet: add `--part guidance`, or give --cfg.")
        return self.cfg

    @property
    def words(self) -> dict[str, str]:
        """Class name -> its words in a prompt."""
        return class_words(self.tools.names, self.tools.species.tolist())

    @cached_property
    def segmenter(self) -> Segmenter:
        """Trained on the pool's trimaps; kept for later evaluations."""
        return pet_segmenter(self.kept, self.tools.session, self.data)

    @cached_property
    def reconstructed(self) -> DatasetImages:
        """Test images that went through the autoencoder and back."""
        entries = evenly(self.tools.test.entries, min(PHOTOS, 25 * self.each))
        folder = write_flat_photos(self.inputs("photos"), self.data, entries)
        return self.drawn("autoencoder", recipes.autoencoder(folder, len(entries)))

    def drawn(self, name: str, recipe: Recipe) -> DatasetImages:
        """The images of a recipe; those drawn with guidance are kept apart by its strength."""
        return read_drawn(self.stage.draw(name, recipe))

    def inputs(self, name: str) -> Path:
        """A folder for pictures that recipes load."""
        return self.stage.folder / "inputs" / name

    def picture(self, name: str) -> Path:
        """Where a contact sheet goes; `publish` brings it into the docs."""
        return self.stage.folder / "pictures" / f"{PICTURES}{name}"
