"""What a trained file says of itself, and how it is read again."""

import json
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open

from ...core.errors import InputError
from .settings import Method

PREFIX = "manyshot."


@dataclass(frozen=True)
class Facts:
    """`base`: name and sha256 of the model it was trained on. `word`: how prompts call it.

    `photos`: sha256 of each. `step`: of the weights kept, of `steps` taken.
    """

    method: Method
    base: str
    base_digest: str
    token: str
    noun: str
    word: str
    step: int
    steps: int
    photos: tuple[str, ...]
    settings: str

    def metadata(self) -> dict[str, str]:
        """As the texts of a safetensors header; kohya's and the model spec's names beside ours."""
        own = {
            f"{PREFIX}{key}": json.dumps(value) if isinstance(value, tuple) else str(value)
            for key, value in vars(self).items()
        }
        spec = {
            "modelspec.sai_model_spec": "1.0.0",
            "modelspec.title": self.token,
            "modelspec.trigger_phrase": self.word,
        }
        return {**spec, **own}


def read_facts(path: Path) -> Facts:
    """The facts of a trained file. Raises InputError for a file that is not one of ours."""
    if path.suffix != ".safetensors":
        raise InputError(
            f"{path} is not a .safetensors file; others can run code, and are refused."
        )
    try:
        with safe_open(path, "pt") as file:
            texts = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} cannot be read: {error}.") from None
    own = {k.removeprefix(PREFIX): v for k, v in texts.items() if k.startswith(PREFIX)}
    try:
        return Facts(
            own["method"],  # pyright: ignore[reportArgumentType]  # written by `metadata`
            own["base"],
            own["base_digest"],
            own["token"],
            own["noun"],
            own["word"],
            int(own["step"]),
            int(own["steps"]),
            tuple(json.loads(own["photos"])),
            own["settings"],
        )
    except (KeyError, ValueError):
        raise InputError(f"{path} was not trained by manyshot: its header says nothing.") from None
