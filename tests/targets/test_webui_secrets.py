"""Passwords and certificates of WebUIs: shown to the server, and written down nowhere."""

import logging
import ssl
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from manyshot.core.errors import InputError, ServerError

from ..fault_webui import FaultWebui
from ..support.certificates import own_certificate
from ..support.fault_runs import drive, images
from ..support.webui_runs import BOTH, cats, is_whole

pytestmark = pytest.mark.usefixtures("hasty")
SECRET = "correct-horse-battery"  # noqa: S105
CODED = b64encode(f"me:{SECRET}".encode()).decode()
ENTRIES: dict[str, dict[str, Any]] = {
    "basic": {"basic": f"me:{SECRET}"},
    "basic from the environment": {"basic": "me:${MANYSHOT_FAULT_SECRET}"},
    "header": {"headers": {"Authorization": f"Basic {CODED}"}},
    "address": {},
}


@pytest.mark.parametrize("how", ENTRIES)
def test_the_right_secret_is_shown_and_never_written(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It stands in /cmd-flags too, which is not asked for."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("MANYSHOT_FAULT_SECRET", SECRET)
    with FaultWebui(auth=f"me:{SECRET}", installed=BOTH) as webui:
        url = webui.webui_url
        url = url.replace("//", f"//me:{SECRET}@") if how == "address" else url
        recipe = cats(tmp_path, [{"url": url, **ENTRIES[how]}])
        summary = drive(recipe)
        assert (summary.exit_code, webui.diary.turned_away) == (0, 0)
        assert webui.diary.requests("/cmd-flags") == []
    is_whole(recipe)
    written = [p for p in recipe.output.rglob("*") if p.is_file()]
    assert len(written) > 6
    said = caplog.text.encode() + repr((recipe, summary)).encode()
    for secret in (SECRET.encode(), CODED.encode()):
        assert not [p for p in written if secret in p.read_bytes()]
        assert secret not in said


@pytest.mark.parametrize("entry", [{}, {"basic": "me:wrong"}, {"bearer": SECRET}])
def test_a_wrong_secret_is_a_sentence(tmp_path: Path, entry: dict[str, str]) -> None:
    with FaultWebui(auth=f"me:{SECRET}") as webui:
        recipe = cats(tmp_path, [{"url": webui.webui_url, **entry}])
        with pytest.raises(ServerError, match="HTTP 401.*'basic'") as raised:
            drive(recipe)
        assert webui.diary.begun == []
    assert SECRET not in str(raised.value)


def test_a_secret_that_expires_stops_the_run(tmp_path: Path) -> None:
    with FaultWebui(auth=f"me:{SECRET}") as webui:

        def expire() -> None:
            webui.auth = "me:another"

        servers = [{"url": webui.webui_url, "basic": f"me:{SECRET}"}]
        recipe = cats(tmp_path, servers, 40, timeouts={"server_gone": 0.3})
        summary = drive(recipe, (images(3), expire))
    assert (summary.exit_code, summary.counts.failed) == (1, 0)
    assert summary.stopped is not None
    assert "HTTP 401" in summary.stopped


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return own_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def tls(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    return context


@pytest.mark.parametrize("how", ["file", "off"])
def test_a_certificate_of_our_own(
    tmp_path: Path, tls: ssl.SSLContext, certificate: tuple[Path, Path], how: str
) -> None:
    verify = {"file": str(certificate[0]), "off": False}[how]
    with FaultWebui(tls=tls, installed=BOTH) as webui:
        recipe = cats(tmp_path, [{"url": webui.webui_url, "verify": verify}])
        assert drive(recipe).exit_code == 0
        assert webui.webui_url.startswith("webui+https://")
    is_whole(recipe)


def test_a_certificate_nobody_trusts_is_refused(tmp_path: Path, tls: ssl.SSLContext) -> None:
    with FaultWebui(tls=tls) as webui:
        recipe = cats(tmp_path, [webui])
        with pytest.raises(ServerError, match="certificate is not trusted.*'verify: CA file'"):
            drive(recipe)
        assert webui.diary.asked == []


def test_a_missing_variable_is_named(tmp_path: Path) -> None:
    with FaultWebui() as webui:
        recipe = cats(tmp_path, [{"url": webui.webui_url, "basic": "me:${MANYSHOT_FAULT_NOT_SET}"}])
        with pytest.raises(InputError, match="environment variable MANYSHOT_FAULT_NOT_SET"):
            drive(recipe)
