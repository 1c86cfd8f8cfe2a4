"""Which of ComfyUI's Python requirements this interpreter lacks."""

from pathlib import Path

from packaging.requirements import Requirement

from ...core.extras import Extra, missing_packages, missing_requirements


def read_requirements(file: Path) -> list[Requirement]:
    """The requirements that the file `file` lists, one a line."""
    lines = (line.partition("#")[0].strip() for line in file.read_text("utf-8").splitlines())
    return [Requirement(line) for line in lines if line]


def check_requirements(comfyui: Path) -> None:
    """Raise InputError naming everything that the ComfyUI in `comfyui` needs and is not there."""
    missing = missing_requirements(read_requirements(comfyui / "requirements.txt"))
    if missing:
        raise missing_packages("ComfyUI", missing, Extra.SERVER)
