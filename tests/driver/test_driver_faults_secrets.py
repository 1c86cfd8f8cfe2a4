"""Passwords and certificates: HTTP and websocket show them, and nothing writes them down."""

import logging
import ssl
import subprocess
import threading
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from manyshot.core.errors import InputError, ServerError
from manyshot.driver.embedded import EmbeddedServer

from ..support.certificates import own_certificate
from ..support.fault_proxy import FaultProxy
from ..support.fault_runs import colours, drive, images, is_whole

pytestmark = pytest.mark.server
BOTH = pytest.mark.parametrize("transport", ["websocket", "view"])
SECRET = "correct-horse-battery"  # noqa: S105
CODED = b64encode(f"me:{SECRET}".encode()).decode()
ENTRIES: dict[str, tuple[dict[str, Any], str]] = {
    "bearer": ({"bearer": SECRET}, f"Bearer {SECRET}"),
    "bearer from the environment": ({"bearer": "${MANYSHOT_FAULT_SECRET}"}, f"Bearer {SECRET}"),
    "basic": ({"basic": f"me:{SECRET}"}, f"Basic {CODED}"),
    "basic from the environment": ({"basic": "me:${MANYSHOT_FAULT_SECRET}"}, f"Basic {CODED}"),
    "header": ({"headers": {"Authorization": f"Key {SECRET}"}}, f"Key {SECRET}"),
    "address": ({}, f"Basic {CODED}"),
}


@BOTH
@pytest.mark.parametrize("how", ENTRIES)
def test_the_right_secret_is_shown_and_never_written(
    tmp_path: Path, comfyui: EmbeddedServer, transport: str, how: str,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("MANYSHOT_FAULT_SECRET", SECRET)
    entry, shown = ENTRIES[how]
    with FaultProxy(comfyui.url) as proxy:
        url = proxy.url.replace("//", f"//me:{SECRET}@") if how == "address" else proxy.url
        proxy.authorization = shown
        recipe = colours(tmp_path, [{"url": url, **entry}], transport=transport)
        summary = drive(recipe, (images(3), proxy.drop_websockets))
        assert (summary.exit_code, proxy.turned_away) == (0, 0)
    is_whole(recipe)
    written = [p for p in recipe.output.rglob("*") if p.is_file()]
    assert len(written) > 12
    said = caplog.text.encode() + repr((recipe, summary)).encode()
    for secret in (SECRET.encode(), CODED.encode()):
        assert not [p for p in written if secret in p.read_bytes()]
        assert secret not in said


def test_a_wrong_secret_is_a_sentence(tmp_path: Path, comfyui: EmbeddedServer) -> None:
    with FaultProxy(comfyui.url) as proxy:
        proxy.authorization = "Bearer of another"
        recipe = colours(tmp_path, [{"url": proxy.url, "bearer": SECRET}])
        with pytest.raises(ServerError, match="HTTP 401.*'bearer'") as raised:
            drive(recipe)
        assert SECRET not in str(raised.value)


def test_a_secret_that_expires_stops_the_run(tmp_path: Path, comfyui: EmbeddedServer) -> None:
    with FaultProxy(comfyui.url) as proxy:
        proxy.authorization = f"Bearer {SECRET}"

        def expire() -> None:
            proxy.authorization = "Bearer of another"

        servers = [{"url": proxy.url, "bearer": SECRET}]
        recipe = colours(tmp_path, servers, 30, timeouts={"server_gone": 1}, transport="view")
        summary = drive(recipe, (images(5), expire))
    assert summary.exit_code == 1
    assert summary.stopped is not None
    assert "HTTP 401" in summary.stopped
    assert summary.counts.failed == 0


def test_a_missing_variable_is_named(tmp_path: Path, comfyui: EmbeddedServer) -> None:
    with pytest.raises(InputError, match="environment variable MANYSHOT_FAULT_NOT_SET"):
        drive(colours(tmp_path, [{"url": comfyui.url, "bearer": "${MANYSHOT_FAULT_NOT_SET}"}]))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(certificate, key) that nobody but us trusts, for localhost."""
    return own_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def tls_proxy(comfyui: EmbeddedServer, certificate: tuple[Path, Path]) -> Iterator[FaultProxy]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    with FaultProxy(comfyui.url, context) as proxy:
        yield proxy


@BOTH
@pytest.mark.parametrize("how", ["file", "folder", "off"])
def test_a_certificate_of_our_own(
    tmp_path: Path, tls_proxy: FaultProxy, certificate: tuple[Path, Path], how: str, transport: str
) -> None:
    folder = tmp_path / "trusted"
    folder.mkdir()
    (folder / certificate[0].name).write_bytes(certificate[0].read_bytes())
    subprocess.run(["openssl", "rehash", str(folder)], check=True, capture_output=True)
    verify = {"file": str(certificate[0]), "folder": str(folder), "off": False}[how]
    servers = [{"url": tls_proxy.url, "verify": verify}]
    recipe = colours(tmp_path, servers, transport=transport)
    assert drive(recipe).exit_code == 0
    assert tls_proxy.sockets >= 1
    is_whole(recipe)


def test_a_certificate_nobody_trusts_is_refused(tmp_path: Path, tls_proxy: FaultProxy) -> None:
    recipe = colours(tmp_path, [tls_proxy.url])
    with pytest.raises(ServerError, match="certificate is not trusted.*'verify: CA file'"):
        drive(recipe)


def test_the_websocket_refuses_it_too(tmp_path: Path, tls_proxy: FaultProxy) -> None:
    """Its own rules say no even where those of HTTP say yes."""
    from manyshot.driver.address import ServerAddress
    from manyshot.driver.targets.comfyui.listener import Listener

    listener = Listener(ServerAddress(url=tls_proxy.url))
    listener.start()
    opened = listener.wait_open(2)
    listener.close()
    assert not opened
    assert "certificate is not trusted" in listener.problem


def test_only_the_listening_thread_closes_its_websocket(
    tls_proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closed by another, its file descriptor goes to the next file that is opened, such as an
    image, and TLS, which still reads, takes bytes out of that file."""
    from manyshot.driver.address import ServerAddress
    from manyshot.driver.targets.comfyui.listener import Listener

    closed_by: list[str] = []
    close = ssl.SSLSocket.close

    def note(self: ssl.SSLSocket) -> None:
        closed_by.append(threading.current_thread().name)
        close(self)

    monkeypatch.setattr(ssl.SSLSocket, "close", note)
    listener = Listener(ServerAddress.model_validate({"url": tls_proxy.url, "verify": False}))
    listener.start()
    assert listener.wait_open(30)
    listener.close()
    assert closed_by == [f"ws {tls_proxy.url}"]


def test_a_ca_file_that_is_not_there(tmp_path: Path, tls_proxy: FaultProxy) -> None:
    servers = [{"url": tls_proxy.url, "verify": str(tmp_path / "ca.pem")}]
    with pytest.raises(InputError, match=r"no CA file .*ca\.pem"):
        drive(colours(tmp_path, servers))
