"""`manyshot doctor`: what is here, what is missing, how to get it, and the exit code."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from manyshot.core.extras import Extra
from manyshot.driver import doctor, gpu
from manyshot.driver.doctor import check_machine, check_server
from manyshot.driver.targets.comfyui.comfy_client import Comfy
from manyshot.driver.targets.target import Check

Manyshot = Callable[..., tuple[int, str]]
READY = Check("x", True, "there")
NEEDED = Check("y", False, "gone", "fetch it")
OPTIONAL = Check("z", False, "gone", "fetch that", needed=False)


@pytest.mark.parametrize(
    ("checks", "code"),
    [([READY], 0), ([READY, OPTIONAL], 0), ([READY, NEEDED], 1), ([NEEDED, OPTIONAL], 1)],
)
def test_what_is_needed_decides_the_exit_code(
    checks: list[Check], code: int, manyshot: Manyshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "check_machine", lambda embedded: checks)
    monkeypatch.setattr(doctor, "check_server", lambda address: [])
    assert manyshot("doctor")[0] == code
    ended, text = manyshot("doctor", "--json")
    answer = json.loads(text)
    assert (ended, answer["ready"]) == (code, code == 0)
    assert [check["name"] for check in answer["checks"]] == [check.name for check in checks]
    assert answer["checks"][0].keys() == {"name", "ok", "text", "fix", "needed"}


def test_what_is_missing_says_how_to_get_it(
    manyshot: Manyshot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MANYSHOT_CACHE", str(tmp_path / "none"))
    monkeypatch.setattr(doctor, "missing_requirements", lambda _: ["torch (not installed)"])
    monkeypatch.setattr(doctor, "torch_build", lambda: None)
    code, text = manyshot("doctor")
    assert code == 1
    for words in (
        "missing extra trainer",
        "[trainer]",
        "optional extra export",
        "missing torch not installed",
        "missing ComfyUI not installed manyshot server install",
        "Not ready: something required is missing.",
    ):
        assert words in text, text


@pytest.mark.parametrize(("embedded", "needed"), [(True, True), (False, False)])
def test_a_server_elsewhere_needs_no_comfyui_here(embedded: bool, needed: bool) -> None:
    checks = {check.name: check for check in check_machine(embedded)}
    assert checks["extra server"].needed is needed
    assert checks["extra trainer"].needed
    assert not checks["extra ocr"].needed


def test_every_extra_is_looked_at() -> None:
    assert {*doctor.PURPOSES, Extra.ALL} == set(Extra)


@pytest.mark.parametrize(
    ("free", "name"),
    [(1, "disk here"), (1, "disk of the cache"), (3, None)],
)
def test_little_disk_is_missing(
    free: int, name: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": free * 2**30})
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: usage)
    missing = {check.name for check in check_machine(True) if check.name.startswith("disk")} - {
        check.name for check in check_machine(True) if check.ok
    }
    assert (name in missing) if name else not missing


VERSION = """from typing import Optional
__version__ = '2.11.0+x'
cuda: Optional[str] = {cuda}
hip: Optional[str] = {hip}
xpu: Optional[str] = None
"""


@pytest.mark.parametrize(
    ("cuda", "hip", "built_for"),
    [("'13.0'", "None", "CUDA 13.0"), ("None", "'6.2'", "ROCm 6.2"), ("None", "None", None)],
)
def test_torch_is_read_and_not_imported(
    cuda: str, hip: str, built_for: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "version.py").write_text(VERSION.format(cuda=cuda, hip=hip))
    spec = type("Spec", (), {"origin": str(tmp_path / "__init__.py")})
    monkeypatch.setattr(gpu, "find_spec", lambda name: spec)
    monkeypatch.setattr(gpu.sys, "platform", "linux")
    assert gpu.torch_build() == ("2.11.0+x", built_for)


def test_a_gpu_without_its_torch_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "list_gpus", lambda: ["NVIDIA H200, 143771 MiB"])
    monkeypatch.setattr(doctor, "torch_build", lambda: ("2.11.0+cpu", None))
    check = next(check for check in check_machine(True) if check.name == "torch")
    assert not check.ok
    assert "built for the CPU alone; GPU: NVIDIA H200" in check.text
    assert "choose another build" in check.fix


def test_it_imports_nothing_heavy() -> None:
    code = (
        "import sys; from manyshot.driver.doctor import check_machine, check_server; "
        "list(check_machine(True)), check_server('embedded'); "
        "print({'torch', 'diffusers', 'scipy', 'sklearn', 'timm'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def nodes(*names: str, options: Any = None) -> dict[str, Any]:
    loader = {"input": {"required": {"ckpt_name": options}}}
    return {**dict.fromkeys(names, {}), "CheckpointLoaderSimple": loader}


@pytest.mark.parametrize(
    ("catalogue", "missing"),
    [
        (nodes("ManyshotX", options=[["a.safetensors"]]), []),
        (nodes("ManyshotX", options=["COMBO", {"options": ["a.safetensors"]}]), []),
        (nodes("Other", options=[["a.safetensors"]]), ["nodes"]),
        (nodes("ManyshotX", options=[[]]), ["models"]),
        ({}, ["nodes", "models"]),
    ],
)
def test_a_server_has_nodes_and_models(
    catalogue: dict[str, Any], missing: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Comfy, "catalogue", lambda _: catalogue)
    monkeypatch.setattr(Comfy, "stats", lambda _: {"system": {"comfyui_version": "0.33.0"}})
    checks = check_server("http://127.0.0.1:1")
    assert [check.name for check in checks if not check.ok] == missing
    assert all(check.fix for check in checks if not check.ok)


@pytest.mark.parametrize(
    ("address", "code", "words"),
    [
        ("http://127.0.0.1:1", 1, "did not answer"),
        ("webui+http://127.0.0.1:1", 1, "a WebUI must be started with --api"),
        ("127.0.0.1", 2, "is not a server address. Write it as http://host:port"),
    ],
)
def test_a_server_that_is_not_there(
    address: str, code: int, words: str, manyshot: Manyshot
) -> None:
    ended, text = manyshot("doctor", "--server", address)
    assert ended == code
    assert words in text
