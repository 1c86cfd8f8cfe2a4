"""Whether torch can use a GPU, asked in a process of its own: importing torch costs seconds."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from ...core.errors import InputError, ManyshotError
from ...core.json_text import parse_json
from .server_settings import Device

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
    try:
        command = [str(python), "-c", PROBE]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PROBE_SECONDS, check=False
        )
    except OSError as error:
        raise InputError(f"There is no Python to run at {python}: {error.strerror}.") from None
    except subprocess.TimeoutExpired:
        raise ManyshotError(f"torch did not load in {python} within {PROBE_SECONDS} s.") from None
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise ManyshotError(f"torch does not load in {python}: {reason[0]}.")
    return TorchFacts(**parse_json(done.stdout.splitlines()[-1]))


def device_arguments(device: Device, python: Path) -> list[str]:
    """ComfyUI's arguments for `device`. Raises InputError for "gpu" where there is none."""
    if device == "cpu":
        return ["--cpu"]
    if ask_torch(python).gpu is not None:
        return []
    if device == "gpu":
        raise InputError("torch finds no GPU that it can use here. Use --device cpu (or auto).")
    return ["--cpu"]
