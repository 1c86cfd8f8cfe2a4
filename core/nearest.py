"""The nearest right answer, for the end of an error sentence."""

from collections.abc import Iterable
from difflib import get_close_matches


def closest_match(name: str, candidates: Iterable[str]) -> str | None:
    """The most similar of `known`, letter case aside; None when nothing is like it."""
    by_lower = {candidate.lower(): candidate for candidate in candidates}
    matches = get_close_matches(name[:200].lower(), by_lower, n=1, cutoff=0.5)
    return by_lower[matches[0]] if matches else None


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
