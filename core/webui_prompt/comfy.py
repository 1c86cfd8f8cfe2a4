r"""Attention in ComfyUI's own syntax.

There (x) is 1.1 too, but square brackets are letters, a number replaces the weight instead of
multiplying it, and the only escapes are \( and \). So every piece says its whole weight.
"""

import re
from collections.abc import Iterable

from .values import Weighted


def comfy_text(pieces: Iterable[Weighted]) -> str:
    """The words for CLIPTextEncode, which gives each piece exactly its weight."""
    return "".join(_piece(text.replace("\0", ""), weight) for text, weight in pieces)


def _piece(text: str, weight: float) -> str:
    """A backslash at the end of bare text would escape the bracket of the next piece."""
    escaped = re.sub(r"[()]", r"\\\g<0>", text)
    if not text or (weight == 1 and not text.endswith("\\")):
        return escaped
    return f"({escaped}:{weight!r})"
