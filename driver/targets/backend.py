"""What a run wants of a server, whatever program it is."""

from typing import TYPE_CHECKING, Protocol, TypeVar

from ...core.errors import ServerError
from ..health import Health
from ..job import Delivery, Failure, Job

if TYPE_CHECKING:  # types alone
    from ..pairs.render import RenderedInputs

Submitted = TypeVar("Submitted")


class Stopped(Exception):
    """The run was stopped while a job was in flight."""


class NotTaken(ServerError):
    """The server is not ready, and was not given the job: that is no try of it."""


class Backend(Protocol[Submitted]):
    """One server. `in_flight` jobs wait on it at once; methods are called from several threads.

    `draw` and `collect` may raise ServerError when the server is gone (they have told `health`),
    and InputError for a picture of the job that cannot be read any more.
    """

    name: str
    in_flight: int
    health: Health

    def start(self) -> None:
        """Begin to find out whether the server can be used."""
        ...

    def draw(self, job: Job, rendered: "RenderedInputs | None") -> Submitted | Failure:
        """Have the server do `job`, and wait for its end. Raises Stopped, NotTaken too."""
        ...

    def collect(self, submitted: Submitted) -> Delivery | Failure:
        """The files of what was drawn, all in hand and decoded; others wait no longer for it."""
        ...

    def relieve(self) -> None:
        """The server ran out of memory."""
        ...

    def stop(self) -> None:
        """Cancel what is in flight here, and hurry from now on."""
        ...

    def close(self) -> None:
        """The last call; nothing is in flight any more."""
        ...
