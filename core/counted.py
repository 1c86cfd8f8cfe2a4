"""Parts of texts: plurals, percentages, rounded figures, tables, the match of a misspelt name."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

DIGITS = 4  # of a figure, the last of which is mostly chance


def pluralize(count: int, singular: str, plural: str | None = None) -> str:
    """`count` with its noun, and whatever else changes with it: "image was", "images were".

    Without `plural` the noun takes an s.
    """
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def describe_shortfall(received: int, expected: int) -> str:
    """What a server delivered of the images that a job should bring."""
    return f"{pluralize(received, 'image')} received, {expected:,} expected."


def in_percent(share: float, digits: int = 0) -> str:
    """A share from 0 to 1 as all texts write it, and the names of arms: "62 %"."""
    return f"{100 * share:.{digits}f} %"


def round_figures(value: Any) -> Any:
    """`value` with every float of it cut to DIGITS significant digits."""
    if isinstance(value, dict):
        return {key: round_figures(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [round_figures(item) for item in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def table(head: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table; the first column to the left, the others to the right."""
    ruler = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ruler, *lines))


# The first, mistyped too: it is long, and all that most models' names have in common.
_FILE_ENDING = re.compile(
    r"\.(safe\w*|sft|ckpt|pth?|bin|gguf|json|ya?ml|txt|png|jpe?g|webp|bmp|tiff?)$"
)


def closest_match(name: str, candidates: Iterable[str]) -> str | None:
    """The most similar of `candidates`, letter case aside; None when nothing is like it.

    What files end with says nothing of what they hold: it counts only between names that are else
    the same. Of a file name, all words of it may do: `tiny.safetensors` is `manyshot-tiny`'s.
    """
    by_stem: dict[str, list[str]] = {}
    for candidate in candidates:
        by_stem.setdefault(_stem(candidate), []).append(candidate)
    stem = _stem(name[:200])
    matches = get_close_matches(stem, by_stem, n=1, cutoff=0.5)
    if not matches and stem != name[:200].lower():
        matches = [other for other in by_stem if _words(stem) and _words(stem) <= _words(other)]
    return get_close_matches(name[:200], by_stem[matches[0]], n=1, cutoff=0)[0] if matches else None


def _stem(name: str) -> str:
    return _FILE_ENDING.sub("", name.lower())


def _words(stem: str) -> set[str]:
    return set(re.findall(r"[^\W_]+", stem))


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """' Did you mean 'x'?', or the known names (at most eight), or that there are none."""
    names = sorted(candidates)
    match = closest_match(name, names)
    if match:
        return f" Did you mean {match!r}?"
    if not names:
        return " There are none."
    more = ", …" if len(names) > 8 else ""
    return f" There are: {', '.join(names[:8])}{more}."
