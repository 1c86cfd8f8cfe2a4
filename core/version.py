"""Which manyshot this is, installed as a package or used from a folder."""

import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def read_version() -> str:
    """The version, such as "0.1.0"."""
    try:
        return version("manyshot")
    except PackageNotFoundError:  # a node pack folder or an extension
        project = Path(__file__).parents[1] / "pyproject.toml"
        return tomllib.loads(project.read_text("utf-8"))["project"]["version"]
