"""What a running WebUI knows of its jobs: the queue, and the state that everybody shares."""

import threading
import time
from collections import deque
from typing import Any

from .versions import Version


class Gone(Exception):
    """The server has died; nothing is answered any more."""


class FifoLock:
    """First come, first served: one job draws, the others wait."""

    def __init__(self, dead: threading.Event) -> None:
        self._dead = dead
        self._changed = threading.Condition()
        self._line: deque[object] = deque()

    def __enter__(self) -> None:
        ticket = object()
        with self._changed:
            self._line.append(ticket)
            self._changed.wait_for(lambda: self._line[0] is ticket or self._dead.is_set())
        if self._dead.is_set():
            raise Gone

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._line.popleft()
            self._changed.notify_all()

    def wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def __len__(self) -> int:
        return len(self._line)


class State:
    """The one state of a WebUI; /progress shows it, /interrupt and /skip set it."""

    def __init__(self, version: Version) -> None:
        self._version = version
        self._stop = threading.Event()
        self.interrupted = self.skipped = False
        self.job, self.job_no, self.job_count, self.timestamp = "", 0, 0, "0"
        self.step, self.steps, self.started = 0, 0, 0.0
        self.task: str | None = None
        self.pending: dict[str, float] = {}
        self.finished: deque[str] = deque(maxlen=16)

    def begin(self, job: str, task: str) -> None:
        self._stop.clear()
        self.interrupted = self.skipped = False
        self.job, self.job_no, self.job_count, self.step = job, 0, -1, 0
        self.timestamp, self.started = time.strftime("%Y%m%d%H%M%S"), time.monotonic()
        self.task = task
        self.pending.pop(task, None)

    def end(self) -> None:
        self.job, self.job_count = "", 0

    def finish(self, task: str) -> None:
        """Not reached by a job that failed, so that its task seems to run on."""
        self.task = None if self.task == task else self.task
        self.finished.append(task)

    def interrupt(self) -> None:
        self.interrupted = True
        self._stop.set()

    def skip(self) -> None:
        self.skipped = True
        self._stop.set()

    def next_batch(self) -> None:
        self.skipped = False
        if not self.interrupted:
            self._stop.clear()

    def wait(self, seconds: float | None) -> bool:
        """Whether an interrupt or a skip came within `seconds`."""
        return self._stop.wait(seconds)

    def shown(self) -> dict[str, Any]:
        more = {"stopping_generation": False} if self._version.stopping_generation else {}
        return {
            "skipped": self.skipped,
            "interrupted": self.interrupted,
            **more,
            "job": self.job,
            "job_count": self.job_count,
            "job_timestamp": self.timestamp,
            "job_no": self.job_no,
            "sampling_step": self.step,
            "sampling_steps": self.steps,
        }

    def progress(self) -> dict[str, Any]:
        """The reply of /progress. There is no current_task in it, in no version."""
        done = eta = 0.0
        if self.job_count:
            done = min(1.0, 0.01 + self._share())
            taken = time.monotonic() - self.started
            eta = taken / done - taken
        nothing = {"current_image": None, "textinfo": None}
        return {"progress": done, "eta_relative": eta, "state": self.shown(), **nothing}

    def task_progress(self, task: str | None) -> dict[str, Any]:
        """The reply of /internal/progress."""
        active, queued = task == self.task, task in self.pending
        completed = task in self.finished
        told = {"active": active, "queued": queued, "completed": completed}
        if not active:
            line = sorted(self.pending, key=self.pending.__getitem__)
            place = f"In queue: {line.index(task) + 1}/{len(line)}" if queued and task else None
            return {**told, "progress": None, "eta": None, "live_preview": None,
                    "id_live_preview": -1, "textinfo": place or "Waiting..."}  # fmt: skip
        return {**told, "progress": min(1.0, self._share()), "eta": None, "live_preview": None,
                "id_live_preview": -1, "textinfo": None}  # fmt: skip

    def _share(self) -> float:
        count = self.job_count
        within = self.step / self.steps / count if self.steps and count > 0 else 0.0
        return within + (self.job_no / count if count > 0 else 0.0)
