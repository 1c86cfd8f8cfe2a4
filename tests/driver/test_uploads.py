"""What a server is given: each content once, though lanes ask at the same time."""

import threading
from pathlib import Path

import pytest
from manyshot.core.errors import InputError, ServerError
from manyshot.driver.targets.comfyui import uploads as uploads_module
from manyshot.driver.targets.comfyui.uploads import Uploads


class Server:
    """As much of driver.targets.comfyui.client.Comfy as uploads need."""

    def __init__(self, silent: bool = False) -> None:
        self.files: dict[str, bytes] = {}
        self.taken: list[str] = []
        self.asked: list[str] = []
        self.failures = 0
        self.renames = False
        self._silent = silent

    def upload_size(self, name: str, subfolder: str) -> int | None:
        self.asked.append(name)
        return len(self.files[name]) if name in self.files and not self._silent else None

    def upload(self, name: str, data: bytes, subfolder: str) -> str:
        if self.failures:
            self.failures -= 1
            raise ServerError("gone")
        self.taken.append(name)
        self.files[name] = data
        return f"{subfolder}/{'other' if self.renames else name}"


@pytest.fixture
def server() -> Server:
    return Server()


def uploads_to(server: Server) -> Uploads:
    return Uploads(server)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_what_is_known_is_neither_sent_nor_asked_for(server: Server, tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"two")
    uploads = uploads_to(server)
    for _ in range(3):
        uploads.send({"a.png": b"one", "b.png": tmp_path / "b"})
    assert server.taken == ["a.png", "b.png"]
    assert server.files == {"a.png": b"one", "b.png": b"two"}
    assert len(server.asked) == 3  # once before each, and once to see that it tells


def test_what_an_earlier_run_has_sent_is_there(server: Server) -> None:
    uploads_to(server).send({"a.png": b"one", "b.png": b"two"})
    again = uploads_to(server)
    again.send({"a.png": b"one", "b.png": b"two"})
    assert server.taken == ["a.png", "b.png"]
    assert again.sent == 0


def test_a_file_that_was_cut_off_is_sent_again(server: Server) -> None:
    server.files["a.png"] = b"on"
    uploads_to(server).send({"a.png": b"one"})
    assert server.files["a.png"] == b"one"


def test_lanes_that_need_the_same_wait_for_one_upload(server: Server) -> None:
    uploads, begin = uploads_to(server), threading.Barrier(8)

    def lane() -> None:
        begin.wait()
        uploads.send({f"{n}.png": bytes([n]) for n in range(50)})

    lanes = [threading.Thread(target=lane) for _ in range(8)]
    for one in lanes:
        one.start()
    for one in lanes:
        one.join()
    assert sorted(server.taken) == sorted(f"{n}.png" for n in range(50))


def test_an_upload_that_failed_is_tried_again_by_the_next(server: Server) -> None:
    server.failures = 1
    uploads = uploads_to(server)
    with pytest.raises(ServerError):
        uploads.send({"a.png": b"one"})
    uploads.send({"a.png": b"one"})
    assert server.taken == ["a.png"]


def test_a_server_that_was_away_is_asked_again(server: Server) -> None:
    uploads = uploads_to(server)
    uploads.send({"a.png": b"one", "b.png": b"two"})
    del server.files["b.png"]
    uploads.forget()
    uploads.send({"a.png": b"one", "b.png": b"two"})
    assert server.taken == ["a.png", "b.png", "b.png"]


def test_pictures_that_vanish_are_noticed(server: Server) -> None:
    uploads, pictures = uploads_to(server), {"a.png": b"one", "b.png": b"two"}
    uploads.send(pictures)
    assert not uploads.forget_if_lost(pictures)
    del server.files["a.png"]
    assert uploads.forget_if_lost(pictures)
    uploads.send(pictures)
    assert server.taken == ["a.png", "b.png", "a.png"]


def test_a_server_that_does_not_tell_is_not_asked_twice() -> None:
    server = Server(silent=True)
    uploads = uploads_to(server)
    uploads.send({"a.png": b"one", "b.png": b"two", "c.png": b"three"})
    assert (len(server.taken), len(server.asked)) == (3, 2)
    assert not uploads.forget_if_lost({"a.png": b"one"})


def test_names_long_past_are_asked_for_not_sent(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads_module, "REMEMBERED", 3)
    uploads = uploads_to(server)
    for _ in range(2):
        for n in range(10):
            uploads.send({f"{n}.png": bytes([n])})
    assert len(server.taken) == 10


def test_a_server_that_renames_is_refused(server: Server) -> None:
    server.renames = True
    with pytest.raises(ServerError, match="stored the picture a.png as 'manyshot/other'"):
        uploads_to(server).send({"a.png": b"one"})


def test_a_picture_that_is_gone_is_a_sentence(server: Server, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        uploads_to(server).send({"a.png": tmp_path / "gone.png"})
