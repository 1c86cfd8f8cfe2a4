"""manyshot-tiny as files of AUTOMATIC1111's WebUI: checkpoint, text encoder, TAESD's two halves."""

import json
import re
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile, ZipInfo

import torch
import yaml
from safetensors.torch import load
from torch import Tensor

from ...core.errors import InputError, ManyshotError
from ...core.files import write_atomic
from ...core.tiny_sizes import Sizes
from .architecture import tokenizer_files
from .keys import DECODER, ENCODER
from .webui_config import model_config, text_encoder_config

CHECKPOINTS = "models/Stable-diffusion"
TAESD = "models/VAE-taesd"
FORGE = "modules_forge"
KNOWN_MEMBER = re.compile(r"[^/]+/(data\.pkl|version|data/\d+)")


def webui_folder(folder: Path) -> Path:
    """`folder`, from the root. Raises InputError unless it is AUTOMATIC1111's WebUI."""
    folder = folder.expanduser().absolute()
    if not (_there(folder / "launch.py") and _there(folder / CHECKPOINTS)):
        raise InputError(
            f"{folder} is not a folder of AUTOMATIC1111's WebUI: launch.py or {CHECKPOINTS} "
            "is missing. Pass the folder that contains both."
        )
    if _there(folder / FORGE):
        raise InputError(
            f"The WebUI in {folder} is Forge or reForge, which load only models of known "
            "sizes. Pass a folder of AUTOMATIC1111's WebUI, or use ComfyUI."
        )
    return folder


def export_webui(folder: Path, checkpoint: Path, tokenizer: Path, sizes: Sizes) -> list[Path]:
    """Write the files that the WebUI in `folder` lacks, and return them.

    Files named after the checkpoint are ours, and brought up to date. TAESD's names are
    everybody's: raises InputError before anything is written where one has another content, where
    `folder` is no WebUI that can load the model, or where checkpoint or tokenizer are missing.
    Raises ManyshotError when a file cannot be read or written.
    """
    folder = webui_folder(folder)
    text_encoder = folder / CHECKPOINTS / f"{checkpoint.stem}-clip"
    model = _read(checkpoint)
    files = {
        folder / CHECKPOINTS / checkpoint.name: model,
        folder / CHECKPOINTS / f"{checkpoint.stem}.yaml": _yaml(sizes, text_encoder),
        **{text_encoder / k: v for k, v in text_encoder_files(tokenizer, sizes).items()},
    }
    taesd = {folder / TAESD / k: v for k, v in taesd_files(load(model)).items()}
    _refuse_others(taesd)
    return [path for path, data in {**files, **taesd}.items() if _write_changed(path, data)]


def text_encoder_files(tokenizer: Path, sizes: Sizes) -> dict[str, bytes]:
    """Name -> content of a folder that transformers' tokenizer and text encoder are read from."""
    files = {path.name: _read(path) for path in tokenizer_files(tokenizer)}
    config = json.dumps(text_encoder_config(sizes), indent=1)
    return {**files, "config.json": config.encode()}


def taesd_files(tensors: Mapping[str, Tensor]) -> dict[str, bytes]:
    """Name -> content of TAESD's own two files, from the tensors of a checkpoint.

    They know no scale: the checkpoint's `vae_scale` undoes what ComfyUI does to the UNet's
    latents, and the WebUI gives these to TAESD as they are.
    """
    parts = {"taesd_decoder.pth": DECODER, "taesd_encoder.pth": ENCODER}
    return {name: _pth(_part(tensors, prefix)) for name, prefix in parts.items()}


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """In an order of their own: safetensors gives them in any."""
    keys = sorted(key for key in tensors if key.startswith(prefix))
    return {key.removeprefix(prefix): tensors[key].float() for key in keys}


def _pth(tensors: dict[str, Tensor]) -> bytes:
    """What torch.save gives, less what it puts in beside the tensors.

    The WebUI's safety check refuses a file with a member that it does not know, and each torch
    adds some; without dates the same tensors are the same bytes.
    """
    saved, plain = BytesIO(), BytesIO()
    torch.save(tensors, saved)
    with ZipFile(saved) as whole, ZipFile(plain, "w") as archive:
        for name in filter(KNOWN_MEMBER.fullmatch, whole.namelist()):
            archive.writestr(ZipInfo(name), whole.read(name))
    return plain.getvalue()


def _yaml(sizes: Sizes, text_encoder: Path) -> bytes:
    text = yaml.safe_dump(
        model_config(sizes, text_encoder), sort_keys=False, default_flow_style=None
    )
    return text.encode()


def _there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # such as a folder that we may not enter
        return False


def _content(path: Path) -> bytes | None:
    """None where there is nothing."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ManyshotError(f"{path} cannot be read: {error.strerror}.") from None


def _read(path: Path) -> bytes:
    data = _content(path)
    if data is None:
        raise InputError(f"{path} does not exist.")
    return data


def _refuse_others(files: Mapping[Path, bytes]) -> None:
    clashes = [path for path, data in files.items() if _content(path) not in (None, data)]
    if clashes:
        raise InputError(
            f"There is another {' and '.join(path.name for path in clashes)} in "
            f"{clashes[0].parent}, and the WebUI uses one TAESD for all models. Move it away "
            "(the WebUI downloads its own again if it is missing), and run this again."
        )


def _write_changed(path: Path, data: bytes) -> bool:
    """Whether it had to be written: a file that is the same keeps its date and its hash."""
    if _content(path) == data:
        return False
    try:
        write_atomic(path, data)
    except OSError as error:
        raise ManyshotError(f"{path} cannot be written: {error.strerror}.") from None
    return True
