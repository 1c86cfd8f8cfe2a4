"""JSON that others wrote: the one place that parses it, within bounds of size and depth.

A file of a stranger may hold 100,000 brackets, or a number of a million digits. What cannot be
taken is a ValueError in a few words; the caller says which file it was and what to do. `items` and
its like take what has the kind that it must have, of a server that may send anything.
"""

import codecs
import json
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import IO, Any

from .files import MOST_BYTES, open_regular

MOST_DEPTH = 100  # brackets within brackets


def parse_json(
    text: str | bytes,
    most: int = MOST_BYTES,
    parse_constant: Callable[[str], Any] | None = None,
) -> Any:
    """The value of a JSON text of at most `most` bytes and MOST_DEPTH brackets in each other.

    `parse_constant` is called with NaN, Infinity and -Infinity, which are no JSON; without it they
    are floats. Raises ValueError for what is larger, deeper, or no JSON.
    """
    if len(text) > most:
        raise ValueError(f"it is larger than {most:,} bytes")
    try:
        value = json.loads(text, parse_constant=parse_constant)
    except RecursionError:
        raise _too_deep() from None
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8 text") from None
    except json.JSONDecodeError:
        raise
    except ValueError:  # of Python's limit of 4,300 digits
        raise ValueError("it holds a number with too many digits") from None
    _check_depth(value)
    return value


def read_json(path: Path, most: int = MOST_BYTES) -> Any:
    """The value in a JSON file. Raises OSError, and ValueError as `parse_json` does.

    A byte order mark is passed over; no more than `most` bytes are read.
    """
    with open_regular(path) as file:
        return parse_json(file.read(most + 1).removeprefix(codecs.BOM_UTF8), most)


def read_bounded_lines(file: IO[bytes], most: int = MOST_BYTES) -> Iterator[bytes]:
    """The lines of a file, each with its newline. Raises ValueError for one of over `most` bytes,
    before it is in memory."""
    while line := file.readline(most + 1):
        if len(line) > most:
            raise ValueError(f"it is longer than {most:,} bytes")
        yield line


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MOST_DEPTH):
        level = [item for item in chain.from_iterable(map(_items, level)) if _is_nested(item)]
        if not level:
            return
    raise _too_deep()


def _items(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _is_nested(value: Any) -> bool:
    return isinstance(value, dict | list)


def _too_deep() -> ValueError:
    return ValueError(f"it is nested too deeply (more than {MOST_DEPTH} brackets)")


def items(value: Any) -> list[Any]:
    """A list as it is; none of anything else."""
    return value if isinstance(value, list) else []


def dicts(value: Any) -> list[dict[str, Any]]:
    """The objects in a list; none of anything else."""
    return [item for item in items(value) if isinstance(item, dict)]


def fields(value: Any) -> Mapping[str, Any]:
    """An object as it is; an empty one of anything else."""
    return value if isinstance(value, dict) else {}


def whole(value: Any) -> int:
    """A whole number as it is; 0 of anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
