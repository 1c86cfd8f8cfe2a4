"""The device that a training is asked to compute on."""

import torch

from ..core.errors import InputError


def check_device(name: str) -> None:
    """Raises InputError for a device that torch does not know, or that is not there."""
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise InputError(
            f"There is no {name!r} for --device: this machine has {', '.join(_there())}. Leave the "
            "option out to use the CPU."
        ) from None
    if device.type == "meta":
        raise InputError("--device meta holds no numbers. Leave the option out to use the CPU.")


def _there() -> list[str]:
    gpus = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    return ["cpu", *gpus, *(["mps"] if torch.backends.mps.is_available() else [])]
