"""The one answer to "is this job over, and how?".

A Watch is what is known about a job on a server; `apply_event` takes an event, `apply_answer` the
server's answer (history and queue). Both give the next Watch; once `end` is set, it is over.
Pure: no clock, no network.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar

from ....core.counted import describe_shortfall, pluralize
from ...job import Failure
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
class Output:
    """What one save node gave so far; `wanted_masks` is how many masks it says it sent."""

    images: tuple[bytes, ...] = ()
    masks: tuple[bytes, ...] = ()
    image_files: tuple[FileRef, ...] = ()
    mask_files: tuple[FileRef, ...] = ()
    wanted_masks: int = 0


@dataclass(frozen=True, slots=True)
class Watch:
    """What is known about one prompt. `wanted` images must come, as many of each of `save_nodes`.

    `outputs`: of the nodes that gave something, by id.
    """

    save_nodes: Sequence[str]
    wanted: int
    over_socket: bool
    running: bool = False
    outputs: Mapping[str, Output] = field(default_factory=dict)
    succeeded: bool = False
    problem: Failure | None = None
    doubtful: bool = False
    """An end was announced that does not fit what came: ask the server."""
    end: Finished | Failure | None = None

    def output(self, node_id: str) -> Output:
        return self.outputs.get(node_id, Output())

    def count(self, node_id: str) -> int:
        """How many images of a node are here, or can be fetched."""
        output = self.output(node_id)
        return len(output.images if self.over_socket else output.image_files)


def apply_event(watch: Watch, event: Event) -> Watch:
    """What is known after `event`."""
    match event.kind:
        case "started" | "running":
            return replace(watch, running=True)
        case "image" if event.node_id and event.node_id in watch.save_nodes:
            return _with_image(watch, event.node_id, event)
        case "output" if event.node_id and event.node_id in watch.save_nodes:
            return with_output(watch, event.node_id, event.data)
        case "flooded":
            return replace(watch, end=Failure("invalid", str(event.data.get("message"))))
        case "succeeded":
            return replace(watch, succeeded=True)
        case "raised":
            return replace(watch, problem=parse_failure(event.data))
        case "interrupted":
            return replace(watch, problem=Failure("connection", "The job was interrupted."))
        case "ended":
            return _finish(watch)
    return watch


def apply_answer(watch: Watch, answer: Found) -> Watch:
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
    """The end of a job that the server calls a success: all images, or what is missing.

    Images of several nodes take turns: the first of each, then the second of each, and so on.
    """
    each = watch.wanted // len(watch.save_nodes)
    counts = {node_id: watch.count(node_id) for node_id in watch.save_nodes}
    if any(received > each for received in counts.values()):  # it would be so every time
        return Failure("count", _too_many(counts, each))
    missing = next((node_id for node_id, received in counts.items() if received < each), None)
    if missing is not None:
        return Failure("incomplete", _miscount(missing, counts[missing], each))
    outputs = [watch.output(node_id) for node_id in watch.save_nodes]
    problem = _masks_missing(watch, outputs)
    if problem:
        return problem
    return Finished(
        _in_turn([output.images for output in outputs]),
        _in_turn([output.masks for output in outputs]),
        _in_turn([output.image_files for output in outputs]),
        _in_turn([output.mask_files for output in outputs]),
    )


def parse_failure(error: dict[str, Any]) -> Failure:
    """An execution error of ComfyUI as a Failure that names the node."""
    kind = str(error.get("exception_type", ""))
    text = str(error.get("exception_message", "")).strip()
    memory = kind.endswith("OutOfMemoryError") or "out of memory" in text.lower()
    where = f"node {error.get('node_id')} ({error.get('node_type')})"
    reason = f"{where} raised {kind or 'an error'}: {text}"
    return Failure("memory" if memory else "node", reason)


def with_output(watch: Watch, node_id: str, sent: dict[str, Any]) -> Watch:
    """The files that a saving node says it wrote, and the counts of what it sent."""
    counts = sent.get("manyshot") or [{}]
    output = replace(
        watch.output(node_id),
        image_files=_refs(sent.get("images")),
        mask_files=_refs(sent.get("masks")),
        wanted_masks=_count(counts[0], "masks") if isinstance(counts, list) else 0,
    )
    return replace(watch, outputs={**watch.outputs, node_id: output})


def _with_image(watch: Watch, node_id: str, event: Event) -> Watch:
    metadata, output = event.data.get("manyshot"), watch.output(node_id)
    if isinstance(metadata, dict) and metadata.get("kind") == "mask":
        output = replace(output, masks=(*output.masks, event.image))
    else:
        output = replace(output, images=(*output.images, event.image))
    return replace(watch, outputs={**watch.outputs, node_id: output})


_T = TypeVar("_T")


def _in_turn(of_nodes: list[tuple[_T, ...]]) -> tuple[_T, ...]:
    """The first of each node, then the second of each, and so on."""
    return tuple(item for row in zip(*of_nodes, strict=False) for item in row)


def _masks_missing(watch: Watch, outputs: list[Output]) -> Failure | None:
    """Why the masks cannot be those of the images."""
    if watch.over_socket:
        for output in outputs:
            received, sent = len(output.masks), output.wanted_masks
            if received != sent:
                return Failure("incomplete", f"{received} of {pluralize(sent, 'mask')} received.")
    counts = {len(output.masks if watch.over_socket else output.mask_files) for output in outputs}
    if len(counts) > 1:  # it would be so every time
        return Failure(
            "count",
            "Some nodes under 'save' return masks and others return none, or fewer. Link a "
            "mask to all of them, or to none.",
        )
    return None


def _finish(watch: Watch) -> Watch:
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
    latest = watch
    for node_id in watch.save_nodes:
        output = outputs.get(node_id) if isinstance(outputs, dict) else None
        latest = with_output(latest, node_id, output) if isinstance(output, dict) else latest
    if watch.over_socket and sum(map(watch.count, watch.save_nodes)) < watch.wanted:
        missed = "The job ended while the websocket was disconnected, so its images were lost."
        return replace(latest, end=Failure("connection", missed))
    return replace(latest, end=complete(latest))


def _problem_in(status: dict[str, Any]) -> Failure:
    messages = status.get("messages")
    for message in messages if isinstance(messages, list) else []:
        if isinstance(message, list) and len(message) == 2 and isinstance(message[1], dict):
            if message[0] == "execution_error":
                return parse_failure(message[1])
            if message[0] == "execution_interrupted":
                return Failure("connection", "The job was interrupted.")
    return Failure("node", "The server reports an error without saying which.")


def _miscount(node_id: str, received: int, each: int) -> str:
    if not received:
        return (
            f"The job ended without an image from node {node_id} (answered from the server's "
            "cache, or its branch did not run)."
        )
    return f"Node {node_id}: {describe_shortfall(received, each)}"


def _too_many(counts: Mapping[str, int], each: int) -> str:
    most, many = max(counts.values()), sum(counts.values())
    if len(set(counts.values())) == 1:
        return (
            f"{describe_shortfall(many, each * len(counts))} If every job of the workflow "
            f"returns {many}, write 'images_per_job: {many}' in the recipe."
        )
    shown = ", ".join(f"{received} of node {node_id}" for node_id, received in counts.items())
    return (
        f"The nodes under 'save' return different numbers of images: {shown}. All must "
        f"return the same number. List only those that return {most}, and put the others "
        "into a recipe of their own."
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
