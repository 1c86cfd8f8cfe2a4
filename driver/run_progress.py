"""What has happened in a run so far: counted by the workers, read by whoever shows it."""

import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field

from .job import Failure, Job

RATE_WINDOW = 30.0  # seconds that the present rate is taken over


@dataclass
class ServerProgress:
    """One server's part."""

    images: int = 0
    busy: float = 0.0
    recent: deque[tuple[float, int]] = field(default_factory=deque)

    def add(self, now: float, images: int, seconds: float) -> None:
        self.images += images
        self.busy += seconds
        self.recent.append((now, images))
        self._forget(now)  # nobody may ask for the rate for days

    def _forget(self, now: float) -> None:
        while self.recent and self.recent[0][0] < now - RATE_WINDOW:
            self.recent.popleft()

    def rate(self, now: float) -> float:
        """Images a second of late."""
        self._forget(now)
        if not self.recent:
            return 0.0
        span = max(now - self.recent[0][0], 1.0)
        return sum(images for _, images in self.recent) / span


class RunProgress:
    """Counts of a run. Thread-safe; `planned`, `done_before` are in images."""

    def __init__(self, planned: int, done_before: int) -> None:
        self.planned, self.done_before = planned, done_before
        self.started = time.monotonic()
        self.images = 0
        self.servers: dict[str, ServerProgress] = {}
        self.tries: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.failed_jobs = 0
        self.last_trouble = ""
        self._lock = threading.Lock()

    def count_delivery(self, server: str, job: Job, seconds: float) -> None:
        with self._lock:
            server_progress = self.servers.setdefault(server, ServerProgress())
            server_progress.add(time.monotonic(), job.keep, seconds)
            self.images += job.keep

    def count_retry(self, server: str, job: Job, failure: Failure) -> None:
        with self._lock:
            self.tries[failure.kind] += 1
            self.last_trouble = f"{server}: {failure.reason}"

    def count_failure(self, server: str, job: Job, failure: Failure) -> None:
        with self._lock:
            self.failed[failure.kind] += job.keep
            self.failed_jobs += 1
            self.last_trouble = f"{server}: {failure.reason}"

    @property
    def done(self) -> int:
        """Images that are there, from earlier runs too."""
        return self.done_before + self.images

    def rate(self) -> float:
        """Images a second of late, over all servers."""
        now = time.monotonic()
        with self._lock:
            return sum(server_progress.rate(now) for server_progress in self.servers.values())

    def seconds_left(self) -> float | None:
        """At the present rate; None while nothing came of late."""
        rate = self.rate()
        remaining = self.planned - self.done - sum(self.failed.values())
        return remaining / rate if rate > 0 else None
