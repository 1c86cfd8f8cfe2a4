"""A training's state in one file: modules, optimiser, and how far it went with what."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from ..core.begun import Facts, check_begun
from ..core.errors import InputError
from ..core.json_text import parse_json
from .tensor_files import write_tensors
from .training import Clock

CLOCK, BEGUN = "clock", "begun"  # of a checkpoint's header
IMPORTED = "imported"  # the fact of weights that were not begun here, the name of their file


def save_checkpoint(
    path: Path,
    modules: Mapping[str, nn.Module],
    optimizer: torch.optim.Optimizer,
    clock: Clock,
    begun: Facts | None = None,
) -> None:
    """Write modules, optimiser state and clock into one safetensors file, whole or not at all.

    `begun`: what the training was begun with, for `check_resumed`.
    """
    tensors = {
        f"{name}.{key}": value.detach().cpu().contiguous()
        for name, module in modules.items()
        for key, value in module.state_dict().items()
    }
    for index, state in optimizer.state_dict()["state"].items():
        for key, value in state.items():
            tensors[f"optimizer.{index}.{key}"] = torch.as_tensor(value).cpu().contiguous()
    facts: dict[str, object] = {"step": clock.step, "minutes": clock.elapsed}
    if clock.before:
        facts["before"] = clock.before
    header = {CLOCK: json.dumps(facts), BEGUN: json.dumps(begun and dict(begun))}
    write_tensors(path, tensors, header)


def check_resumed(path: Path, begun: Facts) -> None:
    """Raises InputError when the training in the checkpoint `path` was begun with other facts.

    One that was imported goes on with any: its training begins here.
    """
    before = read_begun(path)
    if before is None or IMPORTED not in before:
        check_begun(path, before, begun)


def read_begun(path: Path) -> dict[str, Any] | None:
    """What a file says that it was begun with. Raises InputError for one that cannot be read."""
    return _metadata(path, BEGUN)


def read_facts(path: Path) -> dict[str, Any]:
    """How far a checkpoint's training went: {"step": …, "minutes": …}. Raises InputError.

    With "before" for weights that were imported: the same of their earlier trainings, by name.
    """
    if not path.is_file():
        raise InputError(f"The checkpoint {path} does not exist: train it first.")
    facts = _metadata(path, CLOCK)
    if facts is None:
        raise InputError(f"{path} is not a training checkpoint.")
    return facts


def _metadata(path: Path, key: str) -> dict[str, Any] | None:
    """A value of a checkpoint's header. Raises InputError for a file that cannot be read."""
    try:
        with safe_open(path, "pt") as file:
            return parse_json((file.metadata() or {}).get(key, "null"))
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"The checkpoint {path} cannot be read: {error}. Remove it.") from None


def holds(path: Path, name: str) -> bool:
    """Whether a checkpoint holds a module of that name. Raises InputError without the file."""
    read_facts(path)
    with safe_open(path, "pt") as file:
        return any(key.startswith(f"{name}.") for key in file.keys())  # noqa: SIM118


def load_checkpoint(
    path: Path,
    modules: Mapping[str, nn.Module],
    optimizer: torch.optim.Optimizer | None = None,
    clock: Clock | None = None,
) -> None:
    """Fill modules, and optimiser and clock where given, from `save_checkpoint`'s file.

    Raises InputError when the file is missing or of other sizes than the modules.
    """
    facts = read_facts(path)
    tensors = load_file(path)
    for name, module in modules.items():
        try:
            module.load_state_dict(_under(tensors, f"{name}."))
        except RuntimeError as error:
            cause = str(error).splitlines()[-1].strip()
            raise InputError(f"{path} does not fit this model ({name}): {cause}") from None
    if optimizer is not None:
        _load_optimizer(optimizer, _under(tensors, "optimizer."))
    if clock is not None:
        clock.step, clock.spent = int(facts["step"]), facts["minutes"]
        clock.before = facts.get("before", {})
        clock.started = time.monotonic()


def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    states: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, name = key.split(".", 1)
        states.setdefault(int(index), {})[name] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": states, "param_groups": groups})


def _under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
