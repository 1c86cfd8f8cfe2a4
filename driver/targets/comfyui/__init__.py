"""ComfyUI: jobs are the recipe's own workflow, queued as graphs and followed on a websocket."""

from ..base import Kind

KIND = Kind(
    name="comfyui",
    title="ComfyUI server",
    plural="ComfyUI servers",
    module=f"{__name__}.comfyui_target",
    prefix="",
    forms=("'embedded'", "http://host:port"),
    example="http://127.0.0.1:8188",
)
