"""The extension's real entry file under fake `modules.*`, which follow the WebUI's 1.8 to 1.10."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from ..support.webui_host import CLASSES, ROOT, Host, fake_webui, records


@pytest.fixture
def webui() -> Iterator[Host]:
    with fake_webui() as host:
        yield host


def test_the_entry_file_binds_the_folder_beside_packages_of_the_same_names(webui: Host) -> None:
    assert all(other.OTHER for other in webui.others)
    assert Path(sys.modules["manyshot"].__file__ or "") == ROOT / "__init__.py"
    assert webui.part("driver.ledger").Ledger.__module__ == "manyshot.driver.ledger"
    assert not hasattr(sys.modules["driver"], "ledger")
    assert str(ROOT) not in sys.path[:1]


def test_nothing_of_pydantic_and_torch_is_needed(webui: Host) -> None:
    bound = {n for n in sys.modules if n.startswith("manyshot.")}
    assert not {n for n in bound if n.endswith((".recipe", ".records", ".recipe_file"))}
    users = {n for n in bound if {"pydantic", "torch"} & set(vars(sys.modules[n]))}
    assert not users


def test_reload_brings_new_classes_and_one_callback(webui: Host, tmp_path: Path) -> None:
    before = type(webui.script)
    webui.load()
    assert type(webui.script) is not before
    assert len(webui.callbacks.app_started) == 1
    webui.run(output=str(tmp_path / "d"), classes=CLASSES, images_per_class=1)
    assert len(records(tmp_path / "d")) == 2


def test_install_does_nothing_outside_the_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    code = compile((ROOT / "install.py").read_text(), "install.py", "exec")
    asked: list[str] = []
    launch = SimpleNamespace(
        is_installed=lambda name: name != "pathvalidate",
        run_pip=lambda command, desc: asked.append(command),
    )
    for stand_in in (None, SimpleNamespace(), launch):
        monkeypatch.setitem(sys.modules, "launch", stand_in)
        exec(code, {"__name__": "__main__"})  # noqa: S102
    assert asked == ["install pathvalidate"]
