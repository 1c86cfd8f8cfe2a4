"""Works through jobs on one server: a few in flight, downloads beside, trouble sorted by kind."""

import logging
import threading
import time
import uuid
from collections.abc import Mapping
from typing import Protocol

from ..core.errors import ManyshotError, ServerError
from ..core.masks.read import LabelMask
from .binding import Binding
from .comfy import Comfy
from .completion import Finished, Watch
from .dispatch import Dispatch
from .follow import TICK, Follower, Stopped
from .health import Health
from .http import Refused, Unreachable
from .job import Delivery, Failure, Job
from .listener import Listener, NotOpen
from .pairs.draw import Made
from .pictures import checked, labelled
from .recipe import Recipe
from .uploads import Content, Uploads
from .writer import Writer

log = logging.getLogger(__name__)
SPARE_LANES = 2  # lanes that download and check while `in_flight` others wait on the server
HURRY = 5.0  # for a reply, once the run is stopped
MAX_REASON = 500
FORGET = 50  # finished prompts are taken out of the server's history in bundles


class Report(Protocol):
    """What the run wants to hear from its workers; called from their threads."""

    def delivered(self, server: str, job: Job, seconds: float) -> None: ...
    def tried(self, server: str, job: Job, failure: Failure) -> None: ...
    def failed(self, server: str, job: Job, failure: Failure) -> None: ...
    def broken(self, server: str, reason: str) -> None: ...


