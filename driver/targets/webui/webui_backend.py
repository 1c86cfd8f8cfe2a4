"""One WebUI doing jobs: asked, followed, and its reply held against what was asked."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ....core.errors import ServerError
from ...delivered_images import add_labels, check_delivery
from ...health import Health
from ...http import Busy, Refused, Unreachable
from ...job import Delivery, Failure, Job
from ...pairs.render import RenderedInputs
from ..backend import NotTaken
from .background_call import GATEWAY, Call, Probe, explain_refusal
from .dialect import Dialect
from .follow_call import Follower
from .payload import MODELS, Request
from .requests import Requests
from .verify_reply import SPOILED, read_info, verify_reply
from .webui_client import WebUI

log = logging.getLogger(__name__)
TURNED_AWAY = (429, 503)  # nothing was begun; a gateway's 502 and 504 may come after hours
HURRY = 5.0  # for a reply, once the run is stopped


@dataclass(frozen=True)
class SubmittedJob:
    """A reply, what was asked, and the pictures that were drawn for the job."""

    request: Request
    reply: Any
    made: RenderedInputs | None


class WebUIBackend:
    """A `backend.Backend`. One job is in flight: the API says of no image whether somebody
    interrupted it, only whether the last task was, and that only until the next begins.

    `dialect` gives the server's own words as they were last asked for; `check` is `Probe`'s.
    """

    in_flight = 1

    def __init__(
        self,
        name: str,
        client: WebUI,
        requests: Requests,
        stall: float,
        dialect: Callable[[], Dialect],
        check: Callable[[], None],
    ) -> None:
        self.name = name
        self._client, self._requests, self._stall = client, requests, stall
        self._dialect = dialect
        self._probe = Probe(client, check)
        self.health = Health(self._probe)
        self._stop = threading.Event()
        self._before: dict[str, Any] = {}

    def start(self) -> None:
        self.health.start()

    def draw(self, job: Job, rendered: RenderedInputs | None) -> SubmittedJob | Failure:
        dialect = self._dialect()
        request = dialect.adapt(self._requests.request(job, rendered))
        self._before = replaced_options(request, dialect) | self._before
        idle = self._is_idle()  # asked for each job: somebody's may have begun since the last
        call = Call(lambda: self._client.draw(request.endpoint, request.payload))
        follower = Follower(self._client, call, idle, self._stall, self._stop)
        try:
            reply = follower.to_end()
            if isinstance(reply, Failure):
                self._abandon(follower, reply.reason)
                return reply
            return self._check_spoiled(SubmittedJob(request, reply, rendered), follower)
        except Refused as error:
            return self._explain(error, follower)
        except Unreachable as error:
            self._abandon(follower, str(error))
            raise

    def collect(self, submitted: SubmittedJob) -> Delivery | Failure:
        images = verify_reply(submitted.request, submitted.reply)
        if isinstance(images, Failure):
            return images
        delivery = check_delivery(images, ())
        mask = submitted.made and submitted.made.mask
        return delivery if isinstance(delivery, Failure) else add_labels(delivery, mask)

    def relieve(self) -> None:
        """The WebUI frees its memory itself after each task."""

    def stop(self) -> None:
        self._stop.set()
        self._client.http.hurry(HURRY)

    def close(self) -> None:
        """Its settings as they were, unless somebody draws with them now; the models stay, as if
        they were chosen on its page."""
        try:
            if self._before and not self._client.progress().busy:
                self._client.set_options(self._before)
        except ServerError as error:
            log.info("the settings of %s stay as they are: %s", self.name, error)

    def _is_idle(self) -> bool:
        try:
            return not self._client.progress().busy
        except (Unreachable, Refused) as error:
            self.health.mark_lost(str(error), error.after if isinstance(error, Busy) else 0.0)
            raise NotTaken(str(error)) from None

    def _check_spoiled(self, submitted: SubmittedJob, follower: Follower) -> SubmittedJob | Failure:
        info = read_info(submitted.reply) or {}
        spoiled = follower.was_spoiled(str(info.get("job_timestamp")))
        return Failure("incomplete", SPOILED) if spoiled else submitted

    def _explain(self, error: Refused, follower: Follower) -> Failure:
        failure = explain_refusal(error)
        if failure is not None:
            return failure
        if isinstance(error, Busy) and error.status in TURNED_AWAY:
            self.health.mark_lost(str(error), error.after)
            raise NotTaken(str(error))
        reason = str(error)
        if error.status in GATEWAY:
            reason += " A proxy in front of it timed out: raise its timeout."
        self._abandon(follower, reason)
        return Failure("connection", reason)

    def _abandon(self, follower: Follower, reason: str) -> None:
        """The server may still draw what nobody waits for any more."""
        log.info("%s: %s", self.name, reason)
        self._probe.abandon(follower.stamp)
        self.health.mark_lost(reason)


def replaced_options(request: Request, dialect: Dialect) -> dict[str, Any]:
    """What the settings were that a request changes, models aside, as far as the server says."""
    return {
        name: dialect.options[name]
        for name, value in request.payload["override_settings"].items()
        if name not in MODELS and name in dialect.options and dialect.options[name] != value
    }
