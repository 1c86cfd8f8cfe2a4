"""The material of a measurement: all its images in one table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from ...core.errors import read_each
from ..images import content_digest
from .downloads import download
from .food101 import food101
from .groups import SearchDoubles, search_doubles
from .origins import origins
from .recipe import Data
from .results import Task
from .segmentation.pairs import Pair, pair_data
from .sources import Dataset, Example, elpv, folder_dataset, pets
from .splits import split_again
from .table import Table


@dataclass(frozen=True)
class Material:
    """The images of a measurement, a row each.

    `digest` is of all that decides a run beside its config. `repeated`: test images whose files
    are among the real ones.
    """

    examples: tuple[Example, ...]
    table: Table
    digest: str
    repeated: int


def read_data(
    data: Data, task: Task = "classification", search: SearchDoubles = search_doubles
) -> Dataset:
    """The dataset that a recipe names, divided as it says; of pairs, for segmentation.

    `search` finds the copies in a folder that is split by seed, which it keeps together.
    """
    found = _read_data(data, search) if task == "classification" else pair_data(data, search)
    return found if data.split is None else split_again(found, data.split)


def _read_data(data: Data, search: SearchDoubles) -> Dataset:
    if data.path is None:
        return elpv(data.test_share, data.split_seed)
    if data.kind in ("pets", "food101"):
        if data.download:
            download(data.kind, data.path)
        return pets(data.path) if data.kind == "pets" else food101(data.path)
    return folder_dataset(data.path, data.test, data.test_share, data.split_seed, search)


def make_table(
    data: Dataset, synthetic: Sequence[Example], copied: Mapping[int, int] | None = None
) -> Table:
    """Rows in the order real, synthetic, test. `copied`: places of synthetic images that are copies
    of real ones, and of these, which count among what they come from."""
    examples = (*data.real, *synthetic, *data.test)
    labels = {name: label for label, name in enumerate(data.classes)}
    rows = np.arange(len(examples))
    real, made, test = np.split(rows, np.cumsum([len(data.real), len(synthetic)]))
    return Table(
        data.classes,
        np.array([labels[example.class_name] for example in examples]),
        real,
        made,
        test,
        np.array([example.seen for example in examples]),
        _sources(
            origins(data, synthetic, copied or {}),
            len(examples),
            np.concatenate([real, test]),
            made,
        ),
        sets=np.array([one.of for one in examples]) if any(one.of for one in synthetic) else None,
    )


def _sources(
    places: np.ndarray | None, count: int, photos: np.ndarray, made: np.ndarray
) -> np.ndarray | None:
    """Row numbers of sources (count, most), from the `places` among `photos` that `made` come
    from."""
    if places is None:
        return None
    sources = np.full((count, places.shape[1]), -1)
    sources[made] = np.where(places < 0, -1, photos[places])
    return sources


def read_material(table: Table, examples: Sequence[Example]) -> Material:
    """The material of all examples. Raises InputError for a file that cannot be read."""
    digests = read_each(content_digest, (example.path for example in examples))
    masks = [content_digest(example.mask) for example in examples if isinstance(example, Pair)]
    parts = (table.labels, table.real, table.synthetic, table.test, table.seen.astype(np.int64))
    parts = parts if table.source is None else (*parts, table.source)
    numbers = b"".join(part.astype("<i8").tobytes() + b"|" for part in parts)
    sets = () if table.sets is None else table.sets.tolist()
    text = "\n".join((*digests, *masks, *table.classes, *sets)).encode()
    learned = {digests[row] for row in table.real}
    repeated = sum(digests[row] in learned for row in table.test)
    return Material(tuple(examples), table, sha256(text + numbers).hexdigest(), repeated)
