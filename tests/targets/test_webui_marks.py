"""An interrupt that falls between two looks at the WebUI's state: the extension marks the image,
and the driver goes by the mark."""

import json
from typing import Any

import pytest
from manyshot.core.webui_facts import INTERRUPTED
from manyshot.driver.job import Failure
from manyshot.driver.targets.webui.payload import Request
from manyshot.driver.targets.webui.verify_reply import verify_reply

from ..support.webui_host import fake_webui


@pytest.mark.parametrize(
    ("state", "marked"),
    [({}, False), ({"interrupted": True}, True), ({"skipped": True}, True)],
)
def test_the_extension_marks_what_is_half_drawn(state: dict[str, bool], marked: bool) -> None:
    with fake_webui() as host:
        host.shared.state.interrupted = host.shared.state.skipped = False
        for name, value in state.items():
            setattr(host.shared.state, name, value)
        p = host.page()
        host.mark.postprocess_batch(p, images=None, batch_number=0)
        assert (INTERRUPTED in p.extra_generation_params) is marked


def test_the_mark_takes_part_in_every_task_of_the_webui() -> None:
    with fake_webui() as host:
        from modules import scripts  # pyright: ignore

        assert host.mark.show(False) is host.mark.show(True) is scripts.AlwaysVisible


def test_a_marked_image_is_drawn_again() -> None:
    request = Request("txt2img", {}, "a cat", 1, 1, (8, 8), "tiny", "Automatic")
    info: dict[str, Any] = {"extra_generation_params": {INTERRUPTED: True}}
    reply = {"images": ["x"], "parameters": {}, "info": json.dumps(info)}
    found = verify_reply(request, reply)
    assert isinstance(found, Failure)
    assert (found.kind, "half drawn" in found.reason) == ("incomplete", True)
