"""From networks to files: the original single file, and a diffusers folder."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from manyshot.core.files import open_atomic
from manyshot.core.tiny_sizes import IMAGE_SIZE, SD1_SCALE_FACTOR, Sizes
from manyshot.trainer.checkpoints import read_facts
from manyshot.trainer.divergence import check_finite
from manyshot.trainer.stable_diffusion.architecture import (
    build_schedule,
)
from manyshot.trainer.stable_diffusion.euler_sampling import Networks
from manyshot.trainer.stable_diffusion.keys import (
    original_text_key,
    original_unet_key,
    original_vae_key,
    unet_modules,
)
from manyshot.trainer.stable_diffusion.tiny_checkpoint import NAME
from manyshot.trainer.tensor_files import content_hash, write_tensors
from torch import Tensor
from transformers import CLIPTextModel

from . import autoencoder, diffusion


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
