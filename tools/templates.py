"""Keeps the templates in `workflows/` tidy: `python tools/templates.py [--check]`.

Each is a graph of the canvas whose file name is the title that ComfyUI's template browser shows,
whose `extra.manyshot.workflow` names its twin in `workflows/api/`, and which has a thumbnail beside
it. This places the nodes anew and says where public model files come from; a second time it changes
nothing. `--check` says which files it would change, and changes none.
"""

import json
import sys
from pathlib import Path
from typing import Any

from canvas_layout import Graph, lay_out

WORKFLOWS = Path(__file__).resolve().parents[1] / "workflows"
HUGGING_FACE = "https://huggingface.co"
MODELS = {  # file -> (folder of models/, where it is)
    "v1-5-pruned-emaonly.safetensors": (
        "checkpoints",
        "stable-diffusion-v1-5/stable-diffusion-v1-5",
    ),
    "sd_xl_base_1.0.safetensors": ("checkpoints", "stabilityai/stable-diffusion-xl-base-1.0"),
    "control_v11p_sd15_seg_fp16.safetensors": (
        "controlnet",
        "comfyanonymous/ControlNet-v1-1_fp16_safetensors",
    ),
    "control_v11p_sd15_canny_fp16.safetensors": (
        "controlnet",
        "comfyanonymous/ControlNet-v1-1_fp16_safetensors",
    ),
    "sdxl_segmentation_ade20k_controlnet.safetensors": (
        "controlnet",
        "abovzv/sdxl_segmentation_controlnet_ade20k",
    ),
    "diffusers_xl_canny_full.safetensors": ("controlnet", "lllyasviel/sd_control_collection"),
}


def main(arguments: list[str]) -> int:
    stale = [path for path in templates() if path.read_text(encoding="utf-8") != tidied(path)]
    for path in stale:
        sys.stdout.write(f"{path.name}\n")
        if "--check" not in arguments:
            path.write_text(tidied(path), encoding="utf-8")
    return int(bool(stale) and "--check" in arguments)


def templates() -> list[Path]:
    """The files that ComfyUI lists, in the order of their numbers."""
    return sorted(WORKFLOWS.glob("*.json"), key=lambda path: path.stem)


def read_template(path: Path) -> Graph:
    return json.loads(path.read_text(encoding="utf-8"))


def workflow_name(graph: Graph) -> str:
    """What recipes call it: the name of its twin in `workflows/api/`."""
    return graph["extra"]["manyshot"]["workflow"]


def template_of(workflow: str) -> Path:
    """The template whose twin has this name. Raises KeyError for a workflow without one."""
    return {workflow_name(read_template(path)): path for path in templates()}[workflow]


def tidied(path: Path) -> str:
    """The text that the file ought to have."""
    graph = lay_out(read_template(path))
    for node in graph["nodes"]:
        if models := _public_models(node):
            node["properties"]["models"] = models
    return json.dumps(graph, indent=2, ensure_ascii=False) + "\n"


def _public_models(node: dict[str, Any]) -> list[dict[str, str]]:
    """The files that a node loads, as ComfyUI's front end offers them for download."""
    values = node.get("widgets_values") or []
    return [
        {"name": name, "url": f"{HUGGING_FACE}/{owner}/resolve/main/{name}", "directory": folder}
        for name, (folder, owner) in MODELS.items()
        if name in values
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
