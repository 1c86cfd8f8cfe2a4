"""What a WebUI was asked, and what it drew, for the tests to look at."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Asked:
    """One request that arrived."""

    method: str
    path: str
    body: Any
    headers: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Drawn:
    """One image that was drawn, whether or not anybody got it."""

    task: str
    prompt: str
    negative: str
    seed: int
    size: tuple[int, int]
    model: str
    half: bool = False
    """Interrupted or skipped before its last step."""


@dataclass
class Diary:
    """Everything that happened, over all lives of the server."""

    asked: list[Asked] = field(default_factory=list)
    drawn: list[Drawn] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)
    """Tasks whose drawing began."""
    interrupts: list[str | None] = field(default_factory=list)
    """The task that each interrupt hit; None: nothing ran."""
    loads: list[str] = field(default_factory=list)
    """Checkpoints that were loaded in place of another."""
    turned_away: int = 0
    most_at_once: int = 0
    """The most requests for images that were open at a time."""
    _open: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def came(self) -> None:
        with self._lock:
            self._open += 1
            self.most_at_once = max(self.most_at_once, self._open)

    def went(self) -> None:
        with self._lock:
            self._open -= 1

    @property
    def open(self) -> int:
        """Requests for images that wait or are drawn right now."""
        return self._open

    def requests(self, path: str) -> list[Asked]:
        """Those whose path ends so, in order."""
        return [asked for asked in self.asked if asked.path.partition("?")[0].endswith(path)]

    def images(self) -> list[Drawn]:
        """What was drawn to its end, of everybody but other users."""
        return [one for one in self.drawn if not one.half and not one.task.startswith("other")]

    def drawn_twice(self) -> list[tuple[str, int]]:
        """(prompt, seed) of the images that were drawn to their end more than once."""
        keys = ((one.prompt, one.negative, one.seed, one.size, one.model) for one in self.images())
        return [(key[0], key[2]) for key, times in Counter(keys).items() if times > 1]
