"""What ComfyUI makes of checkpoints, LoRAs and embeddings: run in a process of its own, as
`python comfyui_keys.py COMFYUI JOB…`, because importing comfy reads the command line.

JOB is a file: {"shapes": {checkpoint key: shape}, "lora": path, "embeddings": folder, "word":
name}. A line of JSON for each is written to standard output; weights of checkpoints are never made.
"""

import json
import logging
import sys
from pathlib import Path
from typing import Any

comfyui, jobs = sys.argv[1], sys.argv[2:]
sys.argv[1:] = ["--cpu"]
sys.path.insert(0, comfyui)

from comfy import options  # noqa: E402  # pyright: ignore

options.enable_args_parsing()

import torch  # noqa: E402
from comfy import lora, model_detection, sd1_clip, utils  # noqa: E402  # pyright: ignore

UNET = "model.diffusion_model."
WIDTHS = {"clip_l": 768, "clip_g": 1280}


def answer(job: dict[str, Any]) -> dict[str, Any]:
    """What ComfyUI finds in one job's files."""
    tensors = {key: torch.empty(shape, device="meta") for key, shape in job["shapes"].items()}
    config = model_detection.model_config_from_unet(tensors, UNET)
    model = config.get_model(tensors, UNET, device="meta")
    clip_class = config.clip_target(tensors).clip
    clip = clip_class(device="meta", dtype=torch.float32, model_options={})
    unet = {key: value.shape for key, value in model.diffusion_model.state_dict().items()}
    own = {k.removeprefix(UNET): v.shape for k, v in tensors.items() if k.startswith(UNET)}
    rest = {key: value for key, value in tensors.items() if not key.startswith(UNET)}
    text = {key: value.shape for key, value in clip.state_dict().items()}
    given = utils.load_torch_file(job["lora"])
    known = lora.model_lora_keys_clip(clip, lora.model_lora_keys_unet(model, {}))
    patches = lora.load_lora(given, known)
    weights = {**model.state_dict(), **clip.state_dict()}
    return {
        "model": type(model).__name__,
        "unet": unet == own,
        "text": {
            key: text.get(key) == value.shape
            for key, value in config.process_clip_state_dict(rest).items()
        },
        "unknown": [key for key in given if key.split(".")[0] not in known],
        "patched": len(patches),
        "wrong_shape": [key for key in patches if not fits(patches[key], weights[key])],
        "embedding": [
            sd1_clip.load_embed(job["word"], job["embeddings"], WIDTHS[key], key).tolist()
            for key in WIDTHS
            if hasattr(clip, key)
        ],
    }


def fits(patch: Any, weight: torch.Tensor) -> bool:
    """Whether a patch has the shape of its weight."""
    up, down = patch.weights[:2]
    return (up.shape[0], *down.shape[1:]) == tuple(weight.shape)


said: list[str] = []
logging.getLogger().addFilter(lambda record: bool(said.append(record.getMessage())))
for job in jobs:
    said.clear()
    found = answer(json.loads(Path(job).read_text()))
    sys.stdout.write(json.dumps({**found, "said": said}) + "\n")
