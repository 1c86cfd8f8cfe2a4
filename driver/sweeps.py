"""A recipe's `sweep`: ranges, lists that go together, and the combinations that they make."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from itertools import product
from math import prod
from typing import Any

from pydantic import Field

from .inputs import Scalar, StrictModel

MOST_VALUES = 10_000
RANGE = {"from", "to", "step"}
Coupled = Sequence[Sequence[str]]


class SweepRange(StrictModel):
    """A range as it is written; `expand_sweep` makes a list of it."""

    first: float = Field(alias="from")
    to: float
    step: float = 1


def expand_sweep(value: Any) -> tuple[Any, list[list[str]]]:
    """A sweep as it is written: address -> values, and the addresses that go together.

    `{from: 3, to: 9, step: 2}` stands for a list of numbers, `to` included where a step meets it.
    What is below `zip` is taken together, value by value; that may be a list of such groups. What
    is of another form stays for the recipe's own check. Raises ValueError, also for a value that
    equals another of its list, as 7.0 does 7.
    """
    if not isinstance(value, Mapping):
        return value, []
    groups = value.get("zip", [])
    groups = groups if isinstance(groups, list) else [groups]
    sweep = {address: _values(address, each) for address, each in value.items() if address != "zip"}
    coupled = []
    for group in groups:
        if not isinstance(group, Mapping) or len(group) < 2:
            raise ValueError("'zip' takes two addresses or more, each with its list of values")
        lists = {address: _values(address, each, apart=False) for address, each in group.items()}
        _check_lengths(lists)
        _check_steps_apart(lists)
        if twice := sweep.keys() & lists.keys():
            raise ValueError(f"{twice.pop()!r} appears twice; keep one")
        sweep |= lists
        coupled.append(list(lists))
    return sweep, coupled


def combinations(
    sweep: Mapping[str, Sequence[Scalar]], coupled: Coupled
) -> Iterator[dict[str, Scalar]]:
    """Every combination of the values, the last address fastest; coupled ones in step."""
    order = list(sweep)
    lists = [
        [dict(zip(group, values, strict=True)) for values in _steps(sweep, group)]
        for group in _groups(sweep, coupled)
    ]
    for chosen in product(*lists):
        merged = {address: value for values in chosen for address, value in values.items()}
        yield {address: merged[address] for address in order}


def count_combinations(sweep: Mapping[str, Sequence[Scalar]], coupled: Coupled) -> int:
    """How many `combinations` gives."""
    return prod(len(sweep[group[0]]) for group in _groups(sweep, coupled))


def describe_sweep(sweep: Mapping[str, Sequence[Scalar]], coupled: Coupled) -> str:
    """The values, as a person reads them: "KSampler.cfg 3, 5, 7; A.x with B.y 1/a, 2/b"."""
    texts = []
    for group in _groups(sweep, coupled):
        values = ["/".join(map(str, each)) for each in _steps(sweep, group)]
        shown = ", ".join(values[:6]) + (f", … ({len(values)})" if len(values) > 6 else "")
        texts.append(f"{' with '.join(group)} {shown}")
    return "; ".join(texts)


def _steps(
    sweep: Mapping[str, Sequence[Scalar]], group: Sequence[str]
) -> Iterator[tuple[Scalar, ...]]:
    return zip(*(sweep[address] for address in group), strict=True)


def _groups(sweep: Mapping[str, Sequence[Scalar]], coupled: Coupled) -> list[tuple[str, ...]]:
    first = {group[0]: tuple(group) for group in coupled}
    followers = {address for group in coupled for address in group[1:]}
    return [first.get(address, (address,)) for address in sweep if address not in followers]


def _values(address: str, value: Any, apart: bool = True) -> Any:
    if isinstance(value, Mapping) and value.keys() <= RANGE:
        value = _range(address, value)
    if isinstance(value, list) and apart:
        _check_apart(address, value)
    return value


def _check_apart(address: str, values: Sequence[Any]) -> None:
    """Raises ValueError for two values that are one."""
    by_key: dict[tuple[bool, Any], Any] = {}
    for value in (value for value in values if isinstance(value, Scalar)):
        key = _key(value)
        if key in by_key:
            raise ValueError(f"{address!r} has {by_key[key]!r} and {value!r}, one value: keep one")
        by_key[key] = value


def _check_steps_apart(lists: Mapping[str, Any]) -> None:
    """Raises ValueError where lists that go together draw one combination twice."""
    steps = [v for v in lists.values() if isinstance(v, list)]
    if len(steps) < len(lists) or not all(isinstance(v, Scalar) for each in steps for v in each):
        return
    numbers: dict[tuple[tuple[bool, Any], ...], int] = {}
    for number, values in enumerate(zip(*steps, strict=True), start=1):
        first = numbers.setdefault(tuple(map(_key, values)), number)
        if first != number:
            raise ValueError(
                f"values {first} and {number} of the lists below 'zip' are the same combination, "
                f"{'/'.join(map(str, values))}: keep one"
            )


def _key(value: Scalar) -> tuple[bool, Scalar]:
    """Equal for values that are one, as 7 and 7.0 are; true and 1 are two."""
    return isinstance(value, bool), value


def _range(address: str, value: Mapping[str, Any]) -> list[int | float]:
    if not {"from", "to"} <= value.keys():
        raise ValueError(f"{address!r}: a range needs 'from' and 'to'")
    try:
        first, last, step = (Decimal(str(value.get(k, 1))) for k in ("from", "to", "step"))
        count = int((last - first) / step) + 1
    except (InvalidOperation, ArithmeticError, OverflowError, ValueError):
        raise ValueError(
            f"{address!r}: 'from', 'to' and 'step' must be numbers, step not 0"
        ) from None
    if not 1 <= count <= MOST_VALUES:
        raise ValueError(
            f"{address!r}: the range has {max(count, 0):,} values, not 1 to {MOST_VALUES:,}; "
            "one that falls needs a 'step' below 0"
        )
    return [_plain(first + step * number) for number in range(count)]


def _plain(number: Decimal) -> int | float:
    return int(number) if number == int(number) else float(number)


def _check_lengths(lists: Mapping[str, Any]) -> None:
    lengths = {address: len(v) for address, v in lists.items() if isinstance(v, list)}
    if len(set(lengths.values())) > 1:
        counts = ", ".join(f"{address} has {count}" for address, count in lengths.items())
        raise ValueError(f"lists below 'zip' go together and must be equally long: {counts}")
