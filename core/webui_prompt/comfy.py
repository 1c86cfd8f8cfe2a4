r"""Attention and embeddings in ComfyUI's own syntax.

There (x) is 1.1 too, but square brackets are letters, a number replaces the weight instead of
multiplying it, and the only escapes are \( and \). So every piece says its whole weight. An
embedding is called embedding:name, where the WebUI takes the bare name.
"""

import re
from collections.abc import Iterable, Mapping

from .values import Weighted

NO_EMBEDDINGS: Mapping[str, str] = {}


def comfy_text(pieces: Iterable[Weighted], embeddings: Mapping[str, str] = NO_EMBEDDINGS) -> str:
    """The words for CLIPTextEncode, which gives each piece exactly its weight.

    `embeddings`: what ComfyUI calls each name, in lower case, that is an embedding in a prompt.
    """
    names = sorted(map(re.escape, embeddings), key=len, reverse=True)
    name = re.compile(rf"(?<![\w:/-])(?:{'|'.join(names)})(?![\w-])", re.IGNORECASE)

    def write_embedding(match: re.Match[str]) -> str:
        return f" embedding:{embeddings[match.group().lower()]} "

    def words(text: str) -> str:
        text = text.replace("\0", "")
        return name.sub(write_embedding, text) if names else text

    return "".join(_piece(words(text), weight) for text, weight in pieces)


def _piece(text: str, weight: float) -> str:
    """A backslash at the end of bare text would escape the bracket of the next piece."""
    escaped = re.sub(r"[()]", r"\\\g<0>", text)
    if not text or (weight == 1 and not text.endswith("\\")):
        return escaped
    return f"({escaped}:{weight!r})"
