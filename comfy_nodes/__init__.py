"""The ComfyUI nodes. Only `comfy_entrypoint` in the root imports this, inside of ComfyUI."""

from comfy_api.latest import ComfyExtension, io

from .class_prompts import ManyshotClassPrompts
from .save_labelled import ManyshotSaveLabelled


class ManyshotExtension(ComfyExtension):
    """All nodes of the pack, category "manyshot"."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return [ManyshotClassPrompts, ManyshotSaveLabelled]
