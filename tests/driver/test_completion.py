"""The state machine of a job on a server, as tables of what may happen."""

import contextlib
import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manyshot.core.errors import ServerError
from manyshot.driver.job import Failure
from manyshot.driver.targets.comfyui.completion import (
    FileRef,
    Finished,
    Found,
    Watch,
    apply_answer,
    apply_event,
)
from manyshot.driver.targets.comfyui.events import Event, parse

P = "prompt"
REF = FileRef("a.png", "s", "output")
FILE = {"filename": "a.png", "subfolder": "s", "type": "output"}
ERROR = {"node_id": "3", "node_type": "KSampler", "exception_type": "ValueError",
         "exception_message": "bad\n"}  # fmt: skip
OOM = {**ERROR, "exception_type": "torch.OutOfMemoryError", "exception_message": "no memory"}


def event(kind, node=None, data=None, image=b""):
    return Event(kind, P, node, data or {}, image)


def image(index=0, node="9", kind="image"):
    return event("image", node, {"manyshot": {"kind": kind}}, bytes([index]))


START, RUN, OK, END = event("started"), event("running", "3"), event("succeeded"), event("ended")
SAVED = event("output", "9", {"images": [FILE]})
RAISED = event("raised", "3", ERROR)


def after(events, over_socket, wanted=1):
    watch = Watch(("9",), wanted, over_socket)
    for one in events:
        watch = apply_event(watch, one)
    return watch


@pytest.mark.parametrize(
    ("over_socket", "wanted", "events", "end"),
    [
        (True, 1, [START, RUN, image(), OK, END], Finished(images=(b"\0",))),
        (True, 2, [image(0), image(1), OK, END], Finished(images=(b"\0", b"\1"))),
        (True, 1, [image(7, node="3"), image(1), OK, END], Finished(images=(b"\1",))),
        (False, 1, [START, SAVED, OK, END], Finished(image_files=(REF,))),
        (False, 1, [SAVED, event("output", "5", {}), OK, END],
         Finished(image_files=(REF,))),
    ],
)  # fmt: skip
def test_a_good_end(over_socket, wanted, events, end):
    assert after(events, over_socket, wanted).end == end


@pytest.mark.parametrize(
    ("over_socket", "wanted", "events", "kind", "words"),
    [
        (True, 1, [START, OK, END], "incomplete", "without an image from node 9"),
        (True, 2, [image(), OK, END], "incomplete", "1 image received, 2 expected"),
        (True, 1, [image(0), image(1), OK, END], "count", "write 'images_per_job: 2'"),
        (True, 1, [image(), event("output", "9", {"manyshot": [{"masks": 1}]}), OK, END],
         "incomplete", "0 of 1 mask received"),
    ],
)  # fmt: skip
def test_a_success_with_a_hole_is_a_failure(over_socket, wanted, events, kind, words):
    end = after(events, over_socket, wanted).end
    assert isinstance(end, Failure)
    assert end.kind == kind
    assert words in end.reason


def test_masks_are_told_from_images():
    sent = event("output", "9", {"manyshot": [{"images": 1, "masks": 1}]})
    watch = after([image(1), image(2, kind="mask"), sent, OK, END], True)
    assert watch.end == Finished(images=(b"\1",), masks=(b"\2",))


@pytest.mark.parametrize(
    ("over_socket", "events"),
    [
        (True, [START, RAISED, END]),
        (True, [START, END]),
        (True, [event("interrupted"), END]),
        (False, [START, OK, END]),  # the files may only have been lost on the way
    ],
)
def test_an_end_that_does_not_fit_is_doubted_not_believed(over_socket, events):
    watch = after(events, over_socket)
    assert watch.doubtful
    assert watch.end is None


def history(status, outputs=None, messages=()):
    status = {"status_str": status, "messages": [list(m) for m in messages]}
    return Found("history", {"status": status, "outputs": outputs or {}})