class Worker:
    """All lanes of one server. A lane takes a job and follows it to its end, then the next."""

    def __init__(
        self,
        name: str,
        comfy: Comfy,
        listener: Listener,
        health: Health,
        uploads: Uploads,
        recipe: Recipe,
        binding: Binding,
        dispatch: Dispatch,
        writer: Writer,
        report: Report,
    ) -> None:
        self.name = name
        self.health = health
        self._comfy, self._listener, self._uploads = comfy, listener, uploads
        self._recipe, self._binding = recipe, binding
        self._dispatch, self._writer, self._report = dispatch, writer, report
        in_flight = comfy.http.address.in_flight
        self._slots = threading.Semaphore(in_flight)
        self._stop = threading.Event()
        self._finished: list[str] = []
        self._lanes = [
            threading.Thread(target=self._lane, name=f"{self.name} {number}", daemon=True)
            for number in range(in_flight + SPARE_LANES)
        ]

    def start(self) -> None:
        for lane in self._lanes:
            lane.start()

    def stop(self) -> None:
        """Cancel what is in flight here, and take nothing more."""
        self._stop.set()
        self._comfy.http.hurry(HURRY)
        self.health.stop()

    def join(self) -> None:
        for lane in self._lanes:
            lane.join()
        self._forget(1)

    def _lane(self) -> None:
        try:
            while not self._stop.is_set() and not self._dispatch.is_over():
                if self.health.wait_up(TICK):
                    self._work()
                else:
                    self._dispatch.release(self.name)
        except Exception as error:  # the run must not wait for a lane that is gone
            log.exception("a lane of %s", self.name)
            self._report.broken(self.name, f"manyshot itself failed ({error!r}).")

    def _work(self) -> None:
        """One job, from the queue to the writer."""
        with self._slots:
            job = self._dispatch.take(self.name, TICK) if self.health.up else None
            started = time.monotonic()
            made = self._made(job) if job else None
            end = made if isinstance(made, Failure) else self._try(job, made) if job else None
        if job and end:
            mask = made.mask if isinstance(made, Made) else None
            self._settle(job, self._collected(end, mask), time.monotonic() - started)

    def _made(self, job: Job) -> Made | Failure | None:
        """The pictures that are drawn for `job`."""
        try:
            return self._binding.made(job)
        except ManyshotError as error:
            return Failure("invalid", str(error))
        except Exception as error:  # a bug of ours must not take the whole run with it
            log.exception("drawing job %s", job.id)
            return Failure("invalid", f"manyshot itself failed ({error!r}); the log has more.")

    def _try(self, job: Job, made: Made | None) -> Finished | Failure | None:
        """`job` from the queue to its end; None when the run was stopped meanwhile."""
        pictures = self._binding.uploads(job, made)
        try:
            self._uploads.send(pictures)
            return self._unless_lost(self._submit_and_follow(job, made), pictures)
        except Stopped:
            self._dispatch.put_back(job)
            return None
        except NotOpen as error:
            self._lost(error)
            self._dispatch.put_back(job)
            return None
        except (Unreachable, Refused) as error:
            self._lost(error)
            return Failure("connection", str(error))
        except ServerError as error:
            return Failure("connection", str(error))
        except ManyshotError as error:
            return Failure("invalid", str(error))
        except Exception as error:  # a bug of ours must not take the whole run with it
            log.exception("job %s on %s", job.id, self.name)
            return Failure("invalid", f"manyshot itself failed ({error!r}); the log has more.")

    def _unless_lost(
        self, end: Finished | Failure, pictures: Mapping[str, Content]
    ) -> Finished | Failure:
        """Not the job is wrong but the server, where its pictures are gone: one that was restarted
        with an empty disk so quickly that nobody saw it."""
        if isinstance(end, Failure) and pictures and self._uploads.lost(pictures):
            return Failure("connection", "The server has lost pictures that it was given.")
        return end

    def _lost(self, error: ServerError) -> None:
        self.health.lost(str(error))
        self._uploads.forget()

    def _submit_and_follow(self, job: Job, made: Made | None) -> Finished | Failure:
        prompt_id = str(uuid.uuid4())
        box, client_id = self._listener.register(prompt_id)
        try:
            graph = self._binding.graph(job, prompt_id, made)
            refused = self._comfy.submit(graph, prompt_id, client_id)
            if refused:
                self._comfy.cancel(prompt_id)
                return refused
            over_socket = self._recipe.transport == "websocket"
            watch = Watch(self._binding.save_node, job.images, over_socket)
            stall = self._recipe.timeouts.stall
            follower = Follower(self._comfy, self.health, box, prompt_id, stall, self._stop)
            return follower.to_end(watch)
        except (Unreachable, Refused):
            self.health.abandon(prompt_id)
            raise
        finally:
            self._listener.unregister(prompt_id)
            self._finished.append(prompt_id)
            self._forget(FORGET)

    def _collected(self, end: Finished | Failure, mask: LabelMask | None) -> Delivery | Failure:
        """All files of a finished job in hand and decoded, with the job's own `mask` where the
        server sends none."""
        if isinstance(end, Failure):
            return end
        try:
            images = end.images or tuple(self._comfy.file(ref) for ref in end.image_files)
            masks = end.masks or tuple(self._comfy.file(ref) for ref in end.mask_files)
        except Unreachable as error:
            self._lost(error)
            return Failure("connection", str(error))
        except Refused as error:
            return Failure("incomplete", str(error))
        delivery = checked(images, masks)
        return delivery if isinstance(delivery, Failure) else labelled(delivery, mask)

    def _settle(self, job: Job, outcome: Delivery | Failure, seconds: float) -> None:
        if isinstance(outcome, Delivery):
            self._writer.put(job, outcome, self.name, seconds)
            self._dispatch.finished(job)
            self._report.delivered(self.name, job, seconds)
            return
        outcome = Failure(outcome.kind, _one_line(outcome.reason))
        if outcome.kind == "memory":
            self._free()
        if self._dispatch.give_back(job, self.name, outcome):
            self._report.tried(self.name, job, outcome)
        else:
            self._report.failed(self.name, job, outcome)

    def _free(self) -> None:
        try:
            self._comfy.free()
        except ServerError as error:
            log.info("free on %s: %s", self.name, error)

    def _forget(self, at_least: int) -> None:
        """Take finished prompts out of the server's history; it is no harm when that fails."""
        if len(self._finished) < at_least:
            return
        gone, self._finished = self._finished, []
        try:
            self._comfy.forget(gone)
        except ServerError as error:
            log.info("forget on %s: %s", self.name, error)


def _one_line(text: str) -> str:
    """A server's words, safe to print and to store: no control characters, no lone surrogates."""
    return "".join(c if c.isprintable() else " " for c in text)[:MAX_REASON]
