r"""Prompts of ComfyUI's CLIPTextEncode: read into the WebUI's language, and written from it.

In ComfyUI (x) is 1.1 too, but square brackets are letters, a number replaces the weight instead of
multiplying it, and the only escapes are \( and \). So every piece is written with its whole weight.
An embedding is called embedding:name, where the WebUI takes the bare name.

What differs, and how `from_comfy` translates it:

    [x] [a:b:0.5] [a|b]     letters there, syntax here          \[x\]
    ((x:1.3))               1.3 there, 1.43 here                (x:1.3)
    a\b                     a backslash there, none here        a\\b
    AND, BREAK              words there, syntax here            and, break: CLIP reads no capitals
    a cat :0.7              words there, a weight here          (a cat :0.7:1)
    <lora:x:1>              words there, a network here         < lora:x:1>, which CLIP reads alike
    # words                 words there, a comment here         refused

Weights stay the numbers that they are, and act a little differently: ComfyUI moves the encoded
words away from those of an empty prompt, the WebUI multiplies them and restores their mean.
Embeddings (`embedding:name`) are left alone.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import groupby

from ..errors import InputError
from . import PLAIN, WEBUI, Language
from .read import ends_with_weight
from .values import Weighted

BRACKET = 1.1
MAX_DEPTH = 50

_ESCAPED = re.compile(r"\\([()])")
_HIDDEN = {"(": "\x02", ")": "\x03"}
_SHOWN = str.maketrans({hidden: bracket for bracket, hidden in _HIDDEN.items()})
_SYNTAX = re.compile(r"[\\()\[\]]")
_KEYWORD = re.compile(r"\b(?:AND|BREAK)\b")
_NETWORK = re.compile(r"<(?=\w+:[^>]+>)")


def escape(words: str, language: Language = PLAIN) -> str:
    r"""`words` written so that a prompt shows them as they are: "crane (bird)" as "crane \(bird\)".

    Raises InputError for a #, which the WebUI's language cannot say.
    """
    plain = re.sub(r"[()]", r"\\\g<0>", words)
    return from_comfy(plain) if language == WEBUI else plain


def from_comfy(text: str) -> str:
    """`text` as a WebUI prompt with the same words and weights.

    Raises InputError for a #, for brackets nested deeper than MAX_DEPTH and for weights that are
    no numbers.
    """
    if "#" in text:
        raise InputError(
            f"The prompt {text[:60]!r} has a #; a WebUI treats everything after it as a comment."
        )
    return "".join(_piece(*piece) for piece in comfy_weighted(text))


def comfy_weighted(text: str) -> tuple[Weighted, ...]:
    r"""The words of a prompt of ComfyUI with their weights, as its tokenizer reads them, neighbours
    of equal weight joined.

    Brackets that match nothing are letters. Raises InputError as `from_comfy`.
    """
    hidden = _ESCAPED.sub(lambda match: _HIDDEN[match[1]], text)
    pieces = (piece for piece in _read_weights(hidden, 1.0, 0) if piece.text)
    return tuple(
        Weighted("".join(piece.text for piece in alike).translate(_SHOWN), weight)
        for weight, alike in groupby(pieces, lambda piece: piece.weight)
    )


def _read_weights(text: str, weight: float, depth: int) -> Iterator[Weighted]:
    if depth > MAX_DEPTH:
        raise InputError(f"The prompt nests brackets more than {MAX_DEPTH} deep.")
    for section in _parts(text):
        if len(section) >= 2 and section[0] == "(" and section[-1] == ")":
            yield from _read_weights(*_unpack(section[1:-1], weight * BRACKET), depth + 1)
        else:
            yield Weighted(section, weight)


def _parts(text: str) -> Iterator[str]:
    """What stands in outermost brackets, with them, and what stands between."""
    depth = begin = 0
    for match in re.finditer(r"[()]", text):
        if match[0] == "(":
            if depth == 0:
                yield text[begin : match.start()]
                begin = match.start()
            depth += 1
        else:
            depth -= 1
            if depth == 0:
                yield text[begin : match.end()]
                begin = match.end()
    yield text[begin:]


def _unpack(text: str, weight: float) -> tuple[str, float]:
    """What is in a bracket and its weight: a number behind the last colon replaces all others."""
    words, colon, number = text.rpartition(":")
    if not colon or not words:
        return text, weight
    try:
        inner = float(number)
    except ValueError:
        return text, weight
    if not math.isfinite(inner):
        raise InputError(f"The prompt has the weight {number[:20]!r}, which is not a number.")
    return words, inner


def _piece(words: str, weight: float) -> str:
    words = _KEYWORD.sub(lambda match: match[0].lower(), _NETWORK.sub("< ", words))
    text = _SYNTAX.sub(r"\\\g<0>", words)
    if weight == 1 and not ends_with_weight(text.rstrip()):
        return text
    return f"({text}:{format(Decimal(repr(weight)), 'f')})"


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

    return "".join(_escape_piece(words(text), weight) for text, weight in pieces)


def _escape_piece(text: str, weight: float) -> str:
    """A backslash at the end of bare text would escape the bracket of the next piece."""
    escaped = re.sub(r"[()]", r"\\\g<0>", text)
    if not text or (weight == 1 and not text.endswith("\\")):
        return escaped
    return f"({escaped}:{weight!r})"
