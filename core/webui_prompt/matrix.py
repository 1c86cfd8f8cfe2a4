"""Prompt matrix: `a|b|c` as the prompts a, "a, b", "a, c" and "a, b, c"."""

import re

from ..errors import InputError

MAX_PARTS = 12  # optional ones: 4,096 prompts

_TOKEN = re.compile(r"\\.|[^\\{}|]+|.", re.DOTALL)


def matrix(text: str) -> tuple[str, ...]:
    r"""All combinations of the optional parts with the first, as the WebUI's script makes them.

    Order: the first optional part changes fastest. Every | separates, also those of alternations
    [a|b]; but not \| and not what is in braces, the choices of core/wildcards.py. Raises InputError
    for more than MAX_PARTS optional parts.
    """
    first, *options = _parts(text)
    if len(options) > MAX_PARTS:
        raise InputError(
            f"The prompt matrix has {len(options)} optional parts, which make "
            f"{2 ** len(options):,} prompts. The limit is {MAX_PARTS} parts."
        )
    options = [option.strip().strip(",") for option in options]
    return tuple(
        ", ".join([first, *(o for bit, o in enumerate(options) if number >> bit & 1)])
        for number in range(2 ** len(options))
    )


def _parts(text: str) -> list[str]:
    parts, depth = [""], 0
    for token in _TOKEN.findall(text):
        depth += (token == "{") - (token == "}")
        if token == "|" and depth <= 0:
            parts.append("")
        else:
            parts[-1] += token
    return parts
