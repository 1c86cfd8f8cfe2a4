"""What one embedded server is asked to be."""

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ...core.errors import InputError, ManyshotError
from ...core.json_text import parse_json

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


PROBE_SECONDS = 120
PROBE = """
import json, torch
names = []
if torch.cuda.is_available():
    names = [torch.cuda.get_device_name(0)]
elif torch.backends.mps.is_available():
    names = ["Apple GPU"]
elif hasattr(torch, "xpu") and torch.xpu.is_available():
    names = [torch.xpu.get_device_name(0)]
print(json.dumps({"torch": torch.__version__, "gpu": names[0] if names else None}))
"""


@dataclass(frozen=True)
class TorchFacts:
    """What torch says about itself: its version, and the name of the GPU it can use, if any."""

    torch: str
    gpu: str | None


def ask_torch(python: Path) -> TorchFacts:
    """Ask the torch of the interpreter `python`. Raises ManyshotError if it cannot be imported."""
    return TorchFacts(**parse_json(_ask(python, "torch", PROBE)))


def _ask(python: Path, what: str, program: str, *arguments: str) -> str:
    """The last line that a short program prints in the interpreter `python`, about `what`."""
    try:
        command = [str(python), "-c", program, *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PROBE_SECONDS, check=False
        )
    except OSError as error:
        raise InputError(f"There is no Python to run at {python}: {error.strerror}.") from None
    except subprocess.TimeoutExpired:
        raise ManyshotError(f"{python} did not load {what} within {PROBE_SECONDS} s.") from None
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise ManyshotError(f"{python} does not load {what}: {reason[0]}.")
    return done.stdout.splitlines()[-1]


VERSIONS = """
import importlib.metadata, json, sys
versions = {}
for name in sys.argv[1:]:
    try:
        versions[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        versions[name] = None
print(json.dumps(versions))
"""


def ask_versions(python: Path, names: Sequence[str]) -> dict[str, str | None]:
    """The version of each package in the interpreter `python`; None for one that it lacks.

    Raises InputError and ManyshotError as `ask_torch` does.
    """
    return parse_json(_ask(python, "the list of packages", VERSIONS, *names))


def device_arguments(device: Device, python: Path) -> list[str]:
    """ComfyUI's arguments for `device`. Raises InputError for "gpu" where there is none."""
    if device == "cpu":
        return ["--cpu"]
    if ask_torch(python).gpu is not None:
        return []
    if device == "gpu":
        raise InputError("torch finds no GPU that it can use here. Use --device cpu (or auto).")
    return ["--cpu"]
