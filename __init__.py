"""manyshot: turn a few labelled photos into a training set with Stable Diffusion.

This folder is three things at once: a ComfyUI node pack (this file is its entry), an
AUTOMATIC1111 extension, and the Python package `manyshot`. Nothing heavy is imported here.
"""

WEB_DIRECTORY = "./comfy_nodes/web"


async def comfy_entrypoint():
    """ComfyUI asks for the node pack here; only then are its node modules imported."""
    from .comfy_nodes import ManyshotExtension

    return ManyshotExtension()
