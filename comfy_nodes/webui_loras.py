"""`<lora:name:0.8>` on this server: which file is meant, and the models with it."""

import logging
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from ..core.counted import did_you_mean
from ..core.errors import InputError
from ..core.webui_prompt.networks import LORA_KINDS, Lora, loras, write_network
from ..core.webui_prompt.values import Prompt

FOLDER = "loras"
log = logging.getLogger(__name__)


def find_loras(prompt: Prompt) -> list[tuple[Lora, str]]:
    """The LoRAs of a prompt and their files, as LoraLoader lists them.

    Raises InputError for one that the server has not, with the nearest name, for a strength that
    is no number, and for hypernetworks. Other kinds are left out, as by the WebUI.
    """
    for network in prompt.networks:
        if network.kind == "hypernet":
            raise InputError(
                f"{write_network(network)} is a hypernetwork, which WebUI Prompt does not "
                "load. Remove it from the text and add the node Hypernetwork Loader before "
                "this one."
            )
        if network.kind not in LORA_KINDS:
            log.warning(
                "WebUI Prompt ignores %s: there is no such network.", write_network(network)
            )
    return [(lora, lora_file(lora.name)) for lora in loras(prompt.networks)]


def lora_file(name: str) -> str:
    """The file of models/loras that a prompt calls by its name, without folder and suffix.

    Raises InputError if there is none, or several in different folders.
    """
    from folder_paths import get_filename_list

    paths = [PurePosixPath(file.replace("\\", "/")) for file in get_filename_list(FOLDER)]
    files = dict(zip(paths, get_filename_list(FOLDER), strict=True))
    meant = [p for p in paths if name in (str(p), str(p.with_suffix("")))]
    meant = meant or [path for path in paths if path.stem == name]
    if len(meant) == 1:
        return files[meant[0]]
    if meant:
        named = " or ".join(f"<lora:{path.with_suffix('')}>" for path in meant)
        raise InputError(f"<lora:{name}> matches several files. Write {named}.")
    near = did_you_mean(name, {path.stem for path in paths})
    raise InputError(f"The prompt uses the LoRA {name!r}, which this server does not have.{near}")


def with_loras(loras: Sequence[tuple[Lora, str]], model: Any, clip: Any) -> tuple[Any, Any]:
    """As LoraLoader puts them on, one after the other."""
    from nodes import LoraLoader

    for lora, file in loras:
        model, clip = LoraLoader().load_lora(model, clip, file, lora.unet, lora.text_encoder)
    return model, clip


def file_states(prompt: Prompt) -> str:
    """New when a LoRA's file is: ComfyUI's cache knows only the text."""
    from folder_paths import get_full_path_or_raise

    stats = [Path(get_full_path_or_raise(FOLDER, file)).stat() for _, file in find_loras(prompt)]
    return " ".join(f"{stat.st_size} {stat.st_mtime_ns}" for stat in stats)
