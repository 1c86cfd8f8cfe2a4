"""The device that a training is asked to compute on, and the precision it computes in."""

import torch

from ..core.errors import InputError


def check_device(name: str) -> None:
    """Raises InputError for a device that torch does not know, or that is not there."""
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise InputError(
            f"There is no {name!r} for --device: this machine has {', '.join(_there())}. "
            "Omit the option to use the CPU."
        ) from None
    if device.type == "meta":
        raise InputError("--device meta stores no numbers. Omit the option to use the CPU.")


def _there() -> list[str]:
    gpus = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    return ["cpu", *gpus, *(["mps"] if torch.backends.mps.is_available() else [])]


def precision(device: str, bf16: bool) -> torch.autocast:
    """A block that computes in bfloat16 where that is enough; `device`: "cpu" or "cuda".

    Without the cache of weights in bfloat16: all threads share it, and the first to leave its block
    empties it, so that rounding would depend on who comes first.
    """
    return torch.autocast(device, torch.bfloat16, enabled=bf16, cache_enabled=False)
