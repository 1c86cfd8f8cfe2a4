"""Sort real photos: trained on, held out, or of other classes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from ....core.counted import did_you_mean
from ....core.data.reader import is_annotated
from ....core.errors import InputError
from ....core.image_files import image_files
from ....core.recipe_file import read_recipe_file
from ....core.subsets import evenly
from ...images import content_digest, pixel_digest, read_rgb
from ...measure.material import read_data
from ...measure.measure_recipe import MeasureRecipe
from ...measure.origins import WHOLE
from ...measure.sources import read_examples

YAML = {".yaml", ".yml"}
LEAST_APART = 4  # held-out photos, of which half may be reserved for choosing


@dataclass(frozen=True)
class LabelledPhoto:
    """A real photo. `judge`: pictures may be compared with it, as with a recipe's test images."""

    path: Path
    class_name: str
    digest: str
    judge: bool


@dataclass(frozen=True)
class RealPhotos:
    """Paths of the training photos by sha256, of held-out photos of the class, and of photos of
    other classes by class. `choosing`: held-out photos reserved for choosing a step."""

    training: dict[str, Path]
    held_out: tuple[Path, ...]
    other_classes: dict[str, tuple[Path, ...]]
    choosing: tuple[Path, ...] = ()

    def set_apart(self) -> "RealPhotos":
        """Reserve every other held-out photo for choosing, if there are at least four.

        A step is biased towards the photos that it was chosen on.
        """
        if len(self.held_out) < LEAST_APART:
            return replace(self, choosing=self.held_out)
        return replace(self, choosing=self.held_out[1::2], held_out=self.held_out[::2])


def find_photos(sources: Sequence[Path]) -> list[LabelledPhoto]:
    """All photos of class folders, of folders of photos, or of measurement recipes.

    Every photo of a folder may judge, but only the test split of a recipe. Of duplicates the first
    counts. Raises InputError.
    """
    entries = [entry for source in sources for entry in _list_photos(source)]
    photos: dict[str, LabelledPhoto] = {}
    for path, name, judge in entries:
        digest = content_digest(path)
        photos.setdefault(digest, LabelledPhoto(path, name, digest, judge))
    return list(photos.values())


def _list_photos(source: Path) -> list[tuple[Path, str, bool]]:
    if source.suffix in YAML:
        data = read_data(read_recipe_file(MeasureRecipe, source).data)
        parts = ((data.real, False), (data.test, True))
        return [
            (example.path, example.class_name, judge)
            for examples, judge in parts
            for example in examples
        ]
    if source.is_dir() and not is_annotated(source):
        flat = [path for path in image_files(source) if path.parent == source]
        if flat:
            return [(path, source.name, True) for path in flat]
    return [(example.path, example.class_name, True) for example in read_examples(source)]


def select_photos(
    photos: Sequence[LabelledPhoto], class_name: str, trained_on: Sequence[str], most: int
) -> RealPhotos:
    """Sort photos for one subject: at most `most` of each class, evenly spaced.

    `trained_on`: sha256 of its training photos, which never judge. Raises InputError when none is
    held out.
    """
    training = _match_digests(photos, trained_on)
    trained = set(training.values())
    by_class: dict[str, list[Path]] = {}
    for photo in photos:
        if photo.judge and photo.path not in trained:
            by_class.setdefault(photo.class_name, []).append(photo.path)
    if class_name not in by_class:
        raise InputError(
            f"No real photo of {class_name!r} is held out: add photos that the subject was not "
            f"trained on, in a folder of that name.{did_you_mean(class_name, by_class)}"
        )
    chosen = {name: tuple(evenly(sorted(paths), most)) for name, paths in by_class.items()}
    held_out = chosen.pop(class_name)
    return RealPhotos(training, held_out, chosen)


def _match_digests(photos: Sequence[LabelledPhoto], digests: Sequence[str]) -> dict[str, Path]:
    """The digests that match a photo, by its file or by its pixels, which is what ComfyUI's canvas
    passes on."""
    by_file = {photo.digest: photo.path for photo in photos}
    missing = [digest for digest in digests if digest not in by_file]
    by_pixels = {_pixel_digest(photo.path): photo.path for photo in photos} if missing else {}
    everything = {**by_pixels, **by_file}
    return {digest: everything[digest] for digest in digests if digest in everything}


@lru_cache(maxsize=100_000)
def _pixel_digest(path: Path) -> str:
    return pixel_digest(read_rgb(path, WHOLE))


def read_pixels(paths: Sequence[Path], size: int) -> list[np.ndarray]:
    """RGB bytes, the shorter side at most `size`: no sharper than the pictures they are compared
    with."""
    return [read_rgb(path, size) for path in paths]
