"""Data sets that torchvision can fetch, fetched only when a recipe says so."""

from pathlib import Path
from typing import Literal

from ...core.errors import ManyshotError

Fetched = Literal["pets", "food101"]


def download(kind: Fetched, root: Path) -> None:
    """Let torchvision put the data set into `root`, unless it is there.

    Raises ManyshotError when it cannot be fetched.
    """
    from torchvision.datasets import Food101, OxfordIIITPet

    try:
        if kind == "pets":
            OxfordIIITPet(root, split="trainval", download=True)
        else:
            Food101(root, split="train", download=True)
    except (OSError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ManyshotError(
            f"torchvision could not download the data set to {root} ({reason}). Fetch it "
            "elsewhere, and give its folder without 'download'."
        ) from None
