"""What is published: metadata, links that hold elsewhere, licences, and the workflows for it."""

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import fill_address
import pytest
import yaml
from fill_address import fill_all, fill_links, fill_project

ROOT = Path(__file__).parents[2]
PYPROJECT = (ROOT / "pyproject.toml").read_text("utf-8")
PROJECT: dict[str, Any] = tomllib.loads(PYPROJECT)["project"]
ADDRESS, TAG = "https://example.org/somebody/manyshot", f"v{PROJECT['version']}"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("[a](docs/a.md)", f"[a]({ADDRESS}/blob/v1/docs/a.md)"),
        ("[a](./docs/a.md#part)", f"[a]({ADDRESS}/blob/v1/docs/a.md#part)"),
        ("![a](docs/a.png)", f"![a]({ADDRESS}/raw/v1/docs/a.png)"),
        ("[![a](a.svg)](b.md)", f"[![a]({ADDRESS}/raw/v1/a.svg)]({ADDRESS}/blob/v1/b.md)"),
        ('<img src="docs/a.jpg">', f'<img src="{ADDRESS}/raw/v1/docs/a.jpg">'),
        ('<a href="LICENSE">', f'<a href="{ADDRESS}/blob/v1/LICENSE">'),
        ("[a](https://x.org/a.md) [b](#b)", "[a](https://x.org/a.md) [b](#b)"),
        ("git clone <the address of this repository>", f"git clone {ADDRESS}"),
    ],
)
def test_relative_links_become_absolute(text: str, filled: str) -> None:
    assert fill_links(text, ADDRESS, "v1") == filled


def test_the_links_of_the_readme_lead_somewhere() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    links = [link for link in fill_address.LINK.findall(text) if ":" not in link]
    assert links
    missing = [link for link in links if not (ROOT / link.partition("#")[0]).exists()]
    assert missing == []
    filled = fill_links(text, ADDRESS, TAG)
    assert all(":" in link for link in fill_address.LINK.findall(filled))


def test_the_project_gets_its_addresses() -> None:
    urls = tomllib.loads(fill_project(PYPROJECT, ADDRESS, TAG))["project"]["urls"]
    assert urls["Repository"] == ADDRESS
    assert urls["Changelog"] == f"{ADDRESS}/blob/{TAG}/CHANGELOG.md"
    with pytest.raises(ValueError, match=r"The tag is v9\.9, and pyproject\.toml has version"):
        fill_project(PYPROJECT, ADDRESS, "v9.9")
    with pytest.raises(ValueError, match="has no line for its addresses"):
        fill_project(fill_project(PYPROJECT, ADDRESS, TAG), ADDRESS, TAG)


def test_a_wrong_tag_changes_no_file(tmp_path: Path) -> None:
    names = ("pyproject.toml", "README.md", "CITATION.cff")
    for name in names:
        (tmp_path / name).write_text((ROOT / name).read_text("utf-8"), "utf-8")
    with pytest.raises(ValueError, match="The tag is"):
        fill_all(tmp_path, ADDRESS, "v0")
    assert [(tmp_path / name).read_text() for name in names] == [
        (ROOT / name).read_text() for name in names
    ]
    guide = tmp_path / "docs" / "guide.md"
    guide.parent.mkdir()
    guide.write_text(f"git clone {fill_address.PLACEHOLDER}\n[other](other.md)\n")
    fill_all(tmp_path, ADDRESS, TAG)
    assert guide.read_text() == f"git clone {ADDRESS}\n[other](other.md)\n"
    citation = yaml.safe_load((tmp_path / "CITATION.cff").read_text())
    assert citation["repository-code"] == ADDRESS


def test_the_citation_is_of_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PROJECT["version"]
    assert " AND ".join(citation["license"]) == PROJECT["license"]
    assert citation["authors"] == PROJECT["authors"]


def test_the_notice_names_what_the_licence_adds() -> None:
    notice = (ROOT / "NOTICE").read_text()
    assert PROJECT["license-files"] == ["LICENSE", "NOTICE"]
    for words in ("CC BY-SA 4.0", "Oxford-IIIT Pet", "non-commercial", "EfficientNet-Lite0"):
        assert words in notice


def test_the_versions_of_python_are_said_once() -> None:
    prefix = "Programming Language :: Python :: 3."
    versions = [line.removeprefix(prefix) for line in PROJECT["classifiers"] if prefix in line]
    assert f">=3.{versions[0]}" == PROJECT["requires-python"]
    matrix = _workflow("ci")["jobs"]["package"]["strategy"]["matrix"]["python"]
    assert matrix == [f"3.{version}" for version in versions]


def _workflow(name: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text())


def _steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_the_same_three_commands_run_there() -> None:
    commands = {step.get("run") for step in _steps(_workflow("ci"))}
    assert {"make lint", "make test", "make demo QUICK=1"} <= commands


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_run_nothing_that_can_change_under_them(path: Path) -> None:
    """Actions by commit; no right that a job does not need; no text of strangers in a shell."""
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert set(job.get("permissions", {})) <= {"id-token"}
        assert job["timeout-minutes"]
    for step in _steps(workflow):
        assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", step.get("uses", f"a/b@{'0' * 40}"))
        assert "${{" not in step.get("run", "")
        for file in re.findall(r"tools/\w+\.py", step.get("run", "")):
            assert (ROOT / file).is_file()


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_issue_forms_are_whole(path: Path) -> None:
    form = yaml.safe_load(path.read_text())
    if path.stem == "config":
        assert form == {"blank_issues_enabled": True}
        return
    assert {"name", "description", "body"} <= form.keys()
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    assert len({field["id"] for field in fields}) == len(fields)
    assert all(field["attributes"]["label"] for field in fields)


def test_hooks_are_those_of_make_lint() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    lint = subprocess.run(
        ["make", "-n", "lint"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for hook in hooks[:-1]:
        assert hook["entry"].replace(" --force-exclude", "").split(" ", 1)[1] in lint
    assert hooks[-1]["entry"] == "make lint"
