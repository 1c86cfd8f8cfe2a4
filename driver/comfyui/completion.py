"""The one answer to "is this job over, and how?".

A Watch is what is known about a job on a server; `seen` takes an event, `found` what the server
says when asked (history and queue). Both give the next Watch; once `end` is set, it is over.
Pure: no clock, no network.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

from ...core.counted import came_of
from ..job import Failure
from .events import Event


@dataclass(frozen=True, slots=True)
class FileRef:
    """A file on the server, as `/view` wants it."""

    filename: str
    subfolder: str
    type: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The job is over and all it made is here (`images`, `masks`) or on the server (`*_files`)."""

    images: tuple[bytes, ...] = ()
    masks: tuple[bytes, ...] = ()
    image_files: tuple[FileRef, ...] = ()
    mask_files: tuple[FileRef, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What a server says of a prompt when asked. `entry` is its history entry."""

    where: Literal["history", "running", "queued", "gone"]
    entry: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """What is known about one prompt. `wanted` images must come from the node `save_node`."""

    save_node: str
    wanted: int
    over_socket: bool
    running: bool = False
    images: tuple[bytes, ...] = ()
    masks: tuple[bytes, ...] = ()
    image_files: tuple[FileRef, ...] = ()
    mask_files: tuple[FileRef, ...] = ()
    wanted_masks: int = 0
    succeeded: bool = False
    problem: Failure | None = None
    doubtful: bool = False
    """An end was announced that does not fit what came: ask the server."""
    end: Finished | Failure | None = None


def seen(watch: Watch, event: Event) -> Watch:
    """What is known after `event`."""
    match event.kind:
        case "started" | "running":
            return replace(watch, running=True)
        case "image" if event.node_id == watch.save_node:
            return _with_image(watch, event)
        case "output" if event.node_id == watch.save_node:
            return with_output(watch, event.data)
        case "flooded":
            return replace(watch, end=Failure("invalid", str(event.data.get("message"))))
        case "succeeded":
            return replace(watch, succeeded=True)
        case "raised":
            return replace(watch, problem=failure_of(event.data))
        case "interrupted":
            return replace(watch, problem=Failure("connection", "The job was interrupted."))
        case "ended":
            return _ended(watch)
    return watch


def found(watch: Watch, answer: Found) -> Watch:
    """What is known after asking the server where the prompt is."""
    match answer.where:
        case "history":
            return _from_history(watch, answer.entry or {})
        case "running":
            return replace(watch, running=True)
        case "queued":
            return watch
    lost = Failure("connection", "The server no longer knows the job; it was restarted or cleared.")
    return replace(watch, end=lost)


def complete(watch: Watch) -> Finished | Failure:
    """The end of a job that the server calls a success: all images, or what is missing."""
    got = len(watch.images) if watch.over_socket else len(watch.image_files)
    if got > watch.wanted:  # it would be so every time
        return Failure("count", _too_many(watch, got))
    if got < watch.wanted:
        return Failure("incomplete", _miscount(watch, got))
    masks = len(watch.masks) if watch.over_socket else len(watch.mask_files)
    if watch.over_socket and masks != watch.wanted_masks:
        return Failure("incomplete", f"{masks} of {watch.wanted_masks} masks came.")
    return Finished(watch.images, watch.masks, watch.image_files, watch.mask_files)


def failure_of(error: dict[str, Any]) -> Failure:
    """An execution error of ComfyUI as a Failure that names the node."""
    kind = str(error.get("exception_type", ""))
    text = str(error.get("exception_message", "")).strip()
    memory = kind.endswith("OutOfMemoryError") or "out of memory" in text.lower()
    where = f"node {error.get('node_id')} ({error.get('node_type')})"
    reason = f"{where} raised {kind or 'an error'}: {text}"
    return Failure("memory" if memory else "node", reason)


def with_output(watch: Watch, output: dict[str, Any]) -> Watch:
    """The files that the saving node says it wrote, and the counts of what it sent."""
    sent = output.get("manyshot") or [{}]
    return replace(
        watch,
        image_files=_refs(output.get("images")),
        mask_files=_refs(output.get("masks")),
        wanted_masks=_count(sent[0], "masks") if isinstance(sent, list) else 0,
    )


def _with_image(watch: Watch, event: Event) -> Watch:
    own = event.data.get("manyshot")
    if isinstance(own, dict) and own.get("kind") == "mask":
        return replace(watch, masks=(*watch.masks, event.image))
    return replace(watch, images=(*watch.images, event.image))


def _ended(watch: Watch) -> Watch:
    # An error event is not the last word (a blocked branch raises while the rest goes on), and an
    # end without a success event, or without the files, is none: the history knows.
    end = complete(watch)
    lost = isinstance(end, Failure) and not watch.over_socket
    if watch.problem or not watch.succeeded or lost:
        return replace(watch, doubtful=True)
    return replace(watch, end=end)


def _from_history(watch: Watch, entry: dict[str, Any]) -> Watch:
    status = entry.get("status") if isinstance(entry, dict) else None
    if not isinstance(status, dict):
        return replace(
            watch, end=Failure("incomplete", "The server's history entry is unreadable.")
        )
    if status.get("status_str") != "success":
        problem = watch.problem or _problem_in(status)
        return replace(watch, end=problem)
    outputs = entry.get("outputs")
    output = outputs.get(watch.save_node) if isinstance(outputs, dict) else None
    known = with_output(watch, output) if isinstance(output, dict) else watch
    if watch.over_socket and len(watch.images) < watch.wanted:
        missed = "The job ended while the websocket was away, and its images with it."
        return replace(known, end=Failure("connection", missed))
    return replace(known, end=complete(known))


def _problem_in(status: dict[str, Any]) -> Failure:
    messages = status.get("messages")
    for message in messages if isinstance(messages, list) else []:
        if isinstance(message, list) and len(message) == 2 and isinstance(message[1], dict):
            if message[0] == "execution_error":
                return failure_of(message[1])
            if message[0] == "execution_interrupted":
                return Failure("connection", "The job was interrupted.")
    return Failure("node", "The server reports an error without saying which.")


def _miscount(watch: Watch, got: int) -> str:
    if not got:
        return (
            f"The job ended without an image from node {watch.save_node} "
            "(answered from the server's cache, or its branch was not executed)."
        )
    return came_of(got, watch.wanted)


def _too_many(watch: Watch, got: int) -> str:
    return (
        f"{came_of(got, watch.wanted)} Where each job of the workflow brings "
        f"{got}, write 'images_per_job: {got}' in the recipe."
    )


def _refs(items: Any) -> tuple[FileRef, ...]:
    if not isinstance(items, list):
        return ()
    return tuple(
        FileRef(_name(i, "filename"), _name(i, "subfolder"), _name(i, "type", "output"))
        for i in items
        if isinstance(i, dict)
    )


def _name(item: dict[str, Any], key: str, default: str = "") -> str:
    """A name as text that can be sent back; half a surrogate pair becomes a question mark."""
    return str(item.get(key, default)).encode("utf-8", "replace").decode("utf-8")


def _count(sent: Any, name: str) -> int:
    value = sent.get(name, 0) if isinstance(sent, dict) else 0
    return value if isinstance(value, int) else 0
