"""Plans of a small graph."""

import json
from pathlib import Path
from typing import Any

from manyshot.driver.plan import Plan
from manyshot.driver.prepare import prepare
from manyshot.driver.recipe import Recipe, parse_recipe

GRAPH: dict[str, Any] = {
    "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "a.safetensors"}},
    "2": {"class_type": "CLIPTextEncode", "_meta": {"title": "Positive"},
          "inputs": {"clip": ["1", 1], "text": "x"}},
    "3": {"class_type": "CLIPTextEncode", "_meta": {"title": "Negative"},
          "inputs": {"clip": ["1", 1], "text": "ugly"}},
    "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}},
    "5": {"class_type": "KSampler", "inputs": {
        "model": ["1", 0], "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0],
        "seed": 5, "steps": 2, "cfg": 1.0, "sampler_name": "euler", "scheduler": "normal",
        "denoise": 1.0}},
    "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
    "9": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "x"}},
}  # fmt: skip
PROMPT, SEED, NEGATIVE = (
    {"Positive.text": "$prompt"}, {"KSampler.seed": "$seed"}, {"Negative.text": "$negative"},
)  # fmt: skip


def recipe(folder: Path, bind: dict[str, str], graph: Any = GRAPH, **more: Any) -> Recipe:
    (folder / "graph.json").write_text(json.dumps(graph))
    data = {
        "workflow": str(folder / "graph.json"), "output": str(folder / "out"), "bind": bind,
        "classes": ["cat", "dog"], "images_per_class": 8,
        "prompts": {"templates": ["a {class_name}"], "negative": "blurry"},
    }  # fmt: skip
    return parse_recipe({**data, **more}, "test")


def plan(folder: Path, bind: dict[str, str], graph: Any = GRAPH, **more: Any) -> Plan:
    return prepare(recipe(folder, bind, graph, **more), None)
