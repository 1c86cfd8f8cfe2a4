"""What a WebUI prompt says, as plain values."""

from dataclasses import dataclass
from typing import NamedTuple

Phrase = tuple["str | Edit | Alternation", ...]


@dataclass(frozen=True, slots=True)
class Edit:
    """`[before:after:when]`. `when`: an int counts steps, a float is a fraction of all of them."""

    before: Phrase
    after: Phrase
    when: int | float


@dataclass(frozen=True, slots=True)
class Alternation:
    """`[a|b|c]`: the first option at the first step, the second at the second, and round again."""

    options: tuple[Phrase, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One of the prompts that AND joins; its guidance is multiplied by `weight`."""

    phrase: Phrase
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Network:
    """`<kind:a:b=c>` with the arguments ("a", "b=c"), the first of them the network's name."""

    kind: str
    arguments: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.arguments[0]


@dataclass(frozen=True, slots=True)
class Prompt:
    """A whole prompt: at least one part."""

    parts: tuple[Part, ...]
    networks: tuple[Network, ...] = ()


class Weighted(NamedTuple):
    """Words and the attention they get; 1 is neutral."""

    text: str
    weight: float
