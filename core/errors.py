"""Errors that reach the user as one sentence: what happened, where, what to do."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Value = TypeVar("Value")
MOST_SENTENCES = 20


class ManyshotError(Exception):
    """Something failed on the way; the command ends with exit code 1."""

    exit_code = 1


class InputError(ManyshotError):
    """The user's input is wrong (recipe, workflow, option); nothing was started. Exit code 2."""

    exit_code = 2


class ServerError(ManyshotError):
    """A server did not answer, or answered something that cannot be used."""


def read_each(read: Callable[[Item], Value], items: Iterable[Item]) -> list[Value]:
    """`read` of every item. Raises InputError with what is wrong with each, not the first alone."""
    values: list[Value] = []
    errors: list[InputError] = []
    for item in items:
        try:
            values.append(read(item))
        except InputError as error:
            errors.append(error)
    if errors:
        raise combine_errors(errors)
    return values


def combine_errors(errors: Sequence[InputError]) -> InputError:
    """One error with the sentences of all, a line each; of many the first, and their number."""
    if len(errors) == 1:
        return errors[0]
    lines = [str(error) for error in errors[:MOST_SENTENCES]]
    more = len(errors) - len(lines)
    return InputError("\n".join([*lines, f"And {more:,} more."] if more > 0 else lines))
