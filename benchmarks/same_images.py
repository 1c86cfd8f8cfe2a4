"""How alike a job's image is on a WebUI and on the embedded ComfyUI:
`python benchmarks/same_images.py http://127.0.0.1:7860`.

The WebUI must have manyshot-tiny (`manyshot webui add-tiny-model`). The workflow class_prompts is
run on each of them alone, and the images with the same seeds are held against each other, in levels
of 255. Half a level of the mean comes of rounding, where the WebUI cuts off.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from manyshot.core.records import read_records
from manyshot.driver.embedded import EmbeddedServer, ServerSettings
from manyshot.driver.recipe import parse_recipe
from manyshot.driver.run import run
from manyshot.driver.screen import ConsoleScreen
from PIL import Image
from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

VAE_OPTIONS = {"sd_vae_decode_method": "TAESD", "sd_vae_encode_method": "TAESD"}
STEPS, IMAGES, PLAIN = 20, 2, "a photo of a {class_name}"
SAMPLINGS = [
    ("euler", "normal"),
    ("euler", "simple"),
    ("euler", "sgm_uniform"),
    ("euler", "ddim_uniform"),
    ("heun", "exponential"),
    ("dpm_2", "karras"),
    ("lms", "normal"),
    ("dpmpp_2m", "karras"),
    ("dpmpp_2m_sde", "karras"),
    ("uni_pc", "normal"),
    ("ddim", "ddim_uniform"),
    ("lcm", "sgm_uniform"),
    ("euler_ancestral", "normal"),
]
PROMPTS = [
    ("[photo], AND", "a [photo] AND a {class_name}"),
    ("(photo:1.3)", "a (photo:1.3) of a {class_name}"),
]
Images = dict[int | None, np.ndarray]


def main(webui: str) -> None:
    """Draw, compare, and print a table."""
    console = Console()
    cases: list[tuple[str, dict[str, Any]]] = [
        (f"{sampler}, {scheduler}", {"sampler": sampler, "scheduler": scheduler})
        for sampler, scheduler in SAMPLINGS
    ] + [(name, {"template": template}) for name, template in PROMPTS]
    table = Table("what", "mean difference", "largest")
    with EmbeddedServer(ServerSettings(device="cpu")) as comfyui:
        for name, case in track(cases, console=console):
            one, other = drawn(comfyui.url, **case), drawn(f"webui+{webui}", **case)
            differences = [np.abs(one[seed] - other[seed]) for seed in one]
            table.add_row(escape(name), f"{np.mean(differences):.2f}", f"{np.max(differences):.0f}")
    console.print(table)


def drawn(
    server: str, sampler: str = "euler", scheduler: str = "normal", template: str = PLAIN
) -> Images:
    """Seed -> image (height, width, 3), of a recipe on one server."""
    sampling = {"sampler_name": sampler, "scheduler": scheduler, "steps": STEPS}
    with tempfile.TemporaryDirectory() as place:
        recipe = {
            "workflow": "class_prompts",
            "output": f"{place}/out",
            "classes": {"Beagle": "Beagle dog"},
            "images_per_class": IMAGES,
            "prompts": {"templates": [template]},
            "bind": {f"Sampler.{name}": value for name, value in sampling.items()},
            "servers": [server],
            "webui": {"options": VAE_OPTIONS},
        }
        summary = run(parse_recipe(recipe, "recipe"), ConsoleScreen(Console(quiet=True)))
        if summary.failures:
            raise SystemExit(f"{server}: {summary.failures[0][1]}")
        out = Path(place) / "out"
        return {one.seed: _levels(out / one.file_name) for one in read_records(out)}


def _levels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"), dtype=float)


if __name__ == "__main__":
    main(*sys.argv[1:])
