"""manyshot-tiny's networks, from its single file in the original layout."""

from collections.abc import Callable, Mapping
from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import CLIPTokenizer

from ...core.errors import InputError
from ...core.tiny_sizes import Sizes
from .architecture import build_text_encoder, build_unet, build_vae
from .euler_sampling import Networks
from .keys import original_text_key, original_unet_key, original_vae_key, unet_modules

NAME = "manyshot-tiny"


def load_single_file(path: Path, tokenizer: CLIPTokenizer, sizes: Sizes) -> Networks:
    """The networks of an exported checkpoint, in single precision.

    Raises InputError when the file is missing, or is not one of these sizes.
    """
    if not path.is_file():
        raise InputError(f"The checkpoint {path} does not exist.")
    tensors = load_file(path)
    modules = unet_modules(sizes.unet_attention, sizes.unet_blocks)
    networks = Networks(tokenizer, build_text_encoder(sizes), build_unet(sizes), build_vae(sizes))
    _fill(networks.unet, tensors, lambda key: original_unet_key(key, modules), path)
    _fill(networks.text_encoder, tensors, original_text_key, path)
    _fill(networks.vae, tensors, original_vae_key, path)
    return networks


def _fill(
    module: nn.Module, tensors: Mapping[str, Tensor], name: Callable[[str], str], path: Path
) -> None:
    try:
        module.load_state_dict({key: tensors[name(key)].float() for key in module.state_dict()})
    except (KeyError, RuntimeError) as error:
        raise InputError(f"{path} is not a {NAME} of these sizes: {error}") from None
    module.eval().requires_grad_(False)
