"""What nodes share that take whole lists at once (is_input_list)."""

from collections.abc import Sequence
from typing import TypeVar

from ..core.counted import pluralize
from ..core.errors import InputError

Value = TypeVar("Value")


def each(name: str, values: Sequence[Value], count: int, what: str = "mask") -> Sequence[Value]:
    """One value for each of `count` masks, or of `what` else: as many as there are, or one for all.

    Raises InputError, naming the input, for any other number.
    """
    if len(values) not in (1, count):
        raise InputError(
            f"There {'is' if count == 1 else 'are'} {pluralize(count, what)} and "
            f"{pluralize(len(values), 'item')} in {name!r}; provide one for all, or one each."
        )
    return values if len(values) == count else [values[0]] * count
