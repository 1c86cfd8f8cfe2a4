"""folder -> curate -> folder: a dataset folder with the agreement of each pair, and without the
worst."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...core.counted import in_percent
from ...core.deleted import deleted_sentence
from ...core.masks.compose import join_names
from ...core.masks.conventions import PALETTE
from ...core.masks.labelled_png import read_class_names
from ...core.new_folder import new_folder
from ..measure.learner import Step
from ..measure.plans import Budget
from ..measure.segmentation.pairs import Pair
from ..measure.segmentation.segmenter import Segmenter
from ..measure.segmentation.store import read_store
from ..measure.segmentation.trust import (
    ALPHA,
    agreement,
    class_agreement,
    limits,
    noisy,
    plain_counts,
)
from .choose import check_choice, reasons
from .page import lead, write_page
from .pairs import RealPairs, checked_pairs, read_generated, read_real
from .reader import Reader, cross_read, trained
from .readings import Judged, Yardstick
from .sheet import chosen_places, tiles
from .write import Curated, write_dataset

CHUNK = 256  # pairs in memory at once


@dataclass(frozen=True)
class Curation:
    """What is asked. `held_out`: real pairs for the yardstick, in place of cross-validation.

    `least`, `drop`: see `choose.reasons`. `ignore`: noise becomes ignored in the masks written.
    `alike`: all classes but the background count as one.
    """

    folder: Path
    real: Path
    output: Path
    held_out: Path | None = None
    least: float | None = None
    drop: float | None = None
    ignore: bool = False
    alike: bool = False
    segmenter: Segmenter = field(default_factory=Segmenter)
    budget: Budget = Budget(200, 16)


@dataclass(frozen=True)
class Summary:
    """`agreement` (n) of the pairs that were read, and whether each is `kept`; `ignored`: the share
    of labels that became ignored."""

    agreement: np.ndarray
    kept: np.ndarray
    yardstick: Yardstick | None
    ignored: float
    page: Path
    deleted: str = ""
    """What is told of images that were deleted before."""

    @property
    def sentence(self) -> str:
        """What was found."""
        said = lead(self.agreement, self.kept, self.yardstick)
        noise = (
            f" {in_percent(self.ignored, 1)} of their labels are ignored." if self.ignored else ""
        )
        return " ".join(filter(None, [said + noise, self.deleted]))


def curate(wanted: Curation, step: Step = lambda what, done, of: None) -> Summary:
    """Read each generated pair by a segmenter of real ones, and write what is to be kept.

    Raises InputError for what cannot be read, and for an output that is there already.
    """
    check_choice(wanted.least, wanted.drop)
    records, deleted = read_generated(wanted.folder)
    with new_folder(wanted.output) as place:
        real = read_real(wanted.real, wanted.segmenter.size, wanted.alike)
        candidates = [record for record in records if record.kept]
        stated = (wanted.real / PALETTE).is_file()
        pairs = checked_pairs(wanted.folder, candidates, real.code, stated)
        reader = trained(real, wanted.segmenter, wanted.budget, step)
        yardstick = _yardstick(wanted, real, reader, step)
        most = limits(_measured(real, reader) if yardstick is None else yardstick.counts)
        judged = _judged(real, reader, pairs, most, step)
        classes = [record.class_name for record in candidates]
        why = reasons(judged.agreement, classes, wanted.least, wanted.drop)
        noise = judged.noise if wanted.ignore else None
        code = pairs[0].code or real.code
        table = join_names([read_class_names(pair.mask) or code.classes for pair in pairs])
        curated = Curated(wanted.folder, code, records, judged, tuple(why), noise, table)
        kept, ignored = write_dataset(place, curated, facts(wanted, real, yardstick, most), step)
        chosen = chosen_places(judged.agreement)
        pictures = tiles(wanted.folder, candidates, judged, kept, chosen, reader, real)
        page = write_page(place, wanted.folder, classes, judged, kept, yardstick, pictures, ignored)
    return Summary(
        judged.agreement,
        kept,
        yardstick,
        ignored,
        wanted.output / page.relative_to(place),
        deleted_sentence(deleted, wanted.folder) if deleted else "",
    )


def facts(
    wanted: Curation, real: RealPairs, yardstick: Yardstick | None, most: np.ndarray
) -> dict[str, object]:
    """What manyshot.json says of the curation."""
    found = {
        "real": len(real.images),
        "segmenter": wanted.segmenter.model_dump(mode="json"),
        "steps": wanted.budget.steps,
        "batch": wanted.budget.batch,
        "least": wanted.least,
        "drop": wanted.drop,
        "ignore": wanted.ignore,
        "alike": wanted.alike,
    }
    if yardstick is not None:
        found["yardstick"] = {"how": yardstick.how, "median": float(np.median(yardstick.agreement))}
    if wanted.ignore:
        shown = zip(real.classes, most.tolist(), strict=True)
        found |= {"alpha": ALPHA, "limits": {name: one for name, one in shown if np.isfinite(one)}}
    return found


def _yardstick(wanted: Curation, real: RealPairs, reader: Reader, step: Step) -> Yardstick | None:
    """What the segmenter reads in real pairs that it has not learned from."""
    if wanted.held_out is not None:
        others = read_real(wanted.held_out, wanted.segmenter.size, real.alike, real.code)
        reads = reader.read(real, others.images, others.masks)
        counts = np.concatenate([plain_counts(one, len(real.classes)) for one in reads])
        how, classes = "other real pairs", others.class_names
    else:
        found = cross_read(real, wanted.segmenter, wanted.budget, step)
        if found is None:
            return None
        counts, how, classes = found, "the real pairs, each held out once", real.class_names
    shares = agreement(counts, real.background)
    return Yardstick(how, tuple(classes), counts, shares, class_agreement(counts))


def _measured(real: RealPairs, reader: Reader) -> np.ndarray:
    reads = reader.read(real, real.images, real.masks)
    return np.concatenate([plain_counts(one, len(real.classes)) for one in reads])


def _judged(
    real: RealPairs, reader: Reader, pairs: Sequence[Pair], most: np.ndarray, step: Step
) -> Judged:
    """Each pair as the segmenter reads it, a few hundred at once."""
    parts: list[Judged] = []
    for start in range(0, len(pairs), CHUNK):
        part = pairs[start : start + CHUNK]
        images, masks = read_store(part, real.code, reader.segmenter.size, _silent)
        for read in reader.read(real, images, real.counted(masks)):
            counts = plain_counts(read, len(real.classes))
            parts.append(
                Judged(
                    real.classes,
                    agreement(counts, real.background),
                    class_agreement(counts),
                    np.packbits(noisy(read.losses, read.wanted, most), axis=2),
                )
            )
            step("reading pairs", sum(len(one.agreement) for one in parts), len(pairs))
    return Judged.joined(parts)


def _silent(what: str, done: int, of: int) -> None:
    """Files are read in moments; the segmenter takes the time."""
