"""GPUs and the build of torch without importing torch, which takes seconds."""

import platform
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

QUERY = ("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader")
QUERY_SECONDS = 2.0


def list_gpus() -> list[str]:
    """Names of the GPUs that the drivers of this machine list, with their memory; none where there
    are none, or no driver."""
    if sys.platform == "darwin":
        return ["Apple GPU"] if platform.machine() == "arm64" else []
    try:
        answer = subprocess.run(
            QUERY, capture_output=True, text=True, timeout=QUERY_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line.strip() for line in answer.stdout.splitlines()] if not answer.returncode else []


def torch_build() -> tuple[str, str | None] | None:
    """Version of the installed torch and what it computes on beside the CPU ("CUDA 13.0", None);
    None where torch is not installed. Read from its version.py, which is not run."""
    spec = find_spec("torch")
    if spec is None or spec.origin is None:
        return None
    text = Path(spec.origin).with_name("version.py").read_text("utf-8")
    values = dict(re.findall(r"^(\w+)(?:: [^=]+)? = '([^']*)'", text, re.MULTILINE))
    builds = {"cuda": "CUDA", "hip": "ROCm", "xpu": "XPU"}
    names = [f"{name} {values[key]}" for key, name in builds.items() if key in values]
    built_for = names[0] if names else None
    if sys.platform == "darwin" and platform.machine() == "arm64":
        built_for = "Metal"
    return values.get("__version__", "unknown"), built_for
