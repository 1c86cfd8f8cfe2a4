"""A trained subject put onto the models of a workflow, by ComfyUI's own loaders."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..core.errors import InputError
from .subject_files import FoundFile

EMBEDDING_KEYS = {"emb_params": "clip_l"}  # what ComfyUI calls the text encoder of SD 1


class Models(NamedTuple):
    """ComfyUI's MODEL, CLIP and VAE; None where nothing is connected."""

    model: Any = None
    clip: Any = None
    vae: Any = None


def with_subject(file: FoundFile, strength: float, models: Models) -> Models:
    """The models as the subject needs them: a LoRA is put onto those given, DreamBooth has its
    own, and an embedding is read by the text encoder when a prompt calls it.

    Raises InputError when the given ones are missing, or of another family or width than the
    base that the subject was trained on.
    """
    if file.facts.method == "dreambooth":
        return _checkpoint(file)
    if file.facts.method == "lora":
        return _with_lora(file, strength, models)
    if models.clip is None:
        raise _missing(file, "'clip'")
    _check_embedding(file, models.clip)
    return models


def _checkpoint(file: FoundFile) -> Models:
    """As CheckpointLoaderSimple has it."""
    import folder_paths
    from comfy.sd import load_checkpoint_guess_config

    embeddings = folder_paths.get_folder_paths("embeddings")
    loaded = load_checkpoint_guess_config(
        str(file.path), output_vae=True, output_clip=True, embedding_directory=embeddings
    )
    return Models(*loaded[:3])


def _with_lora(file: FoundFile, strength: float, models: Models) -> Models:
    """As LoraLoader has it, with one strength for model and text encoder."""
    from comfy.sd import load_lora_for_models
    from comfy.utils import load_torch_file

    if models.model is None or models.clip is None:
        raise _missing(file, "'model' and 'clip'")
    if strength == 0:
        return models
    lora = load_torch_file(str(file.path), safe_load=True)
    _check_lora(file, lora, models)
    model, clip = load_lora_for_models(models.model, models.clip, lora, strength, strength)
    return Models(model, clip, models.vae)


def _check_lora(file: FoundFile, lora: Mapping[str, Any], models: Models) -> None:
    """ComfyUI itself only logs what does not fit, and draws without it."""
    from comfy.lora import model_lora_keys_clip, model_lora_keys_unet

    unet, text = models.model.model, models.clip.cond_stage_model
    keys = model_lora_keys_clip(text, model_lora_keys_unet(unet, {}))
    weights = {**unet.state_dict(), **text.state_dict()}
    ending = ".lora_up.weight"
    for name in [key.removesuffix(ending) for key in lora if key.endswith(ending)]:
        size = (lora[name + ending].shape[0], lora[f"{name}.lora_down.weight"].shape[1])
        if name not in keys or tuple(weights[keys[name]].shape[:2]) != size:
            raise _other_base(file)


def _check_embedding(subject_file: FoundFile, clip: Any) -> None:
    from safetensors import safe_open

    with safe_open(subject_file.path, "np") as file:
        shapes = {key: file.get_slice(key).get_shape() for key in file.keys()}  # noqa: SIM118
    widths = {EMBEDDING_KEYS.get(key, key): shape[-1] for key, shape in shapes.items()}
    tokenizers = [
        tokenizer
        for tokenizer in vars(clip.tokenizer).values()
        if hasattr(tokenizer, "embedding_size")
    ]
    has = {tokenizer.embedding_key: tokenizer.embedding_size for tokenizer in tokenizers}
    if has != widths:
        raise _other_base(subject_file)


def _missing(file: FoundFile, what: str) -> InputError:
    return InputError(
        f"{file.name} ({file.facts.method}) modifies a model: connect {what} of "
        f"{file.facts.base}, or of a model of the same family."
    )


def _other_base(file: FoundFile) -> InputError:
    return InputError(
        f"{file.name} was trained on {file.facts.base}, but the connected model is of a "
        f"different family or size. Connect {file.facts.base}, or a model of the same family."
    )
