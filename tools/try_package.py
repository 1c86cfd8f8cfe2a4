"""Install a wheel or an sdist into a new environment, and start every command there.

    python tools/try_package.py dist/manyshot-0.1.0-py3-none-any.whl --extra server

Without constraints, as users install it. Every command gets input that does not exist: it must
answer with a sentence and an exit code, also where an extra is missing, and never with a traceback.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PATIENCE = 300  # seconds for a command
SERVES = {"server start", "server install"}  # with the extra `server` these do their work
LIST_COMMANDS = """
import json
from enum import Enum
from typing import Literal, get_args, get_origin, get_type_hints
from manyshot.cli import app
from typer.main import get_command

def sample(param, kind):
    if get_origin(kind) is Literal:
        value = get_args(kind)[0]
    elif isinstance(kind, type) and issubclass(kind, Enum):
        value = next(iter(kind)).value
    else:
        value = {int: "1", float: "0.5"}.get(kind, "missing")
    return [value] if param.param_type_name == "argument" else [param.opts[0], value]

def walk(command, path):
    if hasattr(command, "commands"):
        for name, inner in command.commands.items():
            yield from walk(inner, [*path, name])
    else:
        kinds = get_type_hints(command.callback)
        required = [param for param in command.params if param.required]
        yield path, sum((sample(param, kinds[param.name]) for param in required), [])

print(json.dumps(list(walk(get_command(app), []))))
"""
USE_LIBRARY = """
import manyshot
jobs = manyshot.plan({"workflow": "class_prompts", "output": "out", "classes": ["cat", "dog"]})
print(manyshot.__version__, len(jobs), jobs)
"""


def install(package: Path, extra: str, folder: Path) -> Path:
    """A new environment in `folder` with the package; the path of its Python."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    uv = shutil.which("uv")
    pip = [uv, "pip", "install", "--python", python] if uv else [python, "-m", "pip", "install"]
    target = f"{package.resolve()}[{extra}]" if extra else str(package.resolve())
    subprocess.run([*pip, "--quiet", target], check=True)
    return python


def answer(command: list[str | Path], folder: Path) -> tuple[int | None, str]:
    """The exit code of a command in an empty folder (None: it went on too long), and its words."""
    environment = {**os.environ, "MANYSHOT_CACHE": str(folder / "cache"), "COLUMNS": "200"}
    try:
        ended = subprocess.run(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=PATIENCE,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return None, f"it was still running after {PATIENCE} s"
    return ended.returncode, ended.stdout + ended.stderr


def try_commands(python: Path, extra: str, folder: Path) -> list[str]:
    """Start everything; the names of what did not answer as it should."""
    manyshot = python.parent / "manyshot"
    code, listed = answer([python, "-c", LIST_COMMANDS], folder)
    if code:
        return [f"listing the commands: {listed}"]
    trials: dict[str, list[str | Path]] = {
        "import manyshot": [python, "-c", USE_LIBRARY],
        "--version": [manyshot, "--version"],
    }
    for path, values in json.loads(listed):
        name = " ".join(path)
        trials[f"{name} --help"] = [manyshot, *path, "--help"]
        if not (name in SERVES and extra):
            trials[name] = [manyshot, *path, *values]
    failed = []
    for name, command in trials.items():
        code, words = answer(command, folder)
        correct = code in ((0,) if name.endswith(("--help", "--version")) else (0, 1, 2))
        if not correct or "Traceback" in words:
            failed.append(f"{name} ended with {code}:\n{words}")
        if not name.endswith("--help"):
            print(f"{code} {name}: {' '.join(words.split())[-160:]}", flush=True)
    return failed


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("package", type=Path)
    parser.add_argument("--extra", default="", help="such as server; none: the bare package")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = install(options.package, options.extra, folder / "venv")
        empty = folder / "empty"
        empty.mkdir()
        if failed := try_commands(python, options.extra, empty):
            sys.exit("\n".join(["These did not answer as they should:", *failed]))


if __name__ == "__main__":
    main()
