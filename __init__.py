"""manyshot: turn a few labelled photos into a training set with Stable Diffusion.

As a library: `manyshot.plan`, `run` and `measure` do what the commands of these names do, and
their results go into tables and notebooks (docs/library.md).

This folder is three things at once: a ComfyUI node pack (this file is its entry), an
AUTOMATIC1111 extension, and the Python package `manyshot`. Nothing heavy is imported here: what
the library offers is imported when it is asked for, and the nodes when ComfyUI asks for them.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # for editors and type checkers; at run time __getattr__ below
    from .core.errors import InputError, ManyshotError, ServerError
    from .library.dataset import Dataset, read_dataset
    from .library.generation import plan, run
    from .library.measurement import Measurement, measure, read_results
    from .library.planned_jobs import PlannedJobs

    __version__: str

__all__ = [
    "Dataset",
    "InputError",
    "ManyshotError",
    "Measurement",
    "PlannedJobs",
    "ServerError",
    "__version__",
    "measure",
    "plan",
    "read_dataset",
    "read_results",
    "run",
]

WEB_DIRECTORY = "./comfy_nodes/web"
_HOMES = {
    "Dataset": "library.dataset",
    "InputError": "core.errors",
    "ManyshotError": "core.errors",
    "Measurement": "library.measurement",
    "PlannedJobs": "library.planned_jobs",
    "ServerError": "core.errors",
    "measure": "library.measurement",
    "plan": "library.generation",
    "read_dataset": "library.dataset",
    "read_results": "library.measurement",
    "run": "library.generation",
}


async def comfy_entrypoint():
    """ComfyUI asks for the node pack here; only then are its node modules imported."""
    from .comfy_nodes import ManyshotExtension

    return ManyshotExtension()


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """What the library offers, and `__version__`, read when it is asked for."""
        if name == "__version__":
            from .core.version import read_version

            return read_version()
        if name in _HOMES:
            from importlib import import_module

            return getattr(import_module(f".{_HOMES[name]}", __name__), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        """Names for completion, those not yet imported as well."""
        return sorted({*globals(), *__all__})
