"""manyshot: turn a few labelled photos into a training set with Stable Diffusion.

This folder is three things at once: a ComfyUI node pack (this file is its entry), an
AUTOMATIC1111 extension, and the Python package `manyshot`. Nothing heavy is imported here.
"""

WEB_DIRECTORY = "./comfy_nodes/web"


async def comfy_entrypoint():
    """ComfyUI asks for the node pack here; only then are its node modules imported."""
    from .comfy_nodes import ManyshotExtension

    return ManyshotExtension()


def __getattr__(name: str) -> str:
    """`manyshot.__version__`, read when it is asked for."""
    if name == "__version__":
        from .core.version import read_version

        return read_version()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
