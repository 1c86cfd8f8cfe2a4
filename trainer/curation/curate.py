"""folder -> curate -> folder: a dataset folder with the agreement of each pair, and without the
worst."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...core.counted import in_percent
from ...core.masks.compose import join_names
from ...core.masks.conventions import PALETTE
from ...core.masks.labelled_png import read_class_names
from ...core.new_folder import new_folder
from ...core.records import describe_deleted
from ..measure.learner import Step
from ..measure.plans import Budget
from ..measure.segmentation.pair_agreement import (
    ALPHA,
    agreement,
    class_agreement,
    limits,
    noisy,
    plain_counts,
)
from ..measure.segmentation.pair_cache import read_store
from ..measure.segmentation.pair_data import Pair
from ..measure.segmentation.segmenter_settings import Segmenter
from .choose_pairs import check_choice, reasons
from .curation_page import lead, write_page
from .curation_pairs import RealPairs, check_pairs, read_generated, read_real
from .pair_judgements import PairJudgements, Yardstick
from .pair_reader import Reader, cross_read, train_reader
from .pair_tiles import choose_places, tiles
from .write_curated import Curated, write_dataset

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
    """`agreement` (n) of the pairs that were read, and which of them to `keep`; `ignored`: the
    share of labels that became ignored."""

    agreement: np.ndarray
    keep: np.ndarray
    yardstick: Yardstick | None
    ignored: float
    page: Path
    deleted: str = ""
    """What is told of images that were deleted before."""

    @property
    def sentence(self) -> str:
        """What was found."""
        finding = lead(self.agreement, self.keep, self.yardstick)
        noise = (
            f" {in_percent(self.ignored, 1)} of their labels are ignored." if self.ignored else ""
        )
        return " ".join(filter(None, [finding + noise, self.deleted]))


def curate(curation: Curation, step: Step = lambda what, done, of: None) -> Summary:
    """Read each generated pair by a segmenter of real ones, and write what is to be kept.

    Raises InputError for what cannot be read, and for an output that is there already.
    """
    check_choice(curation.least, curation.drop)
    records, deleted = read_generated(curation.folder)
    with new_folder(curation.output) as place:
        real = read_real(curation.real, curation.segmenter.size, curation.alike)
        candidates = [record for record in records if record.kept]
        stated = (curation.real / PALETTE).is_file()
        pairs = check_pairs(curation.folder, candidates, real.code, stated)
        reader = train_reader(real, curation.segmenter, curation.budget, step)
        yardstick = _yardstick(curation, real, reader, step)
        most = limits(_count_real(real, reader) if yardstick is None else yardstick.counts)
        judged = _judge(real, reader, pairs, most, step)
        classes = [record.class_name for record in candidates]
        why = reasons(judged.agreement, classes, curation.least, curation.drop)
        noise = judged.noise if curation.ignore else None
        code = pairs[0].code or real.code
        table = join_names([read_class_names(pair.mask) or code.classes for pair in pairs])
        curated = Curated(curation.folder, code, records, judged, tuple(why), noise, table)
        keep, ignored = write_dataset(place, curated, facts(curation, real, yardstick, most), step)
        chosen = choose_places(judged.agreement)
        pictures = tiles(curation.folder, candidates, judged, keep, chosen, reader, real)
        page = write_page(
            place, curation.folder, classes, judged, keep, yardstick, pictures, ignored
        )
    return Summary(
        judged.agreement,
        keep,
        yardstick,
        ignored,
        curation.output / page.relative_to(place),
        describe_deleted(deleted, curation.folder) if deleted else "",
    )


def facts(
    curation: Curation, real: RealPairs, yardstick: Yardstick | None, most: np.ndarray
) -> dict[str, object]:
    """What manyshot.json says of the curation."""
    summary = {
        "real": len(real.images),
        "segmenter": curation.segmenter.model_dump(mode="json"),
        "steps": curation.budget.steps,
        "batch": curation.budget.batch,
        "least": curation.least,
        "drop": curation.drop,
        "ignore": curation.ignore,
        "alike": curation.alike,
    }
    if yardstick is not None:
        summary["yardstick"] = {
            "how": yardstick.how,
            "median": float(np.median(yardstick.agreement)),
        }
    if curation.ignore:
        shown = zip(real.classes, most.tolist(), strict=True)
        summary |= {
            "alpha": ALPHA,
            "limits": {name: limit for name, limit in shown if np.isfinite(limit)},
        }
    return summary


def _yardstick(curation: Curation, real: RealPairs, reader: Reader, step: Step) -> Yardstick | None:
    """What the segmenter reads in real pairs that it has not learned from."""
    if curation.held_out is not None:
        held_out = read_real(curation.held_out, curation.segmenter.size, real.alike, real.code)
        reads = reader.read(real, held_out.images, held_out.masks)
        counts = np.concatenate([plain_counts(read, len(real.classes)) for read in reads])
        how, classes = "other real pairs", held_out.class_names
    else:
        fold_counts = cross_read(real, curation.segmenter, curation.budget, step)
        if fold_counts is None:
            return None
        counts, how, classes = fold_counts, "the real pairs, each held out once", real.class_names
    shares = agreement(counts, real.background)
    return Yardstick(how, tuple(classes), counts, shares, class_agreement(counts))


def _count_real(real: RealPairs, reader: Reader) -> np.ndarray:
    reads = reader.read(real, real.images, real.masks)
    return np.concatenate([plain_counts(read, len(real.classes)) for read in reads])


def _judge(
    real: RealPairs, reader: Reader, pairs: Sequence[Pair], most: np.ndarray, step: Step
) -> PairJudgements:
    """Each pair as the segmenter reads it, a few hundred at once."""
    parts: list[PairJudgements] = []
    for start in range(0, len(pairs), CHUNK):
        chunk = pairs[start : start + CHUNK]
        images, masks = read_store(chunk, real.code, reader.segmenter.size, _silent)
        for read in reader.read(real, images, real.count_pixels(masks)):
            counts = plain_counts(read, len(real.classes))
            parts.append(
                PairJudgements(
                    real.classes,
                    agreement(counts, real.background),
                    class_agreement(counts),
                    np.packbits(noisy(read.losses, read.target, most), axis=2),
                )
            )
            step("reading pairs", sum(len(judged.agreement) for judged in parts), len(pairs))
    return PairJudgements.concatenate(parts)


def _silent(what: str, done: int, of: int) -> None:
    """Files are read in moments; the segmenter takes the time."""
