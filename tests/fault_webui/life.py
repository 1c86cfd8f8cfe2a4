"""One life of a server, from its start to its death: nothing but the diary outlives it."""

import threading
from collections.abc import Callable

from PIL import Image

from .diary import Diary
from .faults import Fault
from .installed import Installed, Shelf
from .state import FifoLock, Gone, State
from .versions import Version


class Life:
    """What a running WebUI holds in memory."""

    def __init__(
        self,
        version: Version,
        installed: Installed,
        diary: Diary,
        released: threading.Event,
        load_seconds: float,
        internal: bool,
        die: Callable[[], None],
    ) -> None:
        self.version, self.diary, self.released = version, diary, released
        self.load_seconds, self.internal, self.die = load_seconds, internal, die
        self.shelf = Shelf(installed)
        if version.sd_modules:
            self.shelf.options["forge_additional_modules"] = []
        self.state = State(version)
        self.maps: list[Image.Image] = []
        """Of ControlNet; those of a job that failed are still there."""
        self.dead = threading.Event()
        self.lock = FifoLock(self.dead)

    def end(self) -> None:
        """Whoever waits gets Gone."""
        self.dead.set()
        self.state.interrupt()
        self.lock.wake()

    def check(self) -> None:
        if self.dead.is_set():
            raise Gone

    def interrupt(self) -> None:
        """Whatever runs is hit, whoever wanted it."""
        self.diary.interrupts.append(self.state.task if self.state.job else None)
        self.state.interrupt()

    def end_job(self) -> None:
        """A job has ended. Where another waits, nobody sees the moment between the two: it takes
        the real one no time, and a test cannot meet it twice."""
        if len(self.lock) == 1:
            self.state.end()

    def wait_step(self, slow: Fault | None) -> None:
        """One step of drawing; an interrupt is noticed after it."""
        if slow is not None and slow.amount:
            self.dead.wait(slow.amount)
        self.check()
