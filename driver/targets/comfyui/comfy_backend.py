"""One ComfyUI server doing jobs: pictures up, graph queued, followed to its end, files down."""

import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ....core.errors import ServerError
from ....core.masks.label_mask import LabelMask
from ...binding import Binding
from ...delivered_images import add_labels, check_delivery, check_size
from ...health import Health
from ...http import Busy, Refused, Unreachable
from ...job import Delivery, Failure, Job
from ...pairs.render import RenderedInputs
from ...recipe import Recipe
from ..backend import NotTaken, Stopped
from .comfy_client import Comfy
from .comfy_probe import Probe
from .completion import FileRef, Finished, Watch
from .events import images_taken
from .follow_prompt import Follower
from .listener import Listener, NotOpen
from .uploads import Content, Uploads

log = logging.getLogger(__name__)
HURRY = 5.0  # for a reply, once the run is stopped
LOOK = 0.5  # seconds between two looks whether the run was stopped
FORGET = 50  # finished prompts are taken out of the server's history in bundles


@dataclass(frozen=True)
class SubmittedJob:
    """A finished prompt, and the job's own label mask, where the server sends none."""

    end: Finished
    mask: LabelMask | None


class ComfyBackend:
    """A `backend.Backend`. `check` and `revive` are those of `probe.Probe`."""

    def __init__(
        self,
        name: str,
        comfy: Comfy,
        recipe: Recipe,
        binding: Binding,
        check: Callable[[], None],
        revive: Callable[[], None] | None,
    ) -> None:
        self.name, self.in_flight = name, comfy.http.address.in_flight
        self._comfy, self._recipe, self._binding = comfy, recipe, binding
        self._uploads = Uploads(comfy)
        self._listener = Listener(comfy.http.address, recipe.timeouts.connect)
        self._probe = Probe(comfy, self._listener, check, revive)
        self.health = Health(self._probe)
        self._stop = threading.Event()
        self._finished: list[str] = []

    def start(self) -> None:
        self._listener.start()
        self.health.start()

    def draw(self, job: Job, rendered: RenderedInputs | None) -> SubmittedJob | Failure:
        pictures = self._binding.uploads(job, rendered)
        try:
            self._uploads.send(pictures)
            end = self._unless_lost(self._submit_and_follow(job, rendered), pictures)
        except Busy as error:  # no fault of the job
            self._mark_lost(error)
            raise NotTaken(str(error)) from None
        except (NotOpen, Unreachable, Refused) as error:
            self._mark_lost(error)
            raise
        return end if isinstance(end, Failure) else SubmittedJob(end, rendered and rendered.mask)

    def collect(self, submitted: SubmittedJob) -> Delivery | Failure:
        try:
            images = submitted.end.images or self._download(submitted.end.image_files)
            masks = submitted.end.masks or self._download(submitted.end.mask_files)
        except Unreachable as error:
            self._mark_lost(error)
            raise
        except Refused as error:
            return Failure("incomplete", str(error))
        delivery = check_delivery(images, masks)
        return delivery if isinstance(delivery, Failure) else add_labels(delivery, submitted.mask)

    def relieve(self) -> None:
        self._comfy.free()

    def stop(self) -> None:
        self._stop.set()
        self._comfy.http.hurry(HURRY)

    def close(self) -> None:
        """What was abandoned is cancelled if the server can be reached."""
        self._forget(1)
        try:
            self._probe.cancel_abandoned()
        except ServerError as error:
            log.info("cancelling what was left: %s", error)
        self._listener.close()

    def _unless_lost(
        self, end: Finished | Failure, pictures: Mapping[str, Content]
    ) -> Finished | Failure:
        """Not the job is wrong but the server, where its pictures are gone: one that was restarted
        with an empty disk so quickly that nobody saw it."""
        if isinstance(end, Failure) and pictures and self._uploads.forget_if_lost(pictures):
            return Failure("connection", "The server has lost uploaded images.")
        return end

    def _download(self, files: tuple[FileRef, ...]) -> tuple[bytes, ...]:
        contents: list[bytes] = []
        for file in files:
            contents.append(self._fetch(file))
            check_size(sum(map(len, contents)))
        return tuple(contents)

    def _fetch(self, file: FileRef) -> bytes:
        """The file, however long the server is busy; the run itself says when that is too long."""
        while True:
            try:
                return self._comfy.file(file)
            except Busy as error:
                self.health.mark_lost(str(error), error.after)
            while not self.health.wait_up(LOOK):
                if self._stop.is_set():
                    raise Stopped

    def _mark_lost(self, error: ServerError) -> None:
        self.health.mark_lost(str(error), error.after if isinstance(error, Busy) else 0.0)
        self._uploads.forget()

    def _submit_and_follow(self, job: Job, rendered: RenderedInputs | None) -> Finished | Failure:
        prompt_id = str(uuid.uuid4())
        most = images_taken(job.images)
        box, client_id = self._listener.register(prompt_id, self._binding.save_nodes, most)
        try:
            graph = self._binding.graph(job, prompt_id, rendered)
            refused = self._comfy.submit(graph, prompt_id, client_id)
            if refused:
                self._comfy.cancel(prompt_id)
                return refused
            over_socket = self._recipe.transport == "websocket"
            watch = Watch(self._binding.save_nodes, job.images, over_socket)
            stall, stop = self._recipe.timeouts.stall, self._stop
            follower = Follower(
                self._comfy, self.health, self._probe, box, prompt_id, stall=stall, stop=stop
            )
            return follower.to_end(watch)
        except (Unreachable, Refused):
            self._probe.abandon(prompt_id)
            raise
        finally:
            self._listener.unregister(prompt_id)
            self._finished.append(prompt_id)
            self._forget(FORGET)

    def _forget(self, at_least: int) -> None:
        """Take finished prompts out of the server's history; it is no harm when that fails."""
        if len(self._finished) < at_least:
            return
        gone, self._finished = self._finished, []
        try:
            self._comfy.forget(gone)
        except ServerError as error:
            log.info("forget on %s: %s", self.name, error)
