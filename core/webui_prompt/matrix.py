"""Prompt matrix: `a|b|c` as the prompts a, "a, b", "a, c" and "a, b, c"."""

from ..errors import InputError

MAX_PARTS = 12  # optional ones: 4,096 prompts


def matrix(text: str, at_start: bool = False, separator: str = ", ") -> tuple[str, ...]:
    """All combinations of the optional parts with the first part, as the WebUI's script makes them.

    The optional parts come behind the first or, `at_start`, before it. Order: the first optional
    part changes fastest. Every | separates, also those of alternations [a|b]. Raises InputError
    for more than MAX_PARTS optional parts.
    """
    first, *options = text.split("|")
    if len(options) > MAX_PARTS:
        raise InputError(
            f"The prompt matrix has {len(options)} optional parts, which make "
            f"{2 ** len(options):,} prompts. At most {MAX_PARTS} are possible."
        )
    options = [option.strip().strip(",") for option in options]
    return tuple(
        separator.join([*chosen, first] if at_start else [first, *chosen])
        for number in range(2 ** len(options))
        for chosen in [[o for bit, o in enumerate(options) if number >> bit & 1]]
    )
