"""Food-101 as torchvision lays it out: its official parts."""

from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from ...core.errors import InputError, ManyshotError
from ...core.json_text import read_json
from ...core.paths import inside
from .sources import Dataset, Example, check_dataset

FOLDER = "food-101"  # <root>/food-101/{images,meta}
_LISTED = TypeAdapter(dict[str, list[str]])


def food101(root: Path) -> Dataset:
    """Draws come from its training part. Raises InputError when it is not in `root`."""
    real, test = (_part(root / FOLDER, split) for split in ("train", "test"))
    return check_dataset(real, test, "Food-101: draws from train, tested on all of test.")


def _part(folder: Path, split: Literal["train", "test"]) -> list[Example]:
    path = folder / "meta" / f"{split}.json"
    try:
        listed = _LISTED.validate_python(read_json(path))
    except OSError:
        raise InputError(
            f"{path} is missing: give the folder that holds {FOLDER}/, as torchvision's "
            "Food101(root) has it. 'download: true' lets torchvision fetch it (5 GB)."
        ) from None
    except (ValidationError, ValueError):
        raise InputError(f"{path} is not Food-101's list of images by class.") from None
    return [
        Example(inside(folder / "images", f"{name}.jpg"), name, class_name)
        for class_name, names in listed.items()
        for name in names
    ]


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