def test_the_history_has_the_last_word_over_an_error_event():
    doubtful = after([RAISED, END], False)
    saved = history("success", {"9": {"images": [FILE]}})
    assert isinstance(apply_answer(doubtful, saved).end, Finished)
    failed = apply_answer(doubtful, history("error")).end
    assert failed == Failure("node", "node 3 (KSampler) raised ValueError: bad")


@pytest.mark.parametrize(
    ("over_socket", "answer", "kind", "words"),
    [
        (True, Found("gone"), "connection", "no longer knows the job"),
        (False, history("error", messages=[("execution_error", ERROR)]), "node", "KSampler"),
        (False, history("error", messages=[("execution_error", OOM)]), "memory", "no memory"),
        (False, history("error", messages=[("execution_interrupted", {})]), "connection", "interr"),
        (False, history("error"), "node", "without saying which"),
        (False, history("success"), "incomplete", "without an image"),
        (True, history("success"), "connection", "while the websocket was disconnected"),
        (True, Found("history", {"status": None}), "incomplete", "unreadable"),
        (True, Found("history", {"status": [1]}), "incomplete", "unreadable"),
        (False, Found("history", {"status": {"status_str": "success"}, "outputs": [1]}),
         "incomplete", "without an image"),
    ],
)  # fmt: skip
def test_what_the_server_says_when_asked(over_socket, answer, kind, words):
    end = apply_answer(Watch(("9",), 1, over_socket), answer).end
    assert isinstance(end, Failure)
    assert end.kind == kind
    assert words in end.reason


@pytest.mark.parametrize("where", ["queued", "running"])
def test_a_job_that_is_still_there_goes_on(where):
    watch = apply_answer(Watch(("9",), 1, False), Found(where))
    assert watch.end is None
    assert watch.running == (where == "running")


def binary(metadata, data=b"png", number=4):
    text = json.dumps(metadata).encode()
    return struct.pack(">II", number, len(text)) + text + data


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"type": "status", "data": {"status": {}}}, None),
        ({"type": "crystools.monitor", "data": {}}, None),
        ({"type": "execution_start", "data": {"prompt_id": P}}, event("started")),
        ({"type": "executing", "data": {"prompt_id": P, "node": None}}, event("ended")),
        ({"type": "executing", "data": {"prompt_id": P, "node": "3"}}, event("running", "3")),
        ({"type": "executed", "data": {"prompt_id": P, "node": "9", "output": None}},
         event("output", "9")),
        ({"type": "execution_success", "data": {"prompt_id": P}}, event("succeeded")),
    ],
)  # fmt: skip
def test_text_messages(message, expected):
    assert parse(json.dumps(message)) == expected


def test_binary_messages():
    metadata = {"prompt_id": P, "node_id": "9"}
    assert parse(binary(metadata)) == Event("image", P, "9", metadata, b"png")
    assert parse(binary(metadata, number=1)) is None
    assert parse(binary({"node_id": "9"})) is None


@pytest.mark.parametrize(
    "message",
    ["", "{", "[]", "3", '"x"', '{"data": 1}', b"", b"\0\0", b"\0\0\0\4\xff\xff\xff\xff{"],
)
def test_what_no_comfyui_sends_is_refused(message):
    with pytest.raises(ServerError):
        parse(message)


@given(st.binary(max_size=60) | st.text(max_size=60))
def test_garbage_is_an_event_nothing_or_refused(message):
    with contextlib.suppress(ServerError):
        assert parse(message) is None or isinstance(parse(message), Event)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=10,
)
known = st.sampled_from(["status", "status_str", "success", "outputs", "9", "images", "messages"])
hostile = st.dictionaries(known | st.text(max_size=3), json_values | st.just("success"), max_size=5)


@given(hostile, hostile, st.booleans())
def test_hostile_answers_never_raise_and_never_count_as_finished(entry, output, over_socket):
    watch = apply_event(Watch(("9",), 1, over_socket), event("output", "9", output))
    end = apply_answer(watch, Found("history", {**entry, "outputs": {"9": output}})).end
    if not isinstance(end, Failure):
        assert end is not None
        assert not over_socket
        assert len(end.image_files) == 1
