"""What one embedded server is asked to be."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Device = Literal["auto", "cpu", "gpu"]
Progress = Callable[[str], None]
"""Called with one short sentence whenever a new step begins."""


def silent(_: str) -> None:
    """The Progress that nobody watches."""


@dataclass(frozen=True)
class ServerSettings:
    """Everything that decides how the server is started; the defaults serve the node pack alone.

    comfyui         the user's own ComfyUI folder; None is the one that manyshot installs
    python          the interpreter that runs it (a ComfyUI with its own environment has its own)
    base_directory  kept as it is between starts; None is a free one of the cache, emptied each time
    models          a folder laid out as ComfyUI's models/, searched first; None is the cache's
    extra_models    further model files: name below models/ ("loras/pet.safetensors") -> file
    extra_nodes     further node packs: folders or single .py files
    device          "auto" asks torch whether a GPU can be used
    port            0 takes a free one
    start_timeout   seconds until the server must answer
    arguments       passed on to ComfyUI's main.py as they are ("--cache-lru", "50")
    """

    comfyui: Path | None = None
    python: Path = Path(sys.executable)
    base_directory: Path | None = None
    models: Path | None = None
    extra_models: Mapping[str, Path] = field(default_factory=dict)
    extra_nodes: tuple[Path, ...] = ()
    device: Device = "auto"
    port: int = 0
    start_timeout: float = 180.0
    arguments: tuple[str, ...] = ()
