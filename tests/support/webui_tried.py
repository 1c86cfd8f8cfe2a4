"""WebUIs that the same is tried on: the stand-in, and a real one where there is one."""

import os
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import requests
from manyshot.driver.address import ServerAddress
from manyshot.driver.http import Http, Refused
from manyshot.driver.job import Failure
from manyshot.driver.prepare import prepare
from manyshot.driver.targets.webui.background_call import explain_refusal
from manyshot.driver.targets.webui.dialect import read_dialect
from manyshot.driver.targets.webui.payload import Request
from manyshot.driver.targets.webui.requests import find_requests
from manyshot.driver.targets.webui.verify_reply import read_info, verify_reply
from manyshot.driver.targets.webui.webui_client import WebUI

from ..fault_webui import Checkpoint, Fault, FaultWebui, Installed
from .webui_runs import SIDE, cats, red_picture

TINY = Installed(checkpoints=(Checkpoint("manyshot-tiny.safetensors"),))
SETTINGS: dict[str, Any] = {
    "checkpoint": "manyshot-tiny",
    "sampler": "Euler",
    "scheduler": "Automatic",
    "steps": 2,
    "width": SIDE,
    "height": SIDE,
    "options": {"sd_vae_decode_method": "TAESD", "sd_vae_encode_method": "TAESD"},
}


@dataclass(frozen=True)
class Tried:
    """A WebUI that is tried: where it is, and the stand-in itself if it is that."""

    url: str
    stand_in: FaultWebui | None = None

    @property
    def client(self) -> WebUI:
        return WebUI(Http(ServerAddress(url=f"webui+{self.url}"), 10, 600))

    @property
    def version(self) -> str:
        """As it calls itself, from 1.7 on."""
        info = self.client.draw("txt2img", {"prompt": "", "steps": 1, "width": 64, "height": 64})
        return str((read_info(info) or {}).get("version", ""))

    def post(self, path: str, data: Any = None) -> None:
        requests.post(f"{self.url}/sdapi/v1/{path}", json=data, timeout=600).raise_for_status()

    def slow(self, steps: int) -> int:
        """As many steps as take about a second; the stand-in takes its time for fewer."""
        if self.stand_in is None:
            return steps
        self.stand_in.breaks(Fault("slow", times=1, amount=0.15))
        return 8


@contextmanager
def tried_webui(which: str) -> Iterator[Tried]:
    """The "stand-in", or the "real" one that MANYSHOT_WEBUI names."""
    if which == "stand-in":
        with FaultWebui(installed=TINY) as webui:
            yield Tried(webui.url, webui)
        return
    url = os.environ.get("MANYSHOT_WEBUI")
    if not url:
        pytest.skip("no real WebUI: its address is to be in MANYSHOT_WEBUI")
    yield Tried(url.rstrip("/"))


def plain(folder: Path, tried: Tried, images: int = 1, **settings: Any) -> Request:
    """What the driver sends for a job."""
    wanted = {**SETTINGS, **settings}
    plan = prepare(cats(folder, [f"webui+{tried.url}"], 1, wanted, batch_size=images), None)
    return read_dialect(tried.client).adapt(find_requests(plan).request(next(iter(plan))))


def outcome(tried: Tried, request: Request) -> tuple[bytes, ...] | Failure:
    """What the driver makes of the reply, be it an error."""
    try:
        return verify_reply(request, tried.client.draw(request.endpoint, request.payload))
    except Refused as error:
        failure = explain_refusal(error)
        assert failure is not None
        return failure


def changed(request: Request, told: dict[str, Any], **payload: Any) -> Request:
    """Other fields sent, and other things expected of the reply."""
    override = payload.pop("override", {})
    fields = {**request.payload, **payload}
    fields["override_settings"] = {**request.payload["override_settings"], **override}
    return replace(request, payload=fields, **told)


def unit(**more: Any) -> dict[str, Any]:
    red = b64encode(red_picture().read_bytes()).decode()
    whole = {"enabled": True, "module": "none", "model": "x", "image": red, **more}
    return {"controlnet": {"args": [whole]}}
