"""Names in any script as plain words: letters a to z, digits and "-", for tokens and file names."""

import re
from collections.abc import Sequence


def plain_words(names: Sequence[str], longest: int = 100) -> dict[str, str]:
    """Name -> its word of up to `longest` characters, no two alike.

    "Кот" is kot, "猫" is mao. A name that is a plain word itself keeps it; others that would share
    a word are numbered in the order given ("C++" beside "C": c-2). A name that says nothing in
    letters or digits is "class".
    """
    words = {name: _word(name)[:longest].strip("-") for name in names}
    used: set[str] = set()
    for name in sorted(words, key=lambda name: _distance(name, words[name])):
        words[name] = _free_word(words[name], used, longest)
        used.add(words[name])
    return words


def _distance(name: str, word: str) -> int:
    """0: the name is the word; 1: but for upper case; 2: it was spelled otherwise."""
    return 0 if name == word else 1 if name.lower() == word else 2


def _word(name: str) -> str:
    from anyascii import anyascii

    return re.sub(r"[^a-z0-9]+", "-", anyascii(name).lower()).strip("-") or "class"


def _free_word(word: str, used: set[str], longest: int) -> str:
    free, number = word, 1
    while free in used:
        number += 1
        ending = f"-{number}"
        free = word[: longest - len(ending)] + ending
    return free
