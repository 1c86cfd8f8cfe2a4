"""Which server gets which job next.

Jobs of one group share what is slow to load, so a server stays with a group until it is used up,
and two servers take different groups as long as there are enough of them.
"""

import heapq
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from .job import Failure, Job
from .ledger import Ledger
from .recipe import Retries

WINDOW = 256  # open jobs read ahead from the ledger, for each group in use
BACKOFF = {"memory": 5.0, "stalled": 5.0, "connection": 0.2, "node": 0.0, "incomplete": 0.2}


@dataclass
class _Group:
    """The open jobs of one group: some read ahead, the rest still in the ledger."""

    left: int
    after: int = -1
    ready: deque[Job] = field(default_factory=deque)


class Dispatch:
    """Hands out the open jobs of a ledger, each to one server at a time. Thread-safe."""

    def __init__(self, ledger: Ledger, retries: Retries, clock: Callable[[], float]) -> None:
        self._ledger, self._retries, self._clock = ledger, retries, clock
        self._groups = {name: _Group(count) for name, count in ledger.groups()}
        self._of_server: dict[str, str] = {}
        self._tries: dict[str, dict[str, int]] = {}
        self._avoid: dict[str, str] = {}
        self._later: list[tuple[float, int, Job]] = []
        self._number = 0
        self._out = 0
        self._stopped = False
        self._changed = threading.Condition()

    def take(self, server: str, wait: float = 1.0) -> Job | None:
        """The next job for `server`; None if there is none within `wait` seconds."""
        deadline = self._clock() + wait
        with self._changed:
            while not self._over():
                job = self._next(server)
                if job is not None:
                    self._out += 1
                    return job
                remaining = deadline - self._clock()
                if remaining <= 0:
                    return None
                self._changed.wait(min(remaining, 0.1))
        return None

    def finish(self, job: Job) -> None:
        """`job` is delivered."""
        with self._changed:
            self._out -= 1
            self._tries.pop(job.id, None)
            self._avoid.pop(job.id, None)
            self._changed.notify_all()

    def give_back(self, job: Job, server: str, failure: Failure) -> bool:
        """`job` failed on `server`: try it again later, elsewhere if there is an elsewhere.

        Returns False when it was tried often enough; it is then the caller's to mark as failed.
        """
        with self._changed:
            self._out -= 1
            tries = self._tries.setdefault(job.id, {})
            tries[failure.kind] = tries.get(failure.kind, 0) + 1
            again = tries[failure.kind] <= getattr(self._retries, failure.kind, 0)
            if again:
                self._avoid[job.id] = server
                self._put_off(job, BACKOFF.get(failure.kind, 0.0))
            self._changed.notify_all()
            return again

    def put_back(self, job: Job) -> None:
        """`job` was not tried at all."""
        with self._changed:
            self._out -= 1
            self._put_off(job, 0.0)
            self._changed.notify_all()

    def release(self, server: str) -> None:
        """`server` is gone: its group is free for the others."""
        with self._changed:
            self._of_server.pop(server, None)
            self._changed.notify_all()

    def stop(self) -> None:
        """Hand out nothing more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def is_over(self) -> bool:
        """Whether there is nothing left to hand out, now or later."""
        with self._changed:
            return self._over()

    def _over(self) -> bool:
        waiting = self._later or any(group.left for group in self._groups.values())
        return self._stopped or (not waiting and not self._out)

    def _put_off(self, job: Job, seconds: float) -> None:
        self._number += 1
        heapq.heappush(self._later, (self._clock() + seconds, self._number, job))

    def _next(self, server: str) -> Job | None:
        return self._next_put_off(server) or self._next_of_group(server)

    def _next_put_off(self, server: str) -> Job | None:
        """A job whose waiting time is over; one that failed here only if nobody else is there."""
        due = [item for item in self._later if item[0] <= self._clock()]
        alone = len(self._of_server.keys() | {server}) == 1
        for item in sorted(due):
            if alone or self._avoid.get(item[2].id) != server:
                self._later.remove(item)
                heapq.heapify(self._later)
                return item[2]
        return None

    def _next_of_group(self, server: str) -> Job | None:
        name = self._of_server.get(server)
        if name is None or not self._groups[name].left:
            name = self._choose()
            if name is None:
                return None
            self._of_server[server] = name
        group = self._groups[name]
        if not group.ready:
            self._read_ahead(name, group)
        if not group.ready:
            group.left = 0
            return self._next_of_group(server)
        group.left -= 1
        return group.ready.popleft()

    def _choose(self) -> str | None:
        """A group no server works on, else the one with the most jobs for each server on it."""
        busy = list(self._of_server.values())
        open_groups = [name for name, group in self._groups.items() if group.left]
        return max(
            open_groups,
            key=lambda name: (busy.count(name) == 0, self._groups[name].left),
            default=None,
        )

    def _read_ahead(self, name: str, group: _Group) -> None:
        rows = self._ledger.open_jobs(name, group.after, WINDOW)
        if rows:
            group.after = rows[-1][0]
            group.ready.extend(job for _, job in rows)


def real_clock() -> float:
    """Seconds that only go forward."""
    return time.monotonic()
