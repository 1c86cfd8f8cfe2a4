"""The front end's own `{a|b}` texts, which it resolves when a workflow is queued."""

import re

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n\r\u2028\u2029]*", re.DOTALL)
_ESCAPED = re.compile(r"\\([{}|])")


def first_choice(text: str) -> str:
    """`text` without comments, with the first choice of every `{a|b}`.

    The front end draws at random; a graph has to be the same each time it is read, so here it is
    always the first. Lists to draw from belong into the recipe. Braces may be escaped by `\\`.
    """
    text = _COMMENT.sub("", text)
    if "{" not in text and "\\" not in text:
        return text
    return _ESCAPED.sub(r"\1", "".join(_first_choices(text)))


def _first_choices(text: str) -> list[str]:
    """The characters outside of braces and in the first choice of each.

    `stack` holds, for every open brace, whether its first choice is still running.
    """
    characters: list[str] = []
    stack: list[bool] = []
    at = 0
    while at < len(text):
        width = 2 if text[at] == "\\" else 1
        piece = text[at : at + width]
        at += width
        if piece == "{":
            stack.append(True)
        elif piece == "|" and stack:
            stack[-1] = False
        elif piece == "}" and stack:
            stack.pop()
        elif all(stack):
            characters.append(piece)
    return characters
