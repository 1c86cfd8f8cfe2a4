"""What an installation lacks is a sentence with the command that adds it."""

import ast
import sys
from importlib.metadata import PackageNotFoundError, packages_distributions
from pathlib import Path

import pytest
from manyshot.cli import app
from manyshot.core import extras
from manyshot.core.errors import InputError
from manyshot.core.extras import Extra, extra_requirements, install_command, require
from packaging.utils import canonicalize_name
from typer.core import TyperCommand
from typer.main import get_command

ROOT = Path(__file__).parents[2]
HOSTS = {"comfy", "comfy_api", "comfy_execution", "folder_paths", "nodes", "server", "protocol"}
WEBUI = {"fastapi", "gradio", "launch", "modules"}
PRODUCT = ("cli", "comfy_nodes", "core", "driver", "library", "trainer", "webui")


class Installed:
    """A distribution as pip recorded it."""

    requires = ["torch>=99", "pyyaml", 'timm>=1.0; extra == "trainer"']

    def __init__(self, record: str | None) -> None:
        self.record = record

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return self.record


@pytest.mark.parametrize(
    ("record", "command"),
    [
        (None, 'pip install "manyshot[trainer,export]"'),
        ('{"url": "https://x.org/m.whl"}', 'pip install "manyshot[trainer,export]"'),
        ('{"url": "file:///a%20b/manyshot"}', 'pip install -e "/a b/manyshot[trainer,export]"'),
        (
            '{"url": "file:///d/manyshot-1-py3-none-any.whl"}',
            'pip install "manyshot[trainer,export] @ file:///d/manyshot-1-py3-none-any.whl"',
        ),
    ],
)
def test_the_command_adds_to_the_installation_that_is_there(
    record: str | None, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extras, "distribution", lambda name: Installed(record))
    assert install_command(Extra.TRAINER, Extra.EXPORT) == command


def _not_installed(name: str) -> None:
    raise PackageNotFoundError(name)


def test_a_node_pack_folder_installs_from_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = [str(each) for each in extra_requirements(Extra.TRAINER)]
    monkeypatch.setattr(extras, "distribution", _not_installed)
    assert install_command(Extra.TRAINER) == f'pip install "{ROOT}[trainer]"'
    assert [f'{each}; extra == "trainer"' for each in extra_requirements(Extra.TRAINER)] == listed


def test_what_is_missing_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "version", _not_installed)
    with pytest.raises(InputError) as caught:
        require("`manyshot measure`", Extra.TRAINER)
    text = str(caught.value)
    assert text.startswith(
        "`manyshot measure` needs Python packages that are missing: torch>=2.6 (not installed), "
    )
    assert f"more. Install them with: {install_command(Extra.TRAINER)}" in text


def test_any_build_of_opencv_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        if name == "opencv-python":
            raise PackageNotFoundError(name)
        return "99"

    monkeypatch.setattr(extras, "version", version)
    require("x", Extra.TRAINER)


def test_all_is_every_extra_of_users() -> None:
    lines = extras.distribution("manyshot").requires or []
    whole = [line for line in lines if 'extra == "all"' in line]
    assert len(whole) == 1
    users = {extra.value for extra in Extra} - {"all", "logging"}  # which a service of others needs
    assert set(whole[0].partition("[")[2].partition("]")[0].split(",")) == users


BARE = {"plan", "run", "status", "verify", "repair", "reject", "export", "server", "workflow"}
BARE |= {"recipe", "doctor"}
FORMER = {("base", "webui")}  # names of before, which call the command of today


def _commands(command: object, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], object]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        return [(path, command)]
    return [each for name in inner for each in _commands(inner[name], (*path, name))]


@pytest.mark.parametrize(
    ("path", "command"), _commands(get_command(app)), ids=lambda value: str(value)[:30]
)
def test_every_command_says_what_it_needs(
    path: tuple[str, ...], command: TyperCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a bare environment; those of BARE need no extra, or say so themselves."""
    if path[0] in BARE or path in FORMER:
        pytest.skip("runs without extras")
    monkeypatch.setattr(extras, "version", _not_installed)
    assert command.callback is not None
    with pytest.raises(InputError, match=f"`manyshot {' '.join(path)}` needs Python packages"):
        command.callback()


def _imported(file: Path) -> set[str]:
    tree = ast.parse(file.read_text("utf-8"))
    names = {
        name
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom) and not node.level
            else []
        )
    }
    return {name.partition(".")[0] for name in names}


def test_every_import_is_a_requirement() -> None:
    """A module that no extra brings would be missing for users, though not here."""
    files = [file for folder in PRODUCT for file in (ROOT / folder).rglob("*.py")]
    modules = set().union(*map(_imported, files)) - set(sys.stdlib_module_names) - HOSTS - WEBUI
    lines = extras.distribution("manyshot").requires or []
    listed = {
        extras.Requirement(line).name.lower() for line in lines if 'extra == "dev"' not in line
    }
    owners = packages_distributions()
    orphans = {
        module
        for module in modules
        if not {canonicalize_name(owner) for owner in owners.get(module, [])} & listed
    }
    assert orphans <= {"markupsafe", "pydantic_core"}  # of jinja2 and pydantic
