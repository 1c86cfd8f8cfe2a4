"""The lists of requirements say the same thing in every file that holds one."""

import re
import tomllib
from pathlib import Path

import pytest
from manyshot.driver.embedded.source import find_installed, read_requirements
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def names(requirements: list[str]) -> set[str]:
    return {Requirement(line).name.lower() for line in requirements}


def constraints() -> list[str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_requirements_txt_is_the_base_of_the_package() -> None:
    assert {str(line) for line in read_requirements(ROOT / "requirements.txt")} == {
        str(Requirement(line)) for line in PROJECT["dependencies"]
    }


def test_constraints_are_plain_versions_without_addresses() -> None:
    assert [
        line for line in constraints() if not re.fullmatch(r"[a-z0-9._-]+==[^\s/]+", line)
    ] == []
    assert "manyshot" not in names(constraints())


def test_constraints_cover_everything_that_is_asked_for() -> None:
    asked = [*PROJECT["dependencies"], *sum(PROJECT["optional-dependencies"].values(), [])]
    assert names(asked) - {"manyshot"} <= names(constraints())


@pytest.mark.server
def test_the_extra_server_covers_what_comfyui_asks_for() -> None:
    source = find_installed()
    assert source is not None, "run `manyshot server install` first"
    wanted = {line.name.lower() for line in read_requirements(source.folder / "requirements.txt")}
    offered = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["server"]]
    assert wanted <= names(offered)
