"""The nearest right answer, for the end of an error sentence."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """' Did you mean 'x'?', or the known names (at most eight), or that there are none."""
    names = sorted(known)
    near = get_close_matches(name[:200], names, n=1, cutoff=0.5)
    if near:
        return f" Did you mean {near[0]!r}?"
    if not names:
        return " There are none."
    more = ", …" if len(names) > 8 else ""
    return f" There are: {', '.join(names[:8])}{more}."
