"""The stand-in for a WebUI breaks as it is told, and queues, dies and differs as real ones do."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from ..fault_webui import Checkpoint, Fault, FaultWebui, Installed
from ..support.fault_runs import wait_for
from ..support.webui_requests import BODY, ask, drawn

TWO = Installed(checkpoints=(Checkpoint("tiny.safetensors"), Checkpoint("b.ckpt", hashed=False)))


@pytest.fixture
def webui() -> Iterator[FaultWebui]:
    with FaultWebui(installed=TWO) as webui:
        yield webui


def test_one_draws_and_others_wait(webui: FaultWebui) -> None:
    webui.breaks(Fault("hang"))
    body = {**BODY, "force_task_id": "first"}
    url = f"{webui.url}/sdapi/v1/txt2img"
    first = threading.Thread(target=requests.post, args=(url,), kwargs={"json": body})
    first.start()
    assert wait_for(lambda: webui.diary.begun == ["first"])
    second = threading.Thread(target=requests.post, args=(url,), kwargs={"json": BODY})
    second.start()
    assert wait_for(lambda: webui.diary.open == 2)
    state = requests.get(f"{webui.url}/sdapi/v1/progress", timeout=5).json()["state"]
    assert (state["job"], state["job_count"]) == ("scripts_txt2img", 1)
    assert webui.diary.drawn == []
    webui.interrupt()
    first.join()
    second.join()
    assert [one.half for one in webui.diary.drawn] == [True, False]
    assert (webui.diary.interrupts, webui.diary.most_at_once) == (["first"], 2)


def test_a_client_that_hangs_up_stops_nothing(webui: FaultWebui) -> None:
    webui.breaks(Fault("slow", amount=0.1))
    with pytest.raises(requests.Timeout):
        requests.post(f"{webui.url}/sdapi/v1/txt2img", json=BODY, timeout=0.1)
    ask(webui)
    assert webui.diary.drawn_twice() == [("a cat", 7)]


BROKEN = ["drop before", "drop after", "drop midway", "die"]


@pytest.mark.parametrize("what", BROKEN)
def test_connections_break(webui: FaultWebui, what: Any) -> None:
    webui.breaks(Fault(what))
    with pytest.raises(requests.RequestException):
        ask(webui)
    assert len(webui.diary.drawn) == (1 if what in ("drop after", "drop midway") else 0)


def test_it_dies_and_comes_back_empty(webui: FaultWebui) -> None:
    drawn(webui, override_settings={"sd_model_checkpoint": "b"}, n_iter=2,
          override_settings_restore_afterwards=False)  # fmt: skip
    webui.breaks(Fault("die", amount=1))
    with pytest.raises(requests.RequestException):
        ask(webui, n_iter=3)
    with pytest.raises(requests.RequestException):
        ask(webui)
    webui.come_back()
    assert drawn(webui)[1]["sd_model_name"] == "tiny"


BODIES = {"error 500": 500, "gateway 502": 502, "gateway 504": 504, "memory": 500, "raise": 500}


@pytest.mark.parametrize("what", BODIES)
def test_errors_have_their_status(webui: FaultWebui, what: Any) -> None:
    webui.breaks(Fault(what, times=1))
    reply = requests.post(f"{webui.url}/sdapi/v1/txt2img", json=BODY, timeout=30)
    assert reply.status_code == BODIES[what]
    assert ("error" in reply.json()) if "gateway" not in what else ("<html>" in reply.text)
    assert ask(webui)[0] == 200


VERSIONS = {
    "1.6.0": (404, 404, False), "1.8.0": (404, 404, False), "1.9.0": (404, 404, True),
    "1.10.1": (200, 200, True), "forge": (200, 200, True),
}  # fmt: skip


@pytest.mark.parametrize("version", VERSIONS)
def test_versions(version: str) -> None:
    sampler, schedulers, scheduler_field = VERSIONS[version]
    with FaultWebui(version) as webui:
        assert ask(webui, sampler_name="x")[0] == sampler
        assert requests.get(f"{webui.url}/sdapi/v1/schedulers", timeout=5).status_code == schedulers
        assert ("scheduler" in ask(webui, scheduler="Karras")[1]["parameters"]) == scheduler_field


def test_auth_is_for_the_api_alone() -> None:
    with FaultWebui(auth="me:secret") as webui:
        assert ask(webui)[0] == 401
        assert requests.get(f"{webui.url}/openapi.json", timeout=5).status_code == 200
        url = webui.url.replace("//", "//me:secret@")
        assert requests.post(f"{url}/sdapi/v1/txt2img", json=BODY, timeout=5).status_code == 200
        assert webui.diary.turned_away == 1


def test_other_users_draw_too(webui: FaultWebui) -> None:
    other = webui.other_job(checkpoint="b")
    drawn(webui)
    other.join()
    assert [one.task[:6] for one in webui.diary.drawn] == ["other(", "task(t"]
    assert [one.model for one in webui.diary.drawn] == ["b", "b"]


def test_tasks_are_told_apart_where_there_is_a_page() -> None:
    with FaultWebui(nowebui=False) as webui:
        drawn(webui, force_task_id="mine")
        asked = {"id_task": "mine"}
        told = requests.post(f"{webui.url}/internal/progress", json=asked, timeout=5).json()
        assert (told["active"], told["queued"], told["completed"]) == (False, False, True)
