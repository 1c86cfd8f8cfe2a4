"""ControlNets of this server: which fit a model, and loading them no more often than needed."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from ..core.counted import did_you_mean
from ..core.errors import InputError
from ..core.masks.control import unknown_colours
from ..core.model_family import (
    TRANSFORMER,
    UnetSizes,
    explain_incompatibility,
    file_facts,
    unet_family,
)

if TYPE_CHECKING:
    from torch import Tensor

log = logging.getLogger(__name__)
FOLDER = "controlnet"
KEPT = 2  # ControlNets for one model: two in a row is usual

# What ComfyUI notes of models that are no UNet: of all but SD 3, and of SD 3.
_TRANSFORMERS = ("image_model", "pos_embed_scaling_factor")
_Key = tuple[str, int, int]
# By ComfyUI's model, which so frees them: a list of images loads its ControlNet once.
_loaded: "WeakKeyDictionary[Any, dict[_Key, Any]]" = WeakKeyDictionary()


def controlnet_path(name: str) -> Path:
    """The file of a ControlNet. Raises InputError, with the nearest name: there is none such."""
    from folder_paths import get_filename_list, get_full_path

    path = get_full_path(FOLDER, name)
    if path is None:
        near = did_you_mean(name, get_filename_list(FOLDER))
        raise InputError(f"This server has no ControlNet {name!r}.{near}")
    return Path(path)


def check_controlnet(name: str, model: Any) -> None:
    """Raises InputError for a ControlNet of another family than ComfyUI's MODEL is."""
    from folder_paths import get_filename_list

    facts, family = file_facts(controlnet_path(name)), model_family(model)
    if facts is None or family is None:
        return
    alternatives = (file for file in get_filename_list(FOLDER) if _family(file) == family)
    sentence = explain_incompatibility(name, facts, "the connected model", family, alternatives)
    if sentence:
        raise InputError(sentence)


def warn_of_colours(name: str, image: "Tensor") -> None:
    """Log the colours of a control image that a segmentation ControlNet has not learned."""
    from .pictures import pixels

    colours = np.unique(pixels(image)[0][..., :3].reshape(-1, 3), axis=0).tolist()
    sentence = unknown_colours(
        name, {f"colour {n}": (r, g, b) for n, (r, g, b) in enumerate(colours)}
    )
    if sentence:
        log.warning("%s", sentence)


def model_family(model: Any) -> str | None:
    """The family of a loaded model by the sizes that ComfyUI found in it; None: not known."""
    sizes = getattr(getattr(model.model, "model_config", None), "unet_config", {})
    if any(key in sizes for key in _TRANSFORMERS):
        return TRANSFORMER
    if "model_channels" not in sizes:
        return None
    vector = sizes.get("adm_in_channels") or 0
    return unet_family(UnetSizes(sizes["model_channels"], sizes.get("context_dim"), vector))


def load_controlnet(name: str, model: Any) -> Any:
    """ComfyUI's CONTROL_NET of a file. Raises InputError when the file holds none."""
    from comfy import controlnet

    path = controlnet_path(name)
    stat = path.stat()
    key, cached = (str(path), stat.st_size, stat.st_mtime_ns), _loaded.setdefault(model.model, {})
    control_net = cached.pop(key, None) or controlnet.load_controlnet(str(path), model)
    if control_net is None:
        raise InputError(
            f"{name} contains no ControlNet that this ComfyUI supports. Choose another file."
        )
    cached[key] = control_net
    for old in list(cached)[:-KEPT]:
        del cached[old]
    return control_net


def _family(name: str) -> str | None:
    facts = file_facts(controlnet_path(name))
    return facts.family if facts else None
