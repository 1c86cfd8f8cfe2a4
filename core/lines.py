"""Text boxes and text files with one thing a line. Empty lines and # lines are skipped."""

from .classes import check_class_names
from .errors import InputError


def content_lines(text: str) -> list[str]:
    """The lines of a text, without empty ones and without those that begin with #."""
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def read_classes(text: str) -> dict[str, str]:
    """Class names and their words, from one `name` or `name: words` a line.

    Without words a class has "", and prompts use its name. Raises InputError as
    `check_class_names` does.
    """
    pairs = [_pair(line) for line in content_lines(text)]
    check_class_names(name for name, _ in pairs)
    return dict(pairs)


def read_words(text: str) -> dict[str, str]:
    """What prompts call classes, from one `name: words` a line.

    Raises InputError for a line of another form, and for a name used twice.
    """
    found: dict[str, str] = {}
    for line in content_lines(text):
        name, words = _pair(line)
        if not name or not words:
            raise InputError(f"The words {line[:60]!r} are not of the form 'name: words'.")
        if name in found:
            raise InputError(f"The words of {name!r} are given twice. Remove one of the lines.")
        found[name] = words
    return found


def read_lists(text: str) -> dict[str, list[str]]:
    """Named lists, from one `name: value, value` a line; commas in braces do not divide.

    Raises InputError for a line without a name or without values, and for a name used twice.
    """
    lists: dict[str, list[str]] = {}
    for line in content_lines(text):
        name, rest = _pair(line)
        values = _comma_separated(rest)
        if not name or not values:
            raise InputError(f"The list {line[:60]!r} is not of the form 'name: value, value'.")
        if name in lists:
            raise InputError(f"There are two lists named {name!r}. Put their values in one line.")
        lists[name] = values
    return lists


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
    return [part.strip() for part in parts if part.strip()]
