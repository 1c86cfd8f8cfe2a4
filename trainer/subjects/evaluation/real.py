"""The real photos: which of them a subject was trained on, which are held out, which are others."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from ....core.errors import InputError
from ....core.image_files import image_files
from ....core.nearest import did_you_mean
from ....core.recipe_file import read_recipe_file
from ...base.data import evenly
from ...images import content_digest, pixel_digest, read_rgb
from ...measure.material import read_data
from ...measure.origins import WHOLE
from ...measure.recipe import MeasureRecipe
from ...measure.sources import read_examples

YAML = {".yaml", ".yml"}
LEAST_APART = 4  # held-out photos of which half may choose


@dataclass(frozen=True)
class Found:
    """A real photo. `judge`: it may be held against pictures; a recipe's test images may."""

    path: Path
    class_name: str
    digest: str
    judge: bool


@dataclass(frozen=True)
class RealPhotos:
    """Paths: of photos that were trained on, by sha256, of others of the class, and of photos of
    each other class. `choosing`: held out as well, to choose a step by."""

    training: dict[str, Path]
    held_out: tuple[Path, ...]
    others: dict[str, tuple[Path, ...]]
    choosing: tuple[Path, ...] = ()

    def set_apart(self) -> "RealPhotos":
        """With every other held-out photo for choosing, where four are there.

        A step that was chosen by some photos looks better to them than it is.
        """
        if len(self.held_out) < LEAST_APART:
            return replace(self, choosing=self.held_out)
        return replace(self, choosing=self.held_out[1::2], held_out=self.held_out[::2])


def find_photos(sources: Sequence[Path]) -> list[Found]:
    """All photos of class folders, of folders of photos, or of the data of measurements' recipes.

    Of class folders every photo may judge, of a recipe those of its test split. A photo that is
    there twice counts once, as it is first. Raises InputError.
    """
    listed = [one for source in sources for one in _listed(source)]
    found: dict[str, Found] = {}
    for path, name, judge in listed:
        digest = content_digest(path)
        found.setdefault(digest, Found(path, name, digest, judge))
    return list(found.values())


def _listed(source: Path) -> list[tuple[Path, str, bool]]:
    if source.suffix in YAML:
        data = read_data(read_recipe_file(MeasureRecipe, source).data)
        parts = ((data.real, False), (data.test, True))
        return [(one.path, one.class_name, judge) for part, judge in parts for one in part]
    if source.is_dir():
        flat = [path for path in image_files(source) if path.parent == source]
        if flat:
            return [(path, source.name, True) for path in flat]
    return [(one.path, one.class_name, True) for one in read_examples(source)]


def photos_of(
    found: Sequence[Found], class_name: str, trained_on: Sequence[str], most: int
) -> RealPhotos:
    """The photos as they stand to one subject, `most` of each class at most, evenly chosen.

    `trained_on`: sha256 of the photos that it learned from, which never judge. Raises InputError
    when none is held out.
    """
    training = _known(found, trained_on)
    seen = set(training.values())
    by_class: dict[str, list[Path]] = {}
    for one in found:
        if one.judge and one.path not in seen:
            by_class.setdefault(one.class_name, []).append(one.path)
    if class_name not in by_class:
        raise InputError(
            f"No real photo of {class_name!r} is held out: give photos of it that it was not "
            f"trained on, in a folder of that name.{did_you_mean(class_name, by_class)}"
        )
    chosen = {name: tuple(evenly(sorted(paths), most)) for name, paths in by_class.items()}
    held_out = chosen.pop(class_name)
    return RealPhotos(training, held_out, chosen)


def _known(found: Sequence[Found], digests: Sequence[str]) -> dict[str, Path]:
    """Those of the digests that are of a photo here: of its file, or of its pixels, as ComfyUI's
    canvas gives photos."""
    by_file = {one.digest: one.path for one in found}
    rest = [digest for digest in digests if digest not in by_file]
    by_pixels = {_pixel_digest(one.path): one.path for one in found} if rest else {}
    everything = {**by_pixels, **by_file}
    return {digest: everything[digest] for digest in digests if digest in everything}


@lru_cache(maxsize=100_000)
def _pixel_digest(path: Path) -> str:
    return pixel_digest(read_rgb(path, WHOLE))


def read_pixels(paths: Sequence[Path], size: int) -> list[np.ndarray]:
    """RGB bytes, the shorter side at most `size`: as large as pictures are, so as not to be
    told from them by their sharpness."""
    return [read_rgb(path, size) for path in paths]
