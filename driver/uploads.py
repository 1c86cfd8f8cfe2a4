"""Local pictures on their way to a server: each content once."""

import threading
from pathlib import Path

from ..core.errors import InputError, ServerError
from .binding import UPLOADS
from .comfy import Comfy


class Uploads:
    """What one server has been given so far."""

    def __init__(self, comfy: Comfy) -> None:
        self._comfy = comfy
        self._sent: set[str] = set()
        self._lock = threading.Lock()

    def send(self, pictures: dict[str, Path]) -> None:
        """Make sure that the server has all of `pictures` (name there -> local file)."""
        for name, path in pictures.items():
            with self._lock:
                if name not in self._sent:
                    self._upload(name, path)
                    self._sent.add(name)

    def forget(self) -> None:
        """The server was away: it may have come back with an empty disk."""
        self._sent.clear()

    def _upload(self, name: str, path: Path) -> None:
        taken = self._comfy.upload(name, _content(path), UPLOADS)
        if taken != f"{UPLOADS}/{name}":
            raise ServerError(f"The server stored the picture {path} as {taken!r}, not as {name}.")


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"The picture {path} cannot be read: {error.strerror}.") from None
