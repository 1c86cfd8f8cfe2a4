"""Between networks and files: the original single file (both ways), and a diffusers folder."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import CLIPTextModel, CLIPTokenizer

from ...core.errors import InputError
from ...core.files import open_atomic
from ...core.tiny_sizes import IMAGE_SIZE, SD1_SCALE_FACTOR, Sizes
from ..divergence import check_finite
from ..tensor_files import content_hash, write_tensors
from . import autoencoder, diffusion
from .architecture import build_schedule, build_text_encoder, build_unet, build_vae
from .checkpoints import read_facts
from .euler_sampling import Networks
from .keys import original_text_key, original_unet_key, original_vae_key, unet_modules

NAME = "manyshot-tiny"


def original_tensors(
    unet: UNet2DConditionModel, text_encoder: CLIPTextModel, vae: AutoencoderTiny, sizes: Sizes
) -> dict[str, Tensor]:
    """All tensors in half precision under their names in the original single-file layout.

    ComfyUI divides latents by SD1's 0.18215 before TAESD sees them; `vae_scale` takes that back,
    so that latents of deviation 1 are what both the UNet and the decoder work on.
    """
    modules = unet_modules(sizes.unet_attention, sizes.unet_blocks)
    tensors = {original_unet_key(k, modules): v for k, v in unet.state_dict().items()}
    tensors |= {original_text_key(k): v for k, v in text_encoder.state_dict().items()}
    tensors |= {original_vae_key(key): value for key, value in vae.state_dict().items()}
    halves = {key: value.detach().cpu().half().contiguous() for key, value in tensors.items()}
    # Single precision: half would move the scale by a ten-thousandth.
    halves["first_stage_model.vae_scale"] = torch.tensor(SD1_SCALE_FACTOR)
    halves["first_stage_model.vae_shift"] = torch.tensor(0.0)
    return halves


def export_single_file(
    path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, object]
) -> None:
    """Write the checkpoint with metadata: the model-spec fields, and how it was trained.

    Raises Diverged for tensors that hold no numbers.
    """
    metadata = {
        "modelspec.sai_model_spec": "1.0.0",
        "modelspec.architecture": "stable-diffusion-v1",
        "modelspec.title": NAME,
        "modelspec.resolution": f"{IMAGE_SIZE}x{IMAGE_SIZE}",
        "modelspec.prediction_type": "epsilon",
        "modelspec.hash_sha256": f"0x{content_hash(tensors)}",
        "manyshot.training": json.dumps(facts),
    }
    check_finite(path, tensors)
    write_tensors(path, tensors, metadata)


def export_run(path: Path, run: Path, networks: Networks, sizes: Sizes) -> None:
    """Write the single file of a run's folder, with its sizes and its training in the metadata."""
    names = (autoencoder.CHECKPOINT, autoencoder.DECODER, diffusion.CHECKPOINT)
    checkpoints = [run / name for name in names]
    facts = {
        "data": "Oxford-IIIT Pet, trainval without the reserved images, and broad images",
        "sizes": asdict(sizes),
        **{path.stem: read_facts(path) for path in checkpoints if path.exists()},
    }
    tensors = original_tensors(networks.unet, networks.text_encoder, networks.vae, sizes)
    export_single_file(path, tensors, facts)


def export_diffusers(folder: Path, networks: Networks) -> None:
    """Write a folder that `StableDiffusionPipeline.from_pretrained` loads.

    The library writes in place and gives its files private permissions, so they are copied.
    """
    pipeline = StableDiffusionPipeline(
        vae=networks.vae,  # pyright: ignore[reportArgumentType]  # its type hint lags behind
        text_encoder=networks.text_encoder,
        tokenizer=networks.tokenizer,
        unet=networks.unet,
        scheduler=build_schedule(),  # pyright: ignore[reportArgumentType]  # any schedule works
        safety_checker=None,  # pyright: ignore[reportArgumentType]
        feature_extractor=None,  # pyright: ignore[reportArgumentType]
        requires_safety_checker=False,
    )
    with TemporaryDirectory() as temporary:
        pipeline.save_pretrained(temporary)
        for path in (path for path in Path(temporary).rglob("*") if path.is_file()):
            with (
                path.open("rb") as source,
                open_atomic(folder / path.relative_to(temporary)) as file,
            ):
                shutil.copyfileobj(source, file)


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
