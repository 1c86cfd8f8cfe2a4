"""Rows as a pandas DataFrame, where pandas is installed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..core.extras import Extra, require

if TYPE_CHECKING:  # pandas is optional
    from pandas import DataFrame


def make_frame(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> "DataFrame":
    """A DataFrame with these columns. Raises InputError, with the command that installs it, where
    pandas is missing."""
    require("`to_frame()`", Extra.NOTEBOOK)
    from pandas import DataFrame

    return DataFrame(list(rows), columns=list(columns))
