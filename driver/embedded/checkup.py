"""What `manyshot server check` reports: is everything there, does it run, does it answer?"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from ...core.errors import ManyshotError
from ...core.extras import Extra, install_command, missing_requirements
from ...core.tiny_files import TINY_MODEL
from .background import BackgroundServer, find_background
from .base_directory import MODEL_KINDS, NODE_PACK
from .cache_folders import models_folder
from .ready import ANSWER_SECONDS
from .server_settings import ServerSettings, ask_torch, ask_versions
from .source import Source, find_installed, own_source, read_requirements


@dataclass(frozen=True)
class Finding:
    """One line of the report; `good` is False when something must be done."""

    subject: str
    text: str
    good: bool = True


def check_up(settings: ServerSettings) -> list[Finding]:
    """Everything about the ComfyUI of `settings` and the background server, in reading order."""
    source = own_source(settings.comfyui) if settings.comfyui else find_installed()
    running = find_background()
    findings = [
        _check_installed(source),
        *_requirements(source, settings.python),
        _device(settings.python),
    ]
    findings += [_models(settings.models or models_folder()), _running(running)]
    return findings + ([] if running is None else _answers(running))


def _check_installed(source: Source | None) -> Finding:
    if source is None:
        return Finding("ComfyUI", "not installed: run `manyshot server install`", good=False)
    return Finding("ComfyUI", f"{source.version} in {source.folder}")


def _requirements(source: Source | None, python: Path) -> list[Finding]:
    """What the ComfyUI needs, in the Python that runs it."""
    file = source.folder / "requirements.txt" if source else None
    if source is None or file is None or not file.is_file():
        return []
    try:
        requirements = read_requirements(file, source.users_own)
        versions = ask_versions(python, [each.name for each in requirements])
    except ManyshotError as error:
        return [Finding("requirements", str(error), good=False)]
    missing = missing_requirements(requirements, versions.get)
    if not missing:
        return [Finding("requirements", f"all {len(requirements)} installed in {python}")]
    command = f'"{python}" -m pip install -r "{file}"'
    advice = command if source.users_own else install_command(Extra.SERVER)
    text = f"missing in {python}: {', '.join(missing)}; install them with: {advice}"
    return [Finding("requirements", text, good=False)]


def _device(python: Path) -> Finding:
    try:
        facts = ask_torch(python)
    except ManyshotError as error:
        return Finding("device", str(error), good=False)
    return Finding("device", f"{facts.gpu or 'CPU, no usable GPU'} (torch {facts.torch})")


def _models(folder: Path) -> Finding:
    bundled = [TINY_MODEL.name] if TINY_MODEL.is_file() else []
    paths = [path for kind in MODEL_KINDS for path in (folder / kind).glob("**/*.safetensors")]
    names = bundled + sorted(str(path.relative_to(folder)) for path in paths)
    return Finding("models", f"{', '.join(names) or 'none'} (yours go into {folder})")


def _running(running: BackgroundServer | None) -> Finding:
    if running is None:
        return Finding("server", "not running: `manyshot server start` starts it")
    return Finding("server", f"running at {running.url}, log {running.log}")


def _answers(running: BackgroundServer) -> list[Finding]:
    facts = running.facts()
    if facts is None:
        advice = "does not answer; run `manyshot server stop`, then start it again"
        return [Finding("answer", advice, good=False)]
    text = f"ComfyUI {facts.version} on {facts.device}, torch {facts.torch}"
    return [Finding("answer", text), _node_pack(running.url)]


def _node_pack(url: str) -> Finding:
    """Count the nodes that the server has, and those of our pack among them."""
    try:
        nodes = _object_info(url)
    except (requests.RequestException, ValueError):
        return Finding("nodes", "the list of nodes cannot be read", good=False)
    ours = [node for node in nodes.values() if _module(node) == f"custom_nodes.{NODE_PACK}"]
    text = f"{len(nodes)}, {len(ours)} of them manyshot's"
    return Finding("nodes", text, good=bool(ours))


def _object_info(url: str) -> dict[str, Any]:
    with requests.Session() as session:
        session.trust_env = False  # a proxy has no business on loopback
        reply = session.get(f"{url}/object_info", timeout=ANSWER_SECONDS)
        reply.raise_for_status()
        return reply.json()


def _module(node: dict[str, Any]) -> str:
    return str(node.get("python_module", ""))
