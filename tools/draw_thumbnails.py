"""Draws the templates' thumbnails: `python tools/draw_thumbnails.py <ComfyUI's output folder>`.

Each shows what goes in, from the samples, and what the template made of it with manyshot-tiny: the
images in the output folder say in their headers which template they are of. Templates for models
that are not ours show what goes in, and the model's name.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from templates import WORKFLOWS, read_template, templates, workflow_name

SIZE = (512, 384)
TILE = 148  # pixels of an image that was made, and of one that goes in
GAP, LEFT, RIGHT = 10, 16, 190
PAPER, INK, ACCENT = "#26282d", "#f2f2f2", "#6fa8ff"
SAMPLES = WORKFLOWS / "samples"
PHOTO, MASK = "manyshot_samples/images/Abyssinian/1.jpg", "manyshot_control.png"
SUBJECT = tuple(f"manyshot_subject_{number}.jpg" for number in (1, 2))
MODELS = {"sd15": "SD 1.5", "sdxl": "SDXL"}
INPUTS: dict[str, tuple[str, ...] | str] = {  # workflow -> samples, or words
    "class_prompts": "Abyssinian\nBengal\nSiamese\nBeagle\nPug\n…",
    "mask_segmentation": (MASK,),
    "photo_canny": (PHOTO,),
    "keep_object": (PHOTO, MASK),
    "keep_background": (PHOTO, MASK),
    "img2img": (PHOTO,),
    "img2img_control": (PHOTO, MASK),
    "train_subject": SUBJECT,
    "subject_lora": SUBJECT[:1],
    "subject_embedding": SUBJECT[:1],
    "control_segmentation": (MASK,),
    "control_canny": ("manyshot_photo.jpg",),
    "webui_prompt": "(photo:1.2)\n[dog:cat:0.4]\nAND\nBREAK",
    "autoencoder": ("manyshot_photo.jpg",),
}


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    results = find_results(Path(arguments[0]))
    for path in templates():
        name = workflow_name(read_template(path))
        kind, _, model = name.rpartition("_")
        if model in MODELS:
            picture = draw(INPUTS[kind], [], MODELS[model])
        elif results[name]:
            picture = draw(INPUTS[name], results[name], "")
        else:
            sys.stdout.write(f"{path.stem}: has not run in {arguments[0]}\n")
            continue
        picture.save(path.with_suffix(".jpg"), quality=82, optimize=True)
    return 0


def find_results(folder: Path) -> Mapping[str, list[Path]]:
    """The files that Save Labelled wrote, by the template that they are of, one class after the
    other and then the next of each."""
    files: dict[str, dict[str, list[Path]]] = defaultdict(lambda: defaultdict(list))
    for path in sorted(folder.rglob("images/*/*.png"), key=lambda path: path.stat().st_mtime):
        with Image.open(path) as image:
            workflow: dict[str, Any] = json.loads(image.info.get("workflow", "{}"))
        name = workflow.get("extra", {}).get("manyshot", {}).get("workflow", "")
        files[name][path.parent.name].append(path)
    results = {name: in_turn(list(classes.values())) for name, classes in files.items()}
    return defaultdict(list, results)


def in_turn(rows: Sequence[Sequence[Path]]) -> list[Path]:
    longest = max(map(len, rows))
    return [row[place] for place in range(longest) for row in rows if place < len(row)]


def draw(material: tuple[str, ...] | str, results: Sequence[Path], model: str) -> Image.Image:
    picture = Image.new("RGB", SIZE, PAPER)
    pen = ImageDraw.Draw(picture)
    if isinstance(material, str):
        pen.multiline_text((LEFT, SIZE[1] // 2), material, INK, font(22), anchor="lm", spacing=9)
    else:
        paste(picture, [SAMPLES / name for name in material], LEFT, columns=1)
    pen.text((RIGHT - 13, SIZE[1] // 2), "›", ACCENT, font(52), anchor="mm")
    paste(picture, results[:4] if len(results) > 1 else results, RIGHT + 6, columns=2)
    if model:
        middle = ((RIGHT + SIZE[0]) // 2, SIZE[1] // 2)
        pen.text(middle, model, INK, font(58), anchor="mm")
    return picture


def paste(picture: Image.Image, files: Sequence[Path], left: int, columns: int) -> None:
    """The images in so many columns, in the middle of the height; a single one is larger."""
    side = TILE if len(files) != 1 or columns == 1 else 2 * TILE + GAP
    rows = -(-len(files) // columns)
    top = (SIZE[1] - rows * side - (rows - 1) * GAP) // 2
    for number, path in enumerate(files):
        row, column = divmod(number, columns)
        with Image.open(path) as image:
            tile = image.convert("RGB").resize((side, side), Image.Resampling.LANCZOS)
        picture.paste(tile, (left + column * (side + GAP), top + row * (side + GAP)))


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
