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


def with_subject(found: FoundFile, strength: float, given: Models) -> Models:
    """The models as the subject needs them: a LoRA is put onto those given, DreamBooth has its
    own, and an embedding is read by the text encoder when a prompt calls it.

    Raises InputError when the given ones are missing, or of another family or width than the
    base that the subject was trained on.
    """
    if found.facts.method == "dreambooth":
        return _checkpoint(found)
    if found.facts.method == "lora":
        return _with_lora(found, strength, given)
    if given.clip is None:
        raise _missing(found, "'clip'")
    _check_embedding(found, given.clip)
    return given


def _checkpoint(found: FoundFile) -> Models:
    """As CheckpointLoaderSimple has it."""
    import folder_paths
    from comfy.sd import load_checkpoint_guess_config

    embeddings = folder_paths.get_folder_paths("embeddings")
    loaded = load_checkpoint_guess_config(
        str(found.path), output_vae=True, output_clip=True, embedding_directory=embeddings
    )
    return Models(*loaded[:3])


def _with_lora(found: FoundFile, strength: float, given: Models) -> Models:
    """As LoraLoader has it, with one strength for model and text encoder."""
    from comfy.sd import load_lora_for_models
    from comfy.utils import load_torch_file

    if given.model is None or given.clip is None:
        raise _missing(found, "'model' and 'clip'")
    if strength == 0:
        return given
    lora = load_torch_file(str(found.path), safe_load=True)
    _check_lora(found, lora, given)
    model, clip = load_lora_for_models(given.model, given.clip, lora, strength, strength)
    return Models(model, clip, given.vae)


def _check_lora(found: FoundFile, lora: Mapping[str, Any], given: Models) -> None:
    """ComfyUI itself only logs what does not fit, and draws without it."""
    from comfy.lora import model_lora_keys_clip, model_lora_keys_unet

    unet, text = given.model.model, given.clip.cond_stage_model
    keys = model_lora_keys_clip(text, model_lora_keys_unet(unet, {}))
    weights = {**unet.state_dict(), **text.state_dict()}
    ending = ".lora_up.weight"
    for name in [key.removesuffix(ending) for key in lora if key.endswith(ending)]:
        size = (lora[name + ending].shape[0], lora[f"{name}.lora_down.weight"].shape[1])
        if name not in keys or tuple(weights[keys[name]].shape[:2]) != size:
            raise _other_base(found)


def _check_embedding(found: FoundFile, clip: Any) -> None:
    from safetensors import safe_open

    with safe_open(found.path, "np") as file:
        shapes = {key: file.get_slice(key).get_shape() for key in file.keys()}  # noqa: SIM118
    wanted = {EMBEDDING_KEYS.get(key, key): shape[-1] for key, shape in shapes.items()}
    tokenizers = [one for one in vars(clip.tokenizer).values() if hasattr(one, "embedding_size")]
    has = {one.embedding_key: one.embedding_size for one in tokenizers}
    if has != wanted:
        raise _other_base(found)


def _missing(found: FoundFile, what: str) -> InputError:
    return InputError(
        f"{found.name} ({found.facts.method}) is put onto a model: connect {what} to those of "
        f"{found.facts.base}, or of a model of its kind."
    )


def _other_base(found: FoundFile) -> InputError:
    return InputError(
        f"{found.name} was trained on {found.facts.base}, and the connected model is of another "
        f"family or size. Connect {found.facts.base}, or a model of its kind."
    )
