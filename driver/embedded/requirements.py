"""Which of ComfyUI's Python requirements this interpreter lacks."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import Requirement

from ...core.errors import InputError

INSTALL_COMMAND = 'pip install "manyshot[server]"'


def read_requirements(file: Path) -> list[Requirement]:
    """The requirements that the file `file` lists, one a line."""
    lines = (line.partition("#")[0].strip() for line in file.read_text("utf-8").splitlines())
    return [Requirement(line) for line in lines if line]


def missing_requirements(requirements: list[Requirement]) -> list[str]:
    """What is not installed, or in another version: "av>=14.2.0 (not installed)"."""
    checked = ((requirement, _complaint(requirement)) for requirement in requirements)
    return [f"{requirement} ({complaint})" for requirement, complaint in checked if complaint]


def check_requirements(comfyui: Path) -> None:
    """Raise InputError naming everything that the ComfyUI in `comfyui` needs and is not there."""
    missing = missing_requirements(read_requirements(comfyui / "requirements.txt"))
    if missing:
        raise InputError(
            f"ComfyUI needs Python packages that are missing: {', '.join(missing)}. "
            f"Install them with: {INSTALL_COMMAND}"
        )


def _complaint(requirement: Requirement) -> str | None:
    try:
        installed = version(requirement.name)
    except PackageNotFoundError:
        return "not installed"
    return (
        None if requirement.specifier.contains(installed, prereleases=True) else f"has {installed}"
    )
