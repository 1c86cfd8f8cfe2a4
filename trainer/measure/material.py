"""The material of a measurement: all its images in one table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from ...core.counted import pluralize
from ...core.errors import InputError, read_each
from ..images import content_digest
from .example_table import Table
from .food101 import download, food101
from .groups import FindCopies, find_kept_copies
from .measure_recipe import Data
from .measure_results import FILE, Task, read_results
from .origins import origins
from .segmentation.pair_data import Pair, pair_data
from .sources import Dataset, Example, check_dataset, elpv, folder_dataset, pets


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
    data: Data, task: Task = "classification", search: FindCopies = find_kept_copies
) -> Dataset:
    """The dataset that a recipe names, divided as it says; of pairs, for segmentation.

    `search` finds the copies in a folder that is split by seed, which it keeps together.
    """
    dataset = _read_data(data, search) if task == "classification" else pair_data(data, search)
    return dataset if data.split is None else split_again(dataset, data.split)


def _read_data(data: Data, search: FindCopies) -> Dataset:
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
    real, synthetic_rows, test = np.split(rows, np.cumsum([len(data.real), len(synthetic)]))
    return Table(
        data.classes,
        np.array([labels[example.class_name] for example in examples]),
        real,
        synthetic_rows,
        test,
        np.array([example.seen for example in examples]),
        _sources(
            origins(data, synthetic, copied or {}),
            len(examples),
            np.concatenate([real, test]),
            synthetic_rows,
        ),
        sets=np.array([example.of for example in examples])
        if any(example.of for example in synthetic)
        else None,
    )


def _sources(
    places: np.ndarray | None, count: int, photos: np.ndarray, synthetic: np.ndarray
) -> np.ndarray | None:
    """Row numbers of sources (count, most), from the `places` among `photos` that `made` come
    from."""
    if places is None:
        return None
    sources = np.full((count, places.shape[1]), -1)
    sources[synthetic] = np.where(places < 0, -1, photos[places])
    return sources


def read_material(table: Table, examples: Sequence[Example]) -> Material:
    """The material of all examples. Raises InputError for a file that cannot be read."""
    digests = read_each(content_digest, (example.path for example in examples))
    masks = [content_digest(example.mask) for example in examples if isinstance(example, Pair)]
    arrays = (table.labels, table.real, table.synthetic, table.test, table.seen.astype(np.int64))
    arrays = arrays if table.source is None else (*arrays, table.source)
    numbers = b"".join(array.astype("<i8").tobytes() + b"|" for array in arrays)
    sets = () if table.sets is None else table.sets.tolist()
    text = "\n".join((*digests, *masks, *table.classes, *sets)).encode()
    learned = {digests[row] for row in table.real}
    repeated = sum(digests[row] in learned for row in table.test)
    return Material(tuple(examples), table, sha256(text + numbers).hexdigest(), repeated)


def split_again(data: Dataset, file: Path) -> Dataset:
    """The images of `data`, divided into real and test as `file`, a results.json, names them.

    Images that it does not name are left out. Raises InputError when it names one that `data`
    does not have, and when two images of `data` share a name.
    """
    split = read_results(file.parent if file.name == FILE else file).split
    every = (*data.real, *data.test)
    named = {example.name: example for example in every}
    if len(named) < len(every):
        raise InputError(
            "Two images of the data have the same name, so a saved split cannot distinguish "
            "them. Omit 'split': train/ and test/ folders are a fixed split as they are."
        )
    missing = [name for name in (*split.real, *split.test) if name not in named]
    if missing:
        raise InputError(
            f"The split of {file} has {pluralize(len(missing), 'image')} that the data does "
            f"not have, such as {missing[0]!r}. Use the data it was made from, or omit "
            "'split'."
        )
    real, test = ([named[name] for name in names] for names in (split.real, split.test))
    return check_dataset(real, test, f"As in {file}: {split.description}")
