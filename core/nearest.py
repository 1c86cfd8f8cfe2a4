"""The nearest right answer, for the end of an error sentence."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The most similar of `known`, letter case aside; None when nothing is like it."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    found = get_close_matches(name[:200].lower(), by_lower, n=1, cutoff=0.5)
    return by_lower[found[0]] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """' Did you mean 'x'?', or the known names (at most eight), or that there are none."""
    names = sorted(known)
    near = nearest(name, names)
    if near:
        return f" Did you mean {near!r}?"
    if not names:
        return " There are none."
    more = ", …" if len(names) > 8 else ""
    return f" There are: {', '.join(names[:8])}{more}."
