"""Where SD1's tokenizer is: an option that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

from ..core.errors import InputError

Tokenizer = Annotated[
    Path | None, typer.Option(help="A folder with SD1's tokenizer; default: ComfyUI's own.")
]


def tokenizer_folder(given: Path | None) -> Path:
    """The folder given, else that of the embedded ComfyUI."""
    if given is not None:
        return given
    from ..driver.embedded.source import find_installed

    source = find_installed()
    if source is None:
        raise InputError(
            "SD1's tokenizer comes with ComfyUI, which is not installed: run "
            "`manyshot server install`, or give --tokenizer a folder with vocab.json."
        )
    return source.folder / "comfy" / "sd1_tokenizer"
