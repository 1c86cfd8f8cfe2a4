"""Text boxes and text files with one thing a line. Empty lines and # lines are skipped.

Lines stay as they are written, spaces at both ends included. Where a line has parts, as in `name:
words` or `name: value, value`, spaces around each part are not part of it.
"""

from .classes import BYTE_ORDER_MARK, check_class_names, normalise_class
from .errors import InputError


def content_lines(text: str) -> list[str]:
    """The lines of a text as written, without empty ones and those that begin with #.

    Line ends of any system, and the mark of byte order at the beginning, are no part of a line.
    """
    lines = text.removeprefix(BYTE_ORDER_MARK).splitlines()
    return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


def without_comments(text: str) -> str:
    """A text of several lines without those that begin with #; the others as written."""
    lines = text.removeprefix(BYTE_ORDER_MARK).split("\n")
    return "\n".join(line for line in lines if not line.lstrip().startswith("#"))


def read_names(text: str) -> list[str]:
    """One name a line, without the spaces around it."""
    return [line.strip() for line in content_lines(text)]


def read_classes(text: str) -> dict[str, str]:
    """Class names and their words, from one `name` or `name: words` a line.

    Without words a class has "", and prompts use its name. Raises InputError as
    `check_class_names` does, and for several names in a line.
    """
    pairs = [_pair(line) for line in content_lines(text)]
    for name, _ in pairs:
        if "," in name:
            raise InputError(
                f"The line {name[:60]!r} names several classes, or one with a comma in its "
                f"name. Write one class per line{_without_commas(name)}."
            )
    check_class_names(name for name, _ in pairs)
    return {normalise_class(name): words for name, words in pairs}


def read_words(text: str) -> dict[str, str]:
    """What prompts call classes, from one `name: words` a line.

    Raises InputError for a line of another form, and for a name used twice.
    """
    words_by_name: dict[str, str] = {}
    for line in content_lines(text):
        name, words = _pair(line)
        if not name or not words:
            raise InputError(f"The line {line[:60]!r} is not of the form 'name: words'.")
        name = normalise_class(name)
        if name in words_by_name:
            raise InputError(f"The words for {name!r} are given twice. Remove one of the lines.")
        words_by_name[name] = words
    return words_by_name


def read_lists(text: str) -> dict[str, list[str]]:
    """Named lists, from one `name: value, value` a line; commas in braces do not divide.

    Raises InputError for a line without a name or without values, and for a name used twice.
    """
    lists: dict[str, list[str]] = {}
    for line in content_lines(text):
        name, rest = _pair(line)
        values = _comma_separated(rest)
        if not name or not values:
            raise InputError(f"The line {line[:60]!r} is not of the form 'name: value, value'.")
        if name in lists:
            raise InputError(f"There are two lists named {name!r}. Put their values in one line.")
        lists[name] = values
    return lists


def _without_commas(name: str) -> str:
    """How a class whose words have commas is written."""
    first = name.split(",")[0].strip()
    return f"; put words with commas after a colon, as in {f'{first}: {name}'[:80]!r}"


def _pair(line: str) -> tuple[str, str]:
    name, _, rest = line.partition(":")
    return name.strip(), rest.strip()


def _comma_separated(text: str) -> list[str]:
    """The parts between commas that are outside of braces, without empty ones."""
    parts, depth = [""], 0
    for sign in text:
        depth += (sign == "{") - (sign == "}")
        if sign == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += sign
    return [value.strip() for value in parts if value.strip()]
