"""How the latest run goes, for the routes; one at a time, since the WebUI draws one at a time."""

import threading
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from PIL import Image


@dataclass(frozen=True)
class Status:
    """Counts are in images. `state`: idle, running, or how the run ended (`ended`, `stopped`)."""

    state: str = "idle"
    folder: str = ""
    planned: int = 0
    done: int = 0
    failed: int = 0
    message: str = ""


class Board:
    """Written by the run, read by the routes."""

    def __init__(self) -> None:
        self._status = Status()
        self._lock = threading.Lock()

    def change(self, **changes: Any) -> None:
        with self._lock:
            self._status = replace(self._status, **changes)

    def begin(self, folder: Path, planned: int, done: int) -> None:
        with self._lock:
            self._status = Status("running", str(folder), planned, done)

    @property
    def now(self) -> Status:
        return self._status

    def as_dict(self) -> dict[str, Any]:
        return asdict(self._status)


board = Board()


SHOWN = 16  # images that go to the page


@dataclass
class Report:
    """How a run ended: counts of images, the latest ones with their infotexts, sentences."""

    planned: int
    done: int = 0
    images: list[Image.Image] = field(default_factory=list)
    infotexts: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    stopped: bool = False

    def sentence(self, folder: str) -> str:
        ended = "Stopped: " if self.stopped else ""
        again = " Run it again to continue." if self.done < self.planned else ""
        return f"{ended}{self.done} of {self.planned} images are in {folder}.{again}"
