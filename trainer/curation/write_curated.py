"""The dataset folder of a curation: every file of the one that was read, with what was found."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import InputError
from ...core.files import open_atomic, write_atomic, write_text_atomic
from ...core.json_text import read_json
from ...core.masks.compose import recode
from ...core.masks.label_mask import LabelMask, MaskCode
from ...core.masks.labelled_png import encode_png, read_class_names, read_labelled, read_labels
from ...core.masks.objects import object_facts
from ...core.paths import inside
from ...core.records import MANIFEST, METADATA, Record
from ..measure.learner import Step
from .pair_judgements import PairJudgements, unpack_noise, without_noise

GONE = "nothing of its objects is left: all of it is noise"


@dataclass(frozen=True)
class Curated:
    """`records` of `folder`, all of them; of those that were kept what was `judged`, and `why` they
    are left out. `noise`: as in `Judged`, where masks are to ignore it."""

    folder: Path
    code: MaskCode
    records: Sequence[Record]
    judged: PairJudgements
    why: tuple[str | None, ...]
    noise: np.ndarray | None
    classes: tuple[str, ...]


def write_dataset(
    place: Path, curated: Curated, facts: Mapping[str, Any], step: Step
) -> tuple[np.ndarray, float]:
    """Write all of it; gives which of the pairs read are kept (n), and the share of labels ignored.

    The pairs left out stay in the folder, with their reason in their records. Raises InputError for
    a file that cannot be read.
    """
    keep, noise, labelled, number = [], 0, 0, 0
    with open_atomic(place / METADATA) as lines:
        for record in curated.records:
            _copy(curated.folder, place, record.file_name)
            if record.kept:
                record, counts = _write_pair(place, curated, record, number)
                keep.append(record.kept)
                noise, labelled, number = noise + counts[0], labelled + counts[1], number + 1
                step("writing", number, len(curated.why))
            elif record.mask_file_name is not None:
                _copy(curated.folder, place, record.mask_file_name)
            lines.write(record.line().encode())
    _write_manifest(place, curated.folder, facts)
    return np.array(keep), noise / max(labelled, 1)


def _write_pair(
    place: Path, curated: Curated, record: Record, number: int
) -> tuple[Record, tuple[int, int]]:
    """The record of a pair that was read, its mask written; pixels ignored, and labelled before."""
    mask = label_mask(inside(curated.folder, str(record.mask_file_name)), curated.code)
    why, written, ignored = curated.why[number], mask, 0
    if curated.noise is not None and why is None:
        cleaned = without_noise(mask, unpack_noise(curated.noise[number]))
        why = None if cleaned.objects() or not mask.objects() else GONE
        written = cleaned if why is None else mask
    named = read_class_names(inside(curated.folder, str(record.mask_file_name)))
    if written is mask and named in (None, curated.classes):
        _copy(curated.folder, place, str(record.mask_file_name))
    else:
        write_atomic(
            inside(place, str(record.mask_file_name)), encode_png(recode(written, curated.classes))
        )
        ignored = int((written.labels != mask.labels).sum())
    changes = {
        "scores": {**record.scores, **curated.judged.scores(number)},
        "kept": why is None,
        "reason": why,
        "objects": object_facts(written),
    }
    return record.model_copy(update=changes), (ignored, int((mask.labels != mask.ignored).sum()))


def label_mask(path: Path, code: MaskCode) -> LabelMask:
    """A mask with the classes that it names itself, else by `code`."""
    mask = read_labelled(path)
    return LabelMask(read_labels(path, code), code.classes) if mask is None else mask


def _copy(folder: Path, place: Path, name: str) -> None:
    source, target = inside(folder, name), inside(place, name)
    target.parent.mkdir(parents=True, exist_ok=True)
    if not source.is_file():
        raise InputError(f"{folder / METADATA} lists {source}, but there is no such file.")
    shutil.copyfile(source, target)


def _write_manifest(place: Path, folder: Path, facts: Mapping[str, Any]) -> None:
    """manyshot.json of the folder that was read, and how it was curated."""
    path, content = folder / MANIFEST, {}
    if path.is_file():
        try:
            content = read_json(path)
        except (OSError, ValueError) as error:
            raise InputError(f"{path} cannot be read ({error}).") from None
    text = json.dumps({**content, "curated": facts}, indent=2, ensure_ascii=False)
    write_text_atomic(place / MANIFEST, text + "\n")
