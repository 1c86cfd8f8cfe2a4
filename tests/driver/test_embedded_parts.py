"""The small parts of the embedded server: requirements, ports, log, base directory."""

import socket
import sys
from pathlib import Path

import pytest
import yaml
from manyshot.core.errors import InputError
from manyshot.driver.embedded import base_directory as base_module
from manyshot.driver.embedded.base_directory import Base, hold_base, prepare_base, release_base
from manyshot.driver.embedded.checkup import check_up
from manyshot.driver.embedded.log import find_failed_packs, last_lines
from manyshot.driver.embedded.ports import reserve_port
from manyshot.driver.embedded.server_settings import ServerSettings
from manyshot.driver.embedded.source import Source, check_requirements, missing_requirements
from manyshot.driver.targets.target import Installation, find_installation
from packaging.requirements import Requirement

LOG = """\
Adding extra search path loras /x
Error while calling comfy_entrypoint in /base/custom_nodes/manyshot: No module named 'x'
Cannot import /base/custom_nodes/other.py module for custom nodes: bad: very
To see the GUI go to: http://127.0.0.1:1

"""


@pytest.mark.parametrize(
    ("requirement", "complaint"),
    [
        ("pydantic>=2", None),
        ("pydantic>=99", "pydantic>=99 (has "),
        ("manyshot-nothing==1.0", "manyshot-nothing==1.0 (not installed)"),
    ],
)
def test_missing_requirements(requirement: str, complaint: str | None) -> None:
    missing = missing_requirements([Requirement(requirement)])
    assert (missing == []) if complaint is None else missing[0].startswith(complaint)


def test_missing_requirements_are_named_with_the_command_that_installs_them(tmp_path: Path) -> None:
    text = "pydantic\n\n#a comment\nmanyshot-nothing>=3 # why\nmanyshot-none\n"
    (tmp_path / "requirements.txt").write_text(text)
    with pytest.raises(InputError) as caught:
        check_requirements(tmp_path)
    assert "missing: manyshot-nothing>=3 (not installed), manyshot-none (not" in str(caught.value)
    assert 'pip install "manyshot[server]"' in str(caught.value)


def test_a_reserved_port_is_refused_to_others_and_free_for_the_server() -> None:
    with reserve_port() as port:
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", port))
        with socket.create_server(("127.0.0.1", port)):  # sets SO_REUSEADDR, as asyncio does
            pass


def test_a_port_that_is_in_use_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        with pytest.raises(InputError, match=f"Port {taken} is taken"), reserve_port(taken):
            pass


def test_log_names_packs_that_failed_and_ends_with_what_was_said(tmp_path: Path) -> None:
    log = tmp_path / "comfyui.log"
    log.write_text(LOG)
    assert find_failed_packs(log) == {
        Path("/base/custom_nodes/manyshot"): "No module named 'x'",
        Path("/base/custom_nodes/other.py"): "bad: very",
    }
    assert last_lines(log, 1) == "To see the GUI go to: http://127.0.0.1:1"
    assert last_lines(tmp_path / "none.log") == ""


@pytest.fixture
def source(tmp_path: Path) -> Source:
    node = tmp_path / "comfyui" / "custom_nodes" / "websocket_image_save.py"
    node.parent.mkdir(parents=True)
    node.touch()
    return Source(tmp_path / "comfyui", "0.3.75", users_own=False)


