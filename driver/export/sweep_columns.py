"""The values of a sweep as columns of a table, each of one type."""

from collections.abc import Iterable, Mapping

Scalar = bool | int | float | str
INT64 = 2**63


def column_types(sweeps: Iterable[Mapping[str, Scalar]]) -> dict[str, str]:
    """Address of each swept input -> Arrow's name of the type that holds all its values: bool,
    int64, uint64, float64, or string where they are of several kinds."""
    values: dict[str, list[Scalar]] = {}
    for sweep in sweeps:
        for address, value in sweep.items():
            values.setdefault(address, []).append(value)
    return {address: _type(column) for address, column in values.items()}


def _type(values: list[Scalar]) -> str:
    kinds = {type(value) for value in values}
    if kinds == {bool}:
        return "bool"
    if kinds == {int}:
        return _integers([int(value) for value in values])
    return "float64" if kinds <= {int, float} else "string"


def _integers(values: list[int]) -> str:
    least, most = min(values), max(values)
    if least >= -INT64 and most < INT64:
        return "int64"
    return "uint64" if least >= 0 and most < 2 * INT64 else "string"
