"""Local pictures on their way to a server: each content once."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path

from ....core.errors import InputError, ServerError
from ....core.files import read_regular
from ...picture_files import UPLOADS
from .comfy_client import Comfy

REMEMBERED = 50_000  # names; of others the server is asked again, for a run may have millions
Content = Path | bytes


class Uploads:
    """What one server has been given so far, by this run or by earlier ones.

    Names are hashes of contents, so a file of the right name and length is the right one: the
    server is asked for it once, and gets only what it lacks.
    """

    def __init__(self, comfy: Comfy) -> None:
        self._comfy = comfy
        self._there: OrderedDict[str, Future[None]] = OrderedDict()
        self._lock = threading.Lock()
        self._silent = False  # a proxy may hide what is there; then all is sent
        self.sent = 0

    def send(self, pictures: Mapping[str, Content]) -> None:
        """Make sure that the server has all of `pictures` (name there -> file or content)."""
        for name, content in pictures.items():
            self._ensure(name, content)

    def forget(self) -> None:
        """The server was away: it may have come back with an empty disk."""
        with self._lock:
            self._there.clear()

    def forget_if_lost(self, pictures: Mapping[str, Content]) -> bool:
        """Whether the server has one of `pictures` no more; then all are forgotten."""
        if self._silent or all(self._size(name) is not None for name in pictures):
            return False
        self.forget()
        return True

    def _ensure(self, name: str, content: Content) -> None:
        """Ask and upload, or wait for the other lane that does."""
        with self._lock:
            earlier = self._there.get(name)
            promise = self._there.setdefault(name, Future())
            if len(self._there) > REMEMBERED:
                self._there.popitem(last=False)
        if earlier:
            earlier.result()
            return
        try:
            self._give(name, content)
            promise.set_result(None)
        except BaseException as error:
            with self._lock:
                if self._there.get(name) is promise:
                    del self._there[name]
            promise.set_exception(error)
            raise

    def _give(self, name: str, content: Content) -> None:
        data = content if isinstance(content, bytes) else _read(content)
        if not self._silent and self._size(name) == len(data):
            return
        stored_as = self._comfy.upload(name, data, UPLOADS)
        if stored_as != f"{UPLOADS}/{name}":
            raise ServerError(f"The server stored the picture {name} as {stored_as!r}.")
        if not self.sent:
            self._silent = self._size(name) != len(data)
        with self._lock:
            self.sent += 1

    def _size(self, name: str) -> int | None:
        return self._comfy.upload_size(name, UPLOADS)


def _read(path: Path) -> bytes:
    try:
        return read_regular(path)
    except OSError as error:
        raise InputError(f"The picture {path} cannot be read: {error.strerror}.") from None
