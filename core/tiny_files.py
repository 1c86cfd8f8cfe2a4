"""Where the weights of manyshot-tiny lie: folders named as those of ComfyUI's models/."""

from pathlib import Path

WEIGHTS = Path(__file__).resolve().parents[1] / "weights"
TINY_MODEL = WEIGHTS / "checkpoints" / "manyshot-tiny.safetensors"
TINY_CONTROLNETS = {  # what it is shown -> file
    kind: WEIGHTS / "controlnet" / f"manyshot-tiny-{kind}.safetensors"
    for kind in ("segmentation", "canny")
}
