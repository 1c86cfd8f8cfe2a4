r"""The prompt language.

    {red|blue}          one of them             {2::red|1::blue}     red twice as often
    {a|{b|c}}           nested                  {2$$ and $$a|b|c}    two of them, joined by " and "
    {1-2$$a|b|c}        one or two, joined by , __colour__           one of the list "colour"
    {class_name}        a slot, filled in later \{ \| \} \_ \\       the sign itself

This is the language of the Dynamic Prompts extension without its variables and comments, and
without what it writes between underscores beside a name: samplers and arguments (`__~colour__`,
`__colour(x=y)__`) are refused. `__animals/*__` is one of all values of the lists of such names.
Its own library is not used: there an unknown list passes silently, `{class_name}` is a choice of
one, braces cannot be escaped, and `#` begins a comment inside a prompt.
"""

import fnmatch
import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from .counted import did_you_mean
from .errors import InputError
from .phrases import Choice, Phrase, Slot, longest

MAX_LENGTH = 20_000  # characters; lists that name lists could otherwise grow without end
MAX_DEPTH = 20  # braces in braces
MAX_CHAIN = 8  # lists that name lists

_TOKEN = re.compile(
    r"(?P<escaped>\\[{}|_\\])|__(?P<list>[^\s_{}|\\](?:(?:[^\n_{}|\\]|_(?!_))*[^\s_{}|\\])?)__"
    r"|(?P<sign>[{}|])|(?P<text>[^\\{}|_]+|.)",
    re.DOTALL,
)
_COUNT = re.compile(r"\s*(?P<least>\d{1,4})?(?P<dash>-)?(?P<most>\d{1,4})?\$\$")
_SEPARATOR = re.compile(r"([^{}|$]*)\$\$")
_WEIGHT = re.compile(r"\s*(\d{1,9}(?:\.\d{1,9})?|\.\d{1,9})::")
_LITERAL = r"Write \{ and \} for literal braces."


class WordLists(Mapping[str, Choice]):
    """Named lists (`__name__`), each read when it is first needed; a list may name others."""

    def __init__(self, values: Mapping[str, Sequence[str]]) -> None:
        self._values = values
        self._read: dict[str, Choice] = {}
        self._open: list[str] = []  # the lists being read now, outermost first

    def __getitem__(self, name: str) -> Choice:
        if name not in self._read:
            self._read[name] = self._choice(name)
        return self._read[name]

    def __contains__(self, name: object) -> bool:
        return name in self._values or bool(self._matching(str(name)))

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def _collect(self, name: str) -> Sequence[str]:
        """The values of a list, or of all lists that a name with * stands for."""
        if name in self._values:
            return self._values[name]
        return [value for each in self._matching(name) for value in self._values[each]]

    def _matching(self, name: str) -> list[str]:
        return fnmatch.filter(self._values, name) if "*" in name else []

    def _choice(self, name: str) -> Choice:
        if name in self._open:
            way = " -> ".join([*self._open[self._open.index(name) :], name])
            raise InputError(f"The list {name!r} refers to itself: {way}.")
        if len(self._open) == MAX_CHAIN:
            raise InputError(
                f"More than {MAX_CHAIN} lists refer to each other: {self._open[0]} -> …"
            )
        values = self._collect(name)
        if not values:
            raise InputError(f"The list {name!r} is empty.")
        self._open.append(name)
        try:
            read = [
                _Parser(value, f"List {name!r}, value {number}", (), self).option()
                for number, value in enumerate(values, 1)
            ]
        finally:
            self._open.pop()
        options = tuple(phrase for phrase, _ in read)
        return Choice(options, tuple(w for _, w in read), longest=max(map(longest, options)))


def parse(
    text: str, what: str, slots: Collection[str] = (), lists: WordLists | None = None
) -> Phrase:
    """`text` as a phrase. `what` names it in messages ("Template 2").

    Raises InputError with the offending text and its position: unclosed or unopened brace,
    unknown slot or list, impossible count, too deep, too long.
    """
    return _Parser(text, what, slots, lists or WordLists({})).whole()


def literal(text: str) -> str:
    """`text` written so that `parse` gives it back as it is."""
    return re.sub(r"[{}|_\\]", r"\\\g<0>", text)