def linked(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def laid_out(source: Source, settings: ServerSettings) -> Base:
    base = hold_base(settings.base_directory)
    prepare_base(base, source, settings)
    return base


def test_base_holds_the_node_pack_and_what_is_asked_for(
    source: Source, cache: Path, tmp_path: Path
) -> None:
    lora, pack = tmp_path / "l.safetensors", tmp_path / "stubs"
    lora.touch()
    pack.mkdir()
    settings = ServerSettings(extra_nodes=(pack,), extra_models={"loras/pet.safetensors": lora})
    base = laid_out(source, settings)
    assert linked(base.nodes) == {"manyshot", "websocket_image_save.py", "stubs"}
    assert (base.nodes / "manyshot" / "__init__.py").is_file()
    assert (base.folder / "models/loras/pet.safetensors").resolve() == lora
    paths = yaml.safe_load(base.model_paths.read_text())
    assert paths["models"]["loras"] == str(cache / "models" / "loras")
    release_base(base)


def test_base_forgets_the_last_start_and_leaves_no_file_of_it(
    source: Source, cache: Path, tmp_path: Path
) -> None:
    extra = tmp_path / "extra.py"
    extra.touch()
    base = laid_out(source, ServerSettings(extra_nodes=(extra,)))
    (base.folder / "output" / "image.png").touch()
    release_base(base)
    assert linked(base.folder) == {".lock", "extra_model_paths.yaml"}
    base = laid_out(source, ServerSettings())
    assert linked(base.nodes) == {"manyshot", "websocket_image_save.py"}
    release_base(base)
    assert extra.exists()


def test_a_chosen_base_directory_is_kept_and_has_one_server(
    source: Source, cache: Path, tmp_path: Path
) -> None:
    settings = ServerSettings(base_directory=tmp_path / "mine")
    base = laid_out(source, settings)
    (base.folder / "output" / "image.png").touch()
    with pytest.raises(InputError, match="already running with the base directory"):
        hold_base(tmp_path / "mine")
    release_base(base)
    again = laid_out(source, settings)
    assert (again.folder / "output" / "image.png").exists()
    release_base(again)


def test_servers_at_once_have_folders_of_their_own(cache: Path) -> None:
    first, second = hold_base(None), hold_base(None)
    assert [first.folder.name, second.folder.name] == ["1", "2"]
    release_base(first)
    third = hold_base(None)
    assert third.folder.name == "1"
    release_base(second)
    release_base(third)


def test_a_users_own_comfyui_is_told_of_our_folders(
    source: Source, cache: Path, tmp_path: Path
) -> None:
    own = Source(source.folder, "0.3.75", users_own=True)
    base = laid_out(own, ServerSettings())
    paths = yaml.safe_load(base.model_paths.read_text())
    assert paths["manyshot"]["custom_nodes"] == str(base.nodes)
    assert linked(base.nodes) == {"manyshot"}
    release_base(base)
    (own.folder / "custom_nodes" / "manyshot").mkdir()  # has the pack already
    base = laid_out(own, ServerSettings())
    assert linked(base.nodes) == set()
    release_base(base)


@pytest.mark.parametrize("name", ["../x.safetensors", "loras/../../x", "/x.safetensors"])
def test_model_names_stay_inside(name: str, source: Source, cache: Path, tmp_path: Path) -> None:
    target = tmp_path / "x"
    target.touch()
    with pytest.raises(InputError, match="leads outside the folder"):
        laid_out(source, ServerSettings(extra_models={name: target}))


def test_a_missing_file_is_named(source: Source, cache: Path) -> None:
    with pytest.raises(InputError, match="/nowhere/pack does not exist"):
        laid_out(source, ServerSettings(extra_nodes=(Path("/nowhere/pack"),)))


def test_copies_where_links_are_impossible(
    source: Source, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(1, "Operation not permitted")

    package = tmp_path / "package"
    (package / "core").mkdir(parents=True)
    (package / ".git").mkdir()
    (package / "__init__.py").touch()
    monkeypatch.setattr(base_module, "PACKAGE", package)
    monkeypatch.setattr(Path, "symlink_to", refuse)
    base = laid_out(source, ServerSettings())
    assert linked(base.nodes / "manyshot") == {"core", "__init__.py"}
    assert not (base.nodes / "manyshot").is_symlink()
    release_base(base)


def test_requirements_are_looked_for_in_the_interpreter_that_runs_comfyui(tmp_path: Path) -> None:
    (tmp_path / "main.py").touch()
    (tmp_path / "comfyui_version.py").write_text('__version__ = "0.33.0"\n')
    listed = "-i x\npytest\nno-such-package>=2\n\n#non essential dependencies:\nkornia-x\n"
    (tmp_path / "requirements.txt").write_text(listed)
    findings = check_up(ServerSettings(comfyui=tmp_path))
    finding = next(each for each in findings if each.subject == "requirements")
    command = f'"{sys.executable}" -m pip install -r "{tmp_path / "requirements.txt"}"'
    assert finding.text == (
        f"missing in {sys.executable}: no-such-package>=2 (not installed); "
        f"install them with: {command}"
    )
    assert not finding.good


def test_an_interpreter_alone_starts_nothing() -> None:
    assert find_installation(None, None) is None
    assert find_installation(Path("c"), Path("p")) == Installation(Path("c"), Path("p"))
    with pytest.raises(InputError, match="Add --comfyui FOLDER"):
        find_installation(None, Path("p"))
