"""The split of an earlier measurement, used again."""

from pathlib import Path

from ...core.counted import pluralize
from ...core.errors import InputError
from .results import FILE, read_results
from .sources import Dataset, checked


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
    return checked(real, test, f"As in {file}: {split.description}")
