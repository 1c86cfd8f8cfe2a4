"""Follows a queued prompt to its end: events tell; where they are silent, the server is asked."""

import threading
import time
from typing import TYPE_CHECKING

from ....core.errors import ServerError
from ...health import Health
from ...http import Busy, Unreachable
from ...job import Failure
from ..backend import Stopped
from .completion import Finished, Found, Watch, apply_answer, apply_event
from .events import Event, Mailbox

if TYPE_CHECKING:  # types alone
    from .comfy_client import Comfy
    from .comfy_probe import Probe

TICK = 0.5  # how often a waiting lane looks whether the run was stopped
ASK_AFTER = (5.0, 10.0, 20.0, 40.0)  # silences after which the server is asked where the job is
CANCEL_GRACE = 10.0  # what a node may take to notice that it was interrupted


class Follower:
    """One prompt on one server. `stall` is the longest silence, in seconds, of a running job."""

    def __init__(
        self,
        comfy: "Comfy",
        health: Health,
        probe: "Probe",
        box: Mailbox,
        prompt_id: str,
        *,
        stall: float,
        stop: threading.Event,
    ) -> None:
        self._comfy, self._health, self._probe, self._box = comfy, health, probe, box
        self._prompt_id, self._stall, self._stop = prompt_id, stall, stop
        self._silences = list(ASK_AFTER)
        self._patience = self._silences.pop(0)
        self._last_sign = self._asked = time.monotonic()
        self._deaf = False

    def to_end(self, watch: Watch) -> Finished | Failure:
        """Wait for the end. Raises Stopped, and ServerError when the server is gone."""
        while watch.end is None:
            self._check_going_on(watch)
            events = self._box.take(TICK)
            for event in events:
                if watch.end is None:  # what comes after the end, such as a drop, is no matter
                    watch = self._after(watch, event)
            if events:
                self._last_sign = self._asked = time.monotonic()
            elif watch.running and time.monotonic() - self._last_sign > self._stall:
                return self._give_up()
            else:
                watch = self._after_silence(watch)
        return watch.end

    def _check_going_on(self, watch: Watch) -> None:
        if self._stop.is_set():
            self._comfy.cancel(self._prompt_id)
            raise Stopped
        if self._probe.is_wedged and not watch.running:
            self._comfy.cancel(self._prompt_id)
            raise ServerError(self._health.reason)

    def _after(self, watch: Watch, event: Event | None) -> Watch:
        if event is None:
            return self._after_drop(watch)
        watch = apply_event(watch, event)
        if watch.doubtful and watch.end is None:
            return self._ask(watch)
        return watch

    def _after_silence(self, watch: Watch) -> Watch:
        if time.monotonic() - self._asked <= self._patience:
            return watch
        waited = not watch.running
        answer = self._find()
        if answer is not None and answer.where == "history":
            watch = self._with_stragglers(watch)
        if answer is not None and watch.end is None:
            watch = apply_answer(watch, answer)
        self._asked = time.monotonic()
        if waited or self._deaf:  # it may have begun just now, or go on unheard
            self._last_sign = self._asked
        if self._silences:
            self._patience = self._silences.pop(0)
        return watch

    def _with_stragglers(self, watch: Watch) -> Watch:
        """The job is over, but what was sent before its end may still be on its way."""
        for event in self._box.take(TICK):
            watch = apply_event(watch, event) if event else watch
        return watch

    def _after_drop(self, watch: Watch) -> Watch:
        """The websocket dropped. Files can still be fetched; images sent over it cannot."""
        self._deaf, self._patience, self._silences = True, TICK, []  # no event will come any more
        watch = self._ask(watch)
        if watch.end is None and watch.over_socket:
            self._comfy.cancel(self._prompt_id)
            raise ServerError("The websocket dropped while a job was running.")
        return watch

    def _ask(self, watch: Watch) -> Watch:
        answer = self._find()
        return watch if answer is None else apply_answer(watch, answer)

    def _find(self) -> Found | None:
        """Where the prompt is; None from a server too busy to say, while its events still come."""
        try:
            return self._comfy.find(self._prompt_id)
        except Busy as error:
            if self._deaf:
                raise Unreachable(str(error)) from None
            return None

    def _give_up(self) -> Failure:
        """Interrupt a job without a sign of life; a server that cannot stop it is set aside."""
        self._comfy.cancel(self._prompt_id)
        deadline = time.monotonic() + CANCEL_GRACE
        stopped = False
        while not stopped and time.monotonic() < deadline and not self._stop.is_set():
            events = self._box.take(TICK)
            stopped = any(event and event.kind in ("interrupted", "ended") for event in events)
            if not events:
                answer = self._find()
                stopped = answer is not None and answer.where not in ("running", "queued")
        if not stopped:
            self._probe.mark_wedged(self._prompt_id)
            self._health.mark_lost("A node does not finish and does not react to an interrupt.")
        return Failure("stalled", f"No sign of life for {self._stall:g} s; interrupted.")