class _Parser:
    """One reading of one text, from left to right."""

    def __init__(self, text: str, what: str, slots: Collection[str], lists: WordLists) -> None:
        self.text, self.what, self.slots, self.lists = text, what, slots, lists
        self.at = 0
        self.depth = 0

    def whole(self) -> Phrase:
        phrase = self._phrase(inside=False) if len(self.text) <= MAX_LENGTH else (self.text,)
        if longest(phrase) > MAX_LENGTH:
            raise InputError(f"{self.what} can grow to more than {MAX_LENGTH:,} characters.")
        return phrase

    def option(self) -> tuple[Phrase, float]:
        """The whole text as one option of a list: a phrase and its weight."""
        weight = self._weight()
        return self.whole(), weight

    def _phrase(self, inside: bool) -> Phrase:
        """Up to the end, or, inside of braces, up to the next | or }."""
        parts: list[str | Slot | Choice] = []
        while token := _TOKEN.match(self.text, self.at):
            if inside and token["sign"] in ("|", "}"):
                break
            if token["sign"] == "}":
                raise self._error(self.at, "this } closes nothing", _LITERAL)
            self.at = token.end()
            _append(parts, self._part(token))
        return tuple(parts)

    def _part(self, token: re.Match[str]) -> str | Slot | Choice:
        if token["escaped"]:
            return token["escaped"][1]
        if token["list"]:
            return self._list(token["list"], token.start())
        if token["sign"] == "{":
            return self._braces(token.start())
        return token.group()

    def _list(self, name: str, start: int) -> Choice:
        if name not in self.lists:
            raise self._error(start, f"there is no list named {name!r}", self._way_out(name))
        return self.lists[name]

    def _way_out(self, name: str) -> str:
        """The nearest list; or, for what is no name, what the language has in its place."""
        if re.fullmatch(r"[\w./-]+", name):
            return did_you_mean(name, self.lists)
        return (
            r"Name a list alone, without ~, @ or (); write \_\_ for "
            "literal underscores." + (did_you_mean(name, self.lists) if self.lists else "")
        )

    def _braces(self, start: int) -> Slot | Choice:
        if self.text[start - 1 : start] == "$":
            raise self._error(start, "variables ${…} are not supported", _LITERAL)
        if slot := self._slot():
            return slot
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self._error(start, f"braces are nested more than {MAX_DEPTH} deep")
        choice = self._choice(start)
        self.depth -= 1
        return choice

    def _slot(self) -> Slot | None:
        name = next(
            (name for name in self.slots if self.text.startswith(name + "}", self.at)), None
        )
        if name is None:
            return None
        self.at += len(name) + 1
        return Slot(name)

    def _choice(self, start: int) -> Choice:
        counted = self._take(_COUNT)
        separator = self._take(_SEPARATOR) if counted else None
        options, weights = self._options(start)
        if not counted and len(options) == 1:
            raise self._lone(start)
        least, most = _bounds(counted, len(options))
        possible = sum(weight > 0 for weight in weights)
        if not least <= most <= possible:
            raise self._error(start, f"{most} options wanted, {possible} possible")
        joint = separator[1] if separator else ","
        length = most * max(map(longest, options)) + most * len(joint)
        return Choice(options, weights, least, most, joint, length)

    def _options(self, start: int) -> tuple[tuple[Phrase, ...], tuple[float, ...]]:
        options: list[Phrase] = []
        weights: list[float] = []
        while True:
            weights.append(self._weight())
            options.append(self._phrase(inside=True))
            if self.at >= len(self.text):
                raise self._error(start, "this { is never closed", _LITERAL)
            self.at += 1
            if self.text[self.at - 1] == "}":
                return tuple(options), tuple(weights)

    def _weight(self) -> float:
        match = self._take(_WEIGHT)
        return float(match[1]) if match else 1.0

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self.text, self.at)
        if match:
            self.at = match.end()
        return match

    def _lone(self, start: int) -> InputError:
        name = self.text[start + 1 : self.at - 1]
        near = did_you_mean(name, self.slots) if self.slots else ""
        return self._error(
            start, f"{{{name}}} is neither a choice nor a known word", near or _LITERAL
        )

    def _error(self, position: int, fault: str, remedy: str = "") -> InputError:
        begin, end = max(0, position - 20), position + 30
        shown = ("…" * (begin > 0)) + self.text[begin:end] + ("…" * (end < len(self.text)))
        sentence = (
            f"{self.what}, character {position + 1}: {fault} (in {shown!r}). {remedy.strip()}"
        )
        return InputError(sentence.strip())


def _append(parts: list[str | Slot | Choice], piece: str | Slot | Choice) -> None:
    """Neighbouring texts become one."""
    if isinstance(piece, str) and parts and isinstance(parts[-1], str):
        parts[-1] += piece
    else:
        parts.append(piece)


def _bounds(counted: re.Match[str] | None, options: int) -> tuple[int, int]:
    """How many options to take: `2$$`, `1-2$$`, `-2$$` (one or two), `2-$$` (two up to all)."""
    if not counted:
        return 1, 1
    least = int(counted["least"] or 1)
    if not counted["dash"]:
        return least, int(counted["most"] or least)
    return least, int(counted["most"] or options)
