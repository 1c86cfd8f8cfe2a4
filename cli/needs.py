"""What a command needs beside the base installation, checked before it begins."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from ..core.extras import Extra, require

Parameters = ParamSpec("Parameters")
Returned = TypeVar("Returned")


def needs(
    command: str, *extras: Extra, program: str = "manyshot"
) -> Callable[[Callable[Parameters, Returned]], Callable[Parameters, Returned]]:
    """Decorates the function of `<program> <command>`: it raises InputError when packages of
    `extras` are missing, with the line that installs them, before anything is imported or done."""

    def check_first(function: Callable[Parameters, Returned]) -> Callable[Parameters, Returned]:
        @wraps(function)
        def checked(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Returned:
            require(f"`{program} {command}`", *extras)
            return function(*args, **kwargs)

        return checked

    return check_first
