"""Waiting until a server that was just started answers, and is the one that was started."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from ...core.errors import ServerError
from ...core.json_text import dicts
from .base_directory import Base
from .log import find_failed_packs, last_lines
from .process import GuardedProcess

POLL_SECONDS = 0.1
ANSWER_SECONDS = 10.0


@dataclass(frozen=True)
class ServerFacts:
    """What a running server says about itself."""

    version: str
    torch: str
    device: str


class PortTaken(ServerError):
    """Another process took the port in between; another port will do."""


def wait_until_ready(url: str, process: GuardedProcess, base: Base, timeout: float) -> ServerFacts:
    """Wait until ComfyUI answers at `url`.

    Raises ServerError as soon as it dies, or after `timeout` seconds.
    """
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        if process.wait(POLL_SECONDS) is not None:
            raise _death(base.log)
        stats = system_stats(url)
        if stats is not None and str(base.model_paths) in str(stats["system"].get("argv")):
            return read_facts(stats)
    raise ServerError(
        f"ComfyUI did not answer at {url} within {timeout:g} s. {_log_says(base.log)}"
    )


def system_stats(url: str) -> dict[str, Any] | None:
    """The reply to /system_stats, or None when nothing sensible answers at `url`."""
    try:
        with requests.Session() as session:
            session.trust_env = False  # a proxy has no business on loopback
            reply = session.get(f"{url}/system_stats", timeout=ANSWER_SECONDS)
            stats = reply.json()
        return stats if isinstance(stats["system"], dict) else None
    except (requests.RequestException, ValueError, KeyError, TypeError):
        return None


def read_facts(stats: dict[str, Any]) -> ServerFacts:
    """The facts in a reply to /system_stats."""
    devices = [str(device.get("name")) for device in dicts(stats.get("devices"))]
    system = stats["system"]
    return ServerFacts(
        version=str(system.get("comfyui_version", "unknown")),
        torch=str(system.get("pytorch_version", "unknown")),
        device=", ".join(devices) or "unknown",
    )


def check_packs(base: Base) -> None:
    """Raise ServerError if a node pack that we linked in did not load."""
    failed = find_failed_packs(base.log).items()
    ours = [(pack.name, reason.rstrip(".")) for pack, reason in failed if pack.parent == base.nodes]
    if ours:
        listed = "; ".join(f"{name}: {reason}" for name, reason in ours)
        raise ServerError(f"ComfyUI could not load the node pack {listed}. See {base.log}.")


def _death(log: Path) -> ServerError:
    log_text = last_lines(log)
    kind = PortTaken if "address already in use" in log_text else ServerError
    return kind(f"ComfyUI ended while it was starting. {_log_says(log)}")


def _log_says(log: Path) -> str:
    return f"The log {log} ends with:\n{last_lines(log) or '(nothing)'}"
