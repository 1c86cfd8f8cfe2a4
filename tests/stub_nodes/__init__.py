"""Nodes that behave in one chosen way, for tests against the real ComfyUI."""

# pyright: reportMissingImports=false

import time
from pathlib import Path

import comfy.model_management
import folder_paths
import torch
from aiohttp import web
from comfy_api.latest import ComfyExtension, io
from server import PromptServer

CATEGORY = "stub"


def pause(seconds: float, interruptible: bool) -> None:
    """Wait in small steps; an interrupt of the prompt ends it, unless it plays a wedged node."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, 0.02))
        if interruptible:
            comfy.model_management.throw_exception_if_processing_interrupted()


class StubSleep(io.ComfyNode):
    """Takes its time, then passes the image on."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="StubSleep",
            category=CATEGORY,
            inputs=[
                io.Image.Input("value"),
                io.Float.Input("seconds", default=0.1, min=0.0, max=3600.0, step=0.01),
                io.Boolean.Input("interruptible", default=True),
                io.Model.Input("model", optional=True),
            ],
            outputs=[io.Image.Output()],
        )

    @classmethod
    def execute(cls, value, seconds, interruptible=True, model=None):
        pause(seconds, interruptible)
        return io.NodeOutput(value)


class StubRaise(io.ComfyNode):
    """Fails with the text it is given; with an empty text it passes the image on."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="StubRaise",
            category=CATEGORY,
            inputs=[io.Image.Input("value"), io.String.Input("text", default="stub failure")],
            outputs=[io.Image.Output()],
        )

    @classmethod
    def execute(cls, value, text):
        if text:
            raise RuntimeError(text)
        return io.NodeOutput(value)


class StubOOM(io.ComfyNode):
    """Fails as a GPU does that has no memory left."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="StubOOM",
            category=CATEGORY,
            inputs=[io.Image.Input("value")],
            outputs=[io.Image.Output()],
        )

    @classmethod
    def execute(cls, value):
        raise torch.OutOfMemoryError("CUDA out of memory (stub).")


class StubSlowLoader(io.ComfyNode):
    """A model that takes 0.25 s to load; ComfyUI's cache holds it while its name stays the same."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="StubSlowLoader",
            category=CATEGORY,
            inputs=[io.String.Input("name")],
            outputs=[io.Model.Output()],
        )

    @classmethod
    def execute(cls, name):
        pause(0.25, interruptible=True)
        return io.NodeOutput(f"model {name}")


class StubRaiseAt(io.ComfyNode):
    """Fails where `number` is a multiple of `every`."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="StubRaiseAt",
            category=CATEGORY,
            inputs=[io.Image.Input("value"), io.Int.Input("number"), io.Int.Input("every", min=1)],
            outputs=[io.Image.Output()],
        )

    @classmethod
    def execute(cls, value, number, every):
        if number % every == 0:
            raise RuntimeError(f"{number} is a multiple of {every}")
        return io.NodeOutput(value)


class StubOutput(io.ComfyNode):
    """An output node that passes the image on."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="StubOutput",
            category=CATEGORY,
            inputs=[io.Image.Input("value")],
            outputs=[io.Image.Output()],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, value):
        return io.NodeOutput(value)


class StubPicky(io.ComfyNode):
    """Does not validate where `number` is `no`; otherwise passes the image on."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="StubPicky",
            category=CATEGORY,
            inputs=[io.Image.Input("value"), io.Int.Input("number"), io.Int.Input("no")],
            outputs=[io.Image.Output()],
        )

    @classmethod
    def validate_inputs(cls, number, no):
        return f"not the number {no}" if number == no else True

    @classmethod
    def execute(cls, value, number, no):
        return io.NodeOutput(value)


class StubText(io.ComfyNode):
    """Takes a text and does nothing with it."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="StubText",
            category=CATEGORY,
            inputs=[io.Image.Input("value"), io.String.Input("text")],
            outputs=[io.Image.Output()],
        )

    @classmethod
    def execute(cls, value, text):
        return io.NodeOutput(value)


class StubHangOnce(io.ComfyNode):
    """Hangs for 20 s, deaf to interrupts, where the server's input folder holds "hang"."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="StubHangOnce",
            category=CATEGORY,
            inputs=[io.Image.Input("value")],
            outputs=[io.Image.Output()],
        )

    @classmethod
    def execute(cls, value):
        sign = Path(folder_paths.get_input_directory()) / "hang"
        if sign.exists():
            sign.unlink()
            pause(20, interruptible=False)
        return io.NodeOutput(value)


def add_brown_outs() -> None:
    """POST /brown-out?seconds=N: everything is answered HTTP 503 for so long."""
    until = 0.0

    @web.middleware
    async def answer_busy(request, handler):
        nonlocal until
        if time.monotonic() < until:
            return web.Response(status=503, headers={"Retry-After": "1"})
        if request.path == "/brown-out":
            until = time.monotonic() + float(request.query["seconds"])
            return web.Response()
        return await handler(request)

    PromptServer.instance.app.middlewares.append(answer_busy)


class StubExtension(ComfyExtension):
    async def get_node_list(self):
        return [
            *(StubSleep, StubRaise, StubRaiseAt, StubOOM),
            *(StubSlowLoader, StubOutput, StubPicky, StubText, StubHangOnce),
        ]


async def comfy_entrypoint():
    add_brown_outs()
    return StubExtension()
