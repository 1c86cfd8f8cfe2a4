"""Where SD1's tokenizer is: an option that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

from ..core.errors import InputError

Tokenizer = Annotated[
    Path | None, typer.Option(help="A folder with the SD1 tokenizer; default: the one in ComfyUI.")
]


def tokenizer_folder(folder: Path | None) -> Path:
    """The folder given, else that of the embedded ComfyUI."""
    if folder is not None:
        return folder
    from ..driver.embedded.source import find_installed

    source = find_installed()
    if source is None:
        raise InputError(
            "The SD1 tokenizer comes with ComfyUI, which is not installed: run `manyshot server "
            "install`, or pass --tokenizer a folder with vocab.json."
        )
    return source.folder / "comfy" / "sd1_tokenizer"
