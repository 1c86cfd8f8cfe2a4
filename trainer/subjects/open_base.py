"""Open a base model: manyshot-tiny, SD 1.x or SDXL, from a single file or a diffusers folder."""

from hashlib import sha256
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor
from transformers import CLIPTokenizer

from ...core.counted import did_you_mean
from ...core.errors import InputError
from ...core.files import check_regular
from ...core.tiny_sizes import IMAGE_SIZE, TINY
from ..stable_diffusion.architecture import build_schedule
from ..stable_diffusion.tiny_checkpoint import NAME, load_single_file
from .base_model import (
    DOWNSCALE,
    LEAST_ALPHA,
    BaseModel,
    Codec,
    Family,
    Prediction,
    TextTower,
)
from .diffusers_folder import read_folder
from .families import PARTS
from .single_file import read_single_file

SDXL_KEY = "conditioner.embedders.1.model.ln_final.weight"
SD1_KEY = "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight"
END = 49_407  # CLIP's token for the end of a text


def open_base(path: Path, tokenizer: CLIPTokenizer) -> BaseModel:
    """The base model at `path`; `tokenizer` is SD1's, for single files.

    Raises InputError when it is missing, a pickle, or of another family.
    """
    if path.is_dir():
        return _wrap_pipeline(*read_folder(path), path, None)
    if not path.is_file():
        near = did_you_mean(path.name, [p.name for p in path.parent.glob("*.safetensors")])
        raise InputError(f"There is no base model at {path}.{near}")
    if path.suffix != ".safetensors":
        raise InputError(
            f"{path} is not a .safetensors file. Other formats can run code when they are opened, "
            "and are refused; convert it first."
        )
    keys = _keys(path)
    if keys.get(SD1_KEY) == TINY.text_width:
        return _tiny(path, tokenizer)
    family = _family(path, keys)
    return _wrap_pipeline(family, read_single_file(path, family, tokenizer), path, path)


def _keys(path: Path) -> dict[str, int]:
    """Names of the tensors, with the last dimension of each."""
    try:
        check_regular(path)
        with safe_open(path, "pt") as file:
            return {key: (file.get_slice(key).get_shape() or [0])[-1] for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise InputError(f"The base model {path} cannot be read: {error}.") from None


def _family(path: Path, keys: dict[str, int]) -> Family:
    if SDXL_KEY in keys:
        return "sdxl"
    if keys.get(SD1_KEY) == PARTS["sd1"]["text_encoder"][2]["hidden_size"]:
        return "sd1"
    raise InputError(
        f"{path} is neither a checkpoint of Stable Diffusion 1.x or XL nor {NAME}. Subjects "
        "are trained on those; a LoRA, an embedding or a VAE is not a base."
    )


def _tiny(path: Path, tokenizer: CLIPTokenizer) -> BaseModel:
    networks = load_single_file(path, tokenizer, TINY)
    vae = networks.vae
    return BaseModel(
        "sd1",
        NAME,
        file_digest(path),
        (TextTower(tokenizer, networks.text_encoder),),
        networks.unet,
        Codec(vae.encoder, lambda latents: vae.decoder(latents).clamp(-1, 1), vae),
        build_schedule().alphas_cumprod,
        "epsilon",
        IMAGE_SIZE,
        path,
    )


def _wrap_pipeline(family: Family, pipeline: Any, path: Path, file: Path | None) -> BaseModel:
    texts = [TextTower(pipeline.tokenizer, pipeline.text_encoder)]
    if family == "sdxl":
        texts.append(TextTower(pipeline.tokenizer_2, pipeline.text_encoder_2))
    for network in (pipeline.unet, pipeline.vae, *(text.encoder for text in texts)):
        network.eval().requires_grad_(False)
    for text in texts:
        _pool_at_the_end(text.encoder)
    return BaseModel(
        family,
        path.stem,
        file_digest(file) if file else folder_digest(path),
        tuple(texts),
        pipeline.unet,
        _codec(pipeline.vae),
        pipeline.scheduler.alphas_cumprod.clamp(min=LEAST_ALPHA),
        _prediction(path, pipeline.scheduler.config.get("prediction_type", "epsilon")),
        pipeline.unet.config["sample_size"] * DOWNSCALE,
        file,
    )


def _prediction(path: Path, kind: str) -> Prediction:
    if kind == "epsilon" or kind == "v_prediction":
        return kind
    raise InputError(f"{path} predicts {kind!r}; subjects are trained on epsilon and v_prediction.")


def _pool_at_the_end(encoder: Any) -> None:
    """Find the end of a prompt by the end token. With the configurations of old files transformers
    takes the highest token id instead, which with Textual Inversion is the subject's."""
    getattr(encoder, "text_model", encoder).eos_token_id = END


def _codec(vae: Any) -> Codec:
    if not hasattr(vae, "quant_conv"):  # TAESD: its latents need no scaling
        return Codec(vae.encoder, lambda latents: vae.decoder(latents).clamp(-1, 1), vae)
    scale, shift = vae.config.scaling_factor, getattr(vae.config, "shift_factor", None) or 0.0

    def encode(pixels: Tensor) -> Tensor:
        return (vae.encode(pixels).latent_dist.mode() - shift) * scale

    def decode(latents: Tensor) -> Tensor:
        return vae.decode(latents / scale + shift, return_dict=False)[0].clamp(-1, 1)

    return Codec(encode, decode, vae)


def file_digest(path: Path) -> str:
    """sha256 of a file's bytes."""
    digest = sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 22):
            digest.update(block)
    return digest.hexdigest()


def folder_digest(path: Path) -> str:
    """sha256 of the weights of a diffusers folder, in the order of their paths."""
    digest = sha256()
    for file in sorted(path.rglob("*.safetensors")):
        digest.update(file.relative_to(path).as_posix().encode() + file_digest(file).encode())
    return digest.hexdigest()
