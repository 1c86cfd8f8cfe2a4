"""The stand-in itself: starts, dies, comes back, and is told what breaks."""

import ssl
from threading import Event, Lock, Thread
from typing import Any, Self

from .diary import Diary
from .faults import Fault, Struck
from .http_server import HttpServer
from .installed import Installed
from .life import Life
from .others import draw_for_another
from .versions import VERSIONS


class FaultWebui:
    """A WebUI at `url`; see the package. `auth` is "user:password" (--api-auth), `nowebui` leaves
    out /internal/…, without `api` (--api) there is no API, `load_seconds` is what a checkpoint
    takes. `diary` outlives its deaths."""

    def __init__(
        self,
        version: str = "1.10.1",
        installed: Installed | None = None,
        auth: str | None = None,
        tls: ssl.SSLContext | None = None,
        nowebui: bool = True,
        api: bool = True,
        load_seconds: float = 0.0,
    ) -> None:
        self._version, self._installed = VERSIONS[version], installed or Installed()
        self.auth, self._tls, self._nowebui, self.api = auth, tls, nowebui, api
        self._load_seconds = load_seconds
        self._struck: list[Struck] = []
        self._lock, self._living = Lock(), Lock()
        self._released = Event()
        self._server: HttpServer | None = None
        self.port = 0
        self.diary = Diary()

    def __enter__(self) -> Self:
        self.come_back()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
        self.go_away()

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}" if self._tls else f"http://127.0.0.1:{self.port}"

    @property
    def webui_url(self) -> str:
        """As a recipe names it."""
        return f"webui+{self.url}"

    @property
    def name(self) -> str:
        """As a run names it."""
        return self.url

    def breaks(self, *faults: Fault) -> None:
        """From now on these faults strike."""
        with self._lock:
            self._struck += [Struck(fault) for fault in faults]

    def works(self) -> None:
        """From now on no fault strikes; jobs that stand still go on."""
        with self._lock:
            self._struck.clear()
        self.release()

    def hits(self, fault: Fault) -> int:
        """How many requests `fault` has struck."""
        return sum(struck.hits for struck in self._struck if struck.fault == fault)

    def release(self) -> None:
        """Let jobs that are "deaf" go on."""
        self._released.set()

    @property
    def away(self) -> bool:
        """Whether it is dead now."""
        return self._server is None

    def go_away(self) -> None:
        """Die: every connection breaks, new ones are refused, what it drew is lost."""
        with self._living:
            if self._server is not None:
                self._server.life.end()
                self._server.stop()
            self._server = None

    def come_back(self) -> None:
        """Start anew at the same address, with the first checkpoint loaded and an empty queue."""
        life = Life(
            self._version,
            self._installed,
            self.diary,
            self._released,
            self._load_seconds,
            not self._nowebui,
            self._die,
        )
        with self._living:
            self._server = HttpServer(self, life, self.port, self._tls)
            self.port = self._server.server_address[1]

    def _die(self) -> None:
        """As go_away, called by a job that is drawn."""
        life = self.life
        Thread(target=self.go_away).start()
        life.dead.wait(30)

    def install(self, installed: Installed) -> None:
        """Other files are there from now on."""
        self._installed = installed
        if self._server is not None:
            self._server.life.shelf.installed = installed

    @property
    def life(self) -> Life:
        """What it holds in memory now."""
        assert self._server is not None, "the server is away"
        return self._server.life

    def interrupt(self) -> None:
        """Somebody else presses the button."""
        self.life.interrupt()

    def other_job(self, seconds: float = 0.0, images: int = 1, checkpoint: str = "") -> Thread:
        """Another user's job joins the queue; its thread ends with it."""
        line = self.life.lock
        before = len(line)
        thread = Thread(target=draw_for_another, args=(self.life, seconds, images, checkpoint))
        thread.daemon = True
        thread.start()
        while len(line) == before and thread.is_alive():
            thread.join(0.001)
        return thread

    def taken(self, path: str, among: tuple[str, ...]) -> tuple[Fault, ...]:
        with self._lock:
            met = [one for one in self._struck if one.fault.what in among and one.meets(path)]
        return tuple(one.fault for one in met)

    def flags(self) -> dict[str, Any]:
        """/cmd-flags, which shows the password as the real one does."""
        return {"api": True, "api_auth": self.auth, "nowebui": self._nowebui, "listen": False}
