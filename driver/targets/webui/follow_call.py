"""Follows a call to its end: whether the WebUI moves, who stopped it, what may be cancelled."""

import threading
import time
from typing import Any

from ...http import Refused, Unreachable
from ...job import Failure
from ..backend import Stopped
from .background_call import Call
from .webui_client import Progress, WebUI

TICK = 0.1  # how often a waiting lane looks whether the run was stopped
ASK_EVERY = 1.0  # seconds between two looks at the progress
CANCEL_GRACE = 15.0  # what a step of sampling may take to notice that it was interrupted
HICCUPS = 2  # questions in a row that a server or its proxy may fail to answer
DYING_GRACE = 2.0  # for the call to break where the server does not answer any more


class Follower:
    """One call of one WebUI, which draws one job after the other.

    `idle`: whether nothing was drawn there when the call was sent. The API does not say whose job
    it draws: what begins then is ours. What is another's is not interrupted.
    """

    def __init__(
        self, client: WebUI, call: Call, idle: bool, stall: float, stop: threading.Event
    ) -> None:
        self._client, self._call, self._idle = client, call, idle
        self._stall, self._stop = stall, stop
        self._spoiled: set[str] = set()
        self._at: tuple[Any, ...] = ()
        self.stamp: str | None = None
        """When ours began, by the server's clock; None while it waits, or nobody can tell."""

    def to_end(self) -> Any:
        """The reply; a Failure when nothing moves for `stall` seconds.

        Raises Stopped, Unreachable, Refused.
        """
        polled = moved = time.monotonic()
        while not self._call.wait(TICK):
            now = time.monotonic()
            if self._stop.is_set():
                self.cancel()
                raise Stopped
            if now - polled < ASK_EVERY:
                continue
            if self._ask():
                moved = time.monotonic()
            polled = time.monotonic()
            if polled - moved > self._stall:
                return self._give_up()
        return self._call.result()

    def was_spoiled(self, stamp: str) -> bool:
        """Whether somebody interrupted or skipped the job that began at `stamp`, so that its
        images are half drawn; to be asked right after its reply.

        Raises Unreachable when the server does not say.
        """
        progress = self._surely()
        last = progress.spoiled and progress.started == stamp
        return last or stamp in self._spoiled

    def _surely(self) -> Progress:
        """A hiccup here would have the job drawn again."""
        for _ in range(HICCUPS):
            try:
                return self._client.progress()
            except (Unreachable, Refused):
                self._stop.wait(TICK)
        return self._client.progress()

    def cancel(self) -> None:
        """Interrupt the job if it is ours that is drawn, and wait a little for its end."""
        try:
            progress = self._look()
            if progress.busy and progress.started == self.stamp:
                self._client.interrupt()
                self._call.wait(CANCEL_GRACE)
        except (Unreachable, Refused):
            pass  # what does not answer draws nothing

    def _ask(self) -> bool:
        """Whether something moved since the last look. Raises Unreachable when it is gone."""
        try:
            progress = self._look()
        except (Unreachable, Refused):
            if self._call.wait(DYING_GRACE):
                return True
            raise
        moved, self._at = progress.at != self._at, progress.at
        return moved

    def _look(self) -> Progress:
        progress = self._client.progress()
        if progress.spoiled and progress.busy:
            self._spoiled.add(progress.started)
        if self._idle and progress.busy and self.stamp is None:
            self.stamp = progress.started
        return progress

    def _give_up(self) -> Failure:
        self.cancel()
        return Failure("stalled", f"No sign of life for {self._stall:g} s; interrupted.")
