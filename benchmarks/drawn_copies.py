"""Which pictures of manyshot-tiny are told to be copies of photos.

`python benchmarks/drawn_copies.py ROOT FOLDER` draws with the embedded server from the names of the
37 breeds of Oxford-IIIT Pet (ROOT/oxford-iiit-pet), and by image to image from a photo of each at
several strengths. FOLDER keeps photos and pictures, so that a second call only searches. All are
searched for among 1,000 photos of the official training part, the sources among them. Printed for
each kind: how many pictures are told to be copies of their source, and how many of another photo.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from manyshot.core.pets import FOLDER, read_split
from manyshot.core.records import read_records
from manyshot.trainer.copies.copy_search import find_copies
from PIL import Image
from rich.console import Console
from rich.table import Table

STRENGTHS = 0.3, 0.45, 0.6, 0.9
SEARCHED = 1000
SIDE = 128


def node(kind: str, title: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "_meta": {"title": title}, "inputs": inputs}


def graph(latent: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """A workflow of ComfyUI's own nodes; `latent`: what node "latent" is, and what it needs."""
    return {
        "model": node("CheckpointLoaderSimple", "Model", ckpt_name="manyshot-tiny.safetensors"),
        "positive": node("CLIPTextEncode", "Positive", text="", clip=["model", 1]),
        "negative": node("CLIPTextEncode", "Negative", text="", clip=["model", 1]),
        **latent,
        "sampler": node(
            "KSampler",
            "Sampler",
            **{"seed": 0, "steps": 20, "cfg": 5, "sampler_name": "euler", "scheduler": "normal"},
            **{"denoise": 1.0, "model": ["model", 0], "latent_image": ["latent", 0]},
            **{"positive": ["positive", 0], "negative": ["negative", 0]},
        ),
        "decoded": node("VAEDecode", "Decode", samples=["sampler", 0], vae=["model", 2]),
        "saved": node("SaveImage", "Save", images=["decoded", 0], filename_prefix="drawn"),
    }


NAMES = graph({"latent": node("EmptyLatentImage", "Size", width=SIDE, height=SIDE, batch_size=1)})
PHOTOS = graph(
    {
        "photo": node("LoadImage", "Photo", image="photo.png"),
        "latent": node("VAEEncode", "Encode", pixels=["photo", 0], vae=["model", 2]),
    }
)


def main(
    root: Annotated[Path, typer.Argument(help="Holds oxford-iiit-pet/.")],
    folder: Path,
    searched: Annotated[int, typer.Option(help="Photos to search.")] = SEARCHED,
) -> None:
    """Draw, search, and print the table."""
    entries = read_split(root)
    first = {entry.class_name: entry.name for entry in reversed(entries)}
    sources = [lay_out(root, folder, *one) for one in first.items()]
    others = [one.name for one in entries if one.name not in first.values()]
    every = len(others) / max(1, searched - len(sources))
    kept = dict.fromkeys(others[int(place * every)] for place in range(searched - len(sources)))
    photos = [*sources, *(photo_path(root, name) for name in kept)]
    table = Table("pictures", "number", "copies of their source", "of another photo")
    drawn = {"from names": draw(folder, "names", NAMES, list(first))}
    for strength in STRENGTHS:
        drawn[f"image to image, strength {strength:g}"] = draw(
            folder, f"strength_{strength:g}", PHOTOS, list(first), strength
        )
    for name, pictures in drawn.items():
        table.add_row(name, *found(pictures, photos))
    Console(width=100).print(table)


def photo_path(root: Path, name: str) -> Path:
    return root / FOLDER / "images" / f"{name}.jpg"


def lay_out(root: Path, folder: Path, class_name: str, name: str) -> Path:
    """The photo's middle square at 128 pixels, as a picture to begin with."""
    path = folder / "photos" / class_name / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(photo_path(root, name)) as image:
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        box = (left, top, left + side, top + side)
        image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS, box).save(path)
    return path


def draw(
    folder: Path, name: str, workflow: Any, classes: list[str], strength: float | None = None
) -> list[tuple[str, Path]]:
    """The class and file of each picture, made by `manyshot run` if they are not there."""
    bind: dict[str, Any] = {"Positive.text": "$prompt", "Sampler.seed": "$seed"}
    if strength is not None:
        bind |= {"Photo.image": {"folder": str(folder / "photos")}, "Sampler.denoise": strength}
    recipe: dict[str, Any] = {"workflow": str(folder / f"{name}.graph.json"), "bind": bind}
    recipe |= {"output": str(folder / name), "classes": classes, "images_per_class": 1}
    recipe |= {"prompts": {"templates": ["a photo of a {class_name}"]}, "servers": ["embedded"]}
    (folder / f"{name}.graph.json").write_text(json.dumps(workflow))
    path = folder / f"{name}.yaml"
    path.write_text(json.dumps(recipe))  # which YAML reads too
    subprocess.run([Path(sys.executable).with_name("manyshot"), "run", path], check=True)
    records = read_records(folder / name)
    return [(record.class_name, folder / name / record.file_name) for record in records]


def found(pictures: list[tuple[str, Path]], photos: list[Path]) -> tuple[str, str, str]:
    """How many pictures, and how many are told to be copies: of their source, of another photo."""
    copies = find_copies([path for _, path in pictures], photos)
    own = {copy.image for copy in copies if is_source(copy.image, copy.reference, pictures, photos)}
    others = {copy.image for copy in copies} - own
    return str(len(pictures)), str(len(own)), str(len(others))


def is_source(
    image: int, reference: int, pictures: list[tuple[str, Path]], photos: list[Path]
) -> bool:
    return pictures[image][0] == photos[reference].parent.name


if __name__ == "__main__":
    typer.run(main)
