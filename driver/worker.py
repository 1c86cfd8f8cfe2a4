"""Works through jobs on one server: a few in flight, downloads beside, trouble sorted by kind."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from ..core.errors import ManyshotError, ServerError
from .dispatch import Dispatch
from .health import Health
from .job import Delivery, Failure, Job
from .pairs.render import RenderedInputs
from .targets.backend import Backend, NotTaken, Stopped
from .writer import Writer

log = logging.getLogger(__name__)
TICK = 0.5  # how often a waiting lane looks whether the run was stopped
SPARE_LANES = 2  # lanes that download and check while `in_flight` others wait on the server
MAX_REASON = 500


class Report(Protocol):
    """What the run wants to hear from its workers; called from their threads."""

    def on_delivered(self, server: str, job: Job, seconds: float) -> None: ...
    def on_retry(self, server: str, job: Job, failure: Failure) -> None: ...
    def on_failed(self, server: str, job: Job, failure: Failure) -> None: ...
    def on_broken(self, server: str, reason: str) -> None: ...


class Worker:
    """All lanes of one server. A lane takes a job and follows it to its end, then the next.

    `render` draws the pictures that a job is made from.
    """

    def __init__(
        self,
        backend: Backend[Any],
        render: Callable[[Job], RenderedInputs | None],
        dispatch: Dispatch,
        writer: Writer,
        report: Report,
    ) -> None:
        self.name = backend.name
        self._backend, self._render = backend, render
        self._dispatch, self._writer, self._report = dispatch, writer, report
        self._slots = threading.Semaphore(backend.in_flight)
        self._stop = threading.Event()
        self._lanes = [
            threading.Thread(target=self._lane, name=f"{self.name} {number}", daemon=True)
            for number in range(backend.in_flight + SPARE_LANES)
        ]

    @property
    def health(self) -> Health:
        return self._backend.health

    def start(self) -> None:
        for lane in self._lanes:
            lane.start()

    def stop(self) -> None:
        """Cancel what is in flight here, and take nothing more."""
        self._stop.set()
        self._backend.stop()
        self.health.stop()

    def join(self) -> None:
        for lane in self._lanes:
            if lane.ident is not None:  # a run may end while it begins
                lane.join()
        self.health.join()
        self._backend.close()

    def _lane(self) -> None:
        try:
            while not self._stop.is_set() and not self._dispatch.is_over():
                if self.health.wait_up(TICK):
                    self._work()
                else:
                    self._dispatch.release(self.name)
        except Exception as error:  # the run must not wait for a lane that is gone
            log.exception("a lane of %s", self.name)
            self._report.on_broken(self.name, f"manyshot itself failed ({error!r}).")

    def _work(self) -> None:
        """One job, from the queue to the writer."""
        with self._slots:
            job = self._dispatch.take(self.name, TICK) if self.health.up else None
            started = time.monotonic()
            outcome = self._guard(job, self._draw) if job else None
        if job is None or outcome is None:
            return
        if not isinstance(outcome, Failure):
            outcome = self._guard(job, lambda _: self._backend.collect(outcome))
        if outcome is not None:
            self._settle(job, outcome, time.monotonic() - started)

    def _draw(self, job: Job) -> Any:
        return self._backend.draw(job, self._render(job))

    def _guard(self, job: Job, step: Callable[[Job], Any]) -> Any:
        """What `step` makes of the job, or a Failure; None when it goes back as it was."""
        try:
            return step(job)
        except (Stopped, NotTaken):
            self._dispatch.put_back(job)
            return None
        except ServerError as error:
            return Failure("connection", str(error))
        except ManyshotError as error:
            return Failure("invalid", str(error))
        except MemoryError:
            return Failure("memory", "The machine that manyshot runs on is out of memory.")
        except Exception as error:  # a bug of ours must not take the whole run with it
            log.exception("job %s on %s", job.id, self.name)
            return Failure("invalid", f"manyshot itself failed ({error!r}); the log has more.")

    def _settle(self, job: Job, outcome: Delivery | Failure, seconds: float) -> None:
        if isinstance(outcome, Delivery):
            self._writer.put(job, outcome, self.name, seconds)
            self._dispatch.finish(job)
            self.health.prove()
            self._report.on_delivered(self.name, job, seconds)
            return
        outcome = Failure(outcome.kind, _one_line(outcome.reason))
        if outcome.kind == "memory":
            self._relieve()
        if self._dispatch.give_back(job, self.name, outcome):
            self._report.on_retry(self.name, job, outcome)
        else:
            self._report.on_failed(self.name, job, outcome)

    def _relieve(self) -> None:
        try:
            self._backend.relieve()
        except ServerError as error:
            log.info("relieving %s: %s", self.name, error)


def _one_line(text: str) -> str:
    """A server's words, safe to print and to store: no control characters, no lone surrogates."""
    return "".join(c if c.isprintable() else " " for c in text)[:MAX_REASON]
