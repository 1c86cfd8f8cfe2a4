"""The optional parts of manyshot: the packages each needs, and the command that installs them."""

import tomllib
from collections.abc import Callable
from enum import Enum
from importlib.metadata import Distribution, PackageNotFoundError, distribution, version
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.requirements import Requirement

from .errors import InputError
from .json_text import parse_json

PACKAGE = "manyshot"
FindVersion = Callable[[str], str | None]
MOST_NAMED = 4  # of what is missing, in one sentence
ROOT = Path(__file__).parents[1]
# OpenCV's builds exclude each other, and any of them will do.
OPENCV = ("opencv-python", "opencv-python-headless", "opencv-contrib-python")
SAME_LIBRARY = {"opencv-python": OPENCV}


class Extra(str, Enum):  # noqa: UP042 - core is checked for Python 3.10, which has no StrEnum
    """The extras that users install; those of [project.optional-dependencies]."""

    SERVER = "server"
    TRAINER = "trainer"
    EXPORT = "export"
    OCR = "ocr"
    NOTEBOOK = "notebook"
    LOGGING = "logging"
    ALL = "all"


def require(purpose: str, *extras: Extra) -> None:
    """Raise InputError when packages of `extras` are missing, with the command that installs them.

    `purpose`: what needs them, as the sentence begins ("`manyshot measure`").
    """
    needed = [requirement for extra in extras for requirement in extra_requirements(extra)]
    if missing := list(dict.fromkeys(missing_requirements(needed))):
        raise missing_packages(purpose, missing, *extras)


def missing_packages(purpose: str, missing: list[str], *extras: Extra) -> InputError:
    """The sentence for packages that `purpose` needs and that are not here."""
    more = len(missing) - MOST_NAMED
    names = [*missing[:MOST_NAMED], *([f"and {more} more"] if more > 0 else [])]
    return InputError(
        f"{purpose} needs Python packages that are missing: {', '.join(names)}. "
        f"Install them with: {install_command(*extras)}"
    )


def missing_module(module: str) -> InputError:
    """The sentence for a module that could not be imported, by an installation without extras."""
    return missing_packages("This", [f"{module} (not installed)"], Extra.ALL)


def extra_requirements(extra: Extra) -> list[Requirement]:
    """What the extra asks for on this Python, beside what every installation has."""
    try:
        lines = distribution(PACKAGE).requires or []
    except PackageNotFoundError:  # used from a node pack folder
        return [
            each
            for each in _read_requirements(extra)
            if each.marker is None or each.marker.evaluate()
        ]
    return [each for each in map(Requirement, lines) if _belongs_to(each, extra)]


def installed_version(name: str) -> str | None:
    """The version of a package of this Python; None for one that is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def missing_requirements(
    requirements: list[Requirement], find_version: FindVersion = installed_version
) -> list[str]:
    """What is not installed, or in another version: "av>=14.2.0 (not installed)".

    `find_version`: of a package, by its name, in the Python that is meant.
    """
    checked = ((each, _complaint(each, find_version)) for each in requirements)
    return [
        f"{requirement.name}{requirement.specifier} ({complaint})"
        for requirement, complaint in checked
        if complaint
    ]


def install_command(*extras: Extra) -> str:
    """The pip command that adds `extras` to this installation, wherever it came from."""
    names = f"[{','.join(extras)}]"
    try:
        origin = _origin(distribution(PACKAGE))
    except PackageNotFoundError:  # used from a node pack folder
        return f'pip install "{ROOT}{names}"'
    if origin is None:
        return f'pip install "{PACKAGE}{names}"'
    if origin.suffix == ".whl":
        return f'pip install "{PACKAGE}{names} @ {origin.as_uri()}"'
    return f'pip install -e "{origin}{names}"'


def _origin(installed: Distribution) -> Path | None:
    """The local folder or wheel that pip installed from; None for an index (PEP 610)."""
    record = parse_json(installed.read_text("direct_url.json") or "{}")
    url = urlsplit(record.get("url", ""))
    return Path(unquote(url.path)) if url.scheme == "file" else None


def _read_requirements(extra: Extra) -> list[Requirement]:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return [Requirement(line) for line in table["project"]["optional-dependencies"][extra]]


def _belongs_to(requirement: Requirement, extra: Extra) -> bool:
    marker = requirement.marker
    if marker is None or marker.evaluate({"extra": ""}):
        return False
    return marker.evaluate({"extra": extra.value})


def _complaint(requirement: Requirement, find_version: FindVersion) -> str | None:
    names = SAME_LIBRARY.get(requirement.name, (requirement.name,))
    installed = [present for present in map(find_version, names) if present]
    if not installed:
        return "not installed"
    if any(requirement.specifier.contains(each, prereleases=True) for each in installed):
        return None
    return f"has {installed[0]}"
