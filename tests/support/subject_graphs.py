"""A graph with a LoRA, and how a recipe binds it."""

from typing import Any

GRAPH: dict[str, Any] = {
    "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sd15.safetensors"}},
    "2": {"class_type": "LoraLoader", "_meta": {"title": "LoRA"}, "inputs": {
        "model": ["1", 0], "clip": ["1", 1], "lora_name": "", "strength_model": 1.0,
        "strength_clip": 1.0}},
    "3": {"class_type": "CLIPTextEncode", "_meta": {"title": "Positive"},
          "inputs": {"clip": ["2", 1], "text": ""}},
    "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}},
    "5": {"class_type": "KSampler", "inputs": {
        "model": ["2", 0], "positive": ["3", 0], "negative": ["3", 0], "latent_image": ["4", 0],
        "seed": 0, "steps": 1, "cfg": 1.0, "sampler_name": "euler", "scheduler": "normal",
        "denoise": 1.0}},
    "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
    "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "x"}},
}  # fmt: skip
BIND = {"LoRA.lora_name": "$subject", "Positive.text": "$prompt", "KSampler.seed": "$seed"}
