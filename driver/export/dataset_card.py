"""What an export says of itself: how it was made, and that its images are synthetic."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import yaml

from .export_material import Material, file_name

SYNTHETIC = "All images are synthetic: a diffusion model drew them, wholly or in part."
SIZES = [(1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (10**6, "100K<n<1M")]
FIELDS = {
    "image": "the image",
    "mask": "the object, white on black; or an index for each pixel, 255 where nothing is said",
    "label": "the class",
    "prompt": "what was drawn",
    "negative": "what was to be avoided",
    "seed": "of the noise that the image began with",
    "subject": "the trained subject in the prompt",
    "workflow": "the ComfyUI workflow",
    "source_image": "the name of the picture that went in",
    "file_name": "the image's name in the dataset folder",
}


def describe_origin(material: Material) -> str:
    """Program, workflow and models in a sentence, as far as manyshot.json says."""
    versions = _table(material.manifest.get("versions"))
    recipe = _table(material.manifest.get("recipe"))
    workflow = recipe.get("workflow")
    with_workflow = f" with the workflow {file_name(str(workflow))}" if workflow else ""
    models = ", ".join(_models(material.manifest)) or "not recorded"
    version = f" {versions['manyshot']}" if "manyshot" in versions else ""
    return f"Made by manyshot{version}{with_workflow}. Models: {models}."


def dataset_card(
    material: Material, splits: Sequence[str], masked: bool, swept: Iterable[str] = ()
) -> str:
    """README.md of a Hugging Face dataset; its header is YAML. `swept`: its columns of a sweep."""
    fields = [name for name in FIELDS if masked or name != "mask"]
    header = yaml.safe_dump(_header(material, splits, masked), sort_keys=False)
    lines = [
        "# A dataset made by manyshot",
        f"{SYNTHETIC} Labels{' and masks' if masked else ''} are what the images were made from; "
        "nobody has checked each of them.",
        "## Classes",
        "\n".join(_class_table(material)),
        *_mask_classes(material),
        "## Fields",
        "\n".join(
            [
                "| field | what |",
                "|---|---|",
                *(f"| {f} | {FIELDS[f]} |" for f in fields),
                *(f"| {_plain(name)} | value of this input, which was varied |" for name in swept),
            ]
        ),
        "## How it was made",
        _plain(describe_origin(material)),
        "## Licence",
        "TODO: choose one, and say so above (`license`). The licences of the models, of the photos "
        "their subjects were learned from and of the source pictures hold as well.",
    ]
    return f"---\n{header}---\n\n" + "\n\n".join(lines) + "\n"


def _header(material: Material, splits: Sequence[str], masked: bool) -> dict[str, Any]:
    count = len(material.samples)
    tasks = ["image-classification", *(["image-segmentation"] if masked else [])]
    files = [{"split": name, "path": f"data/{name}-*.parquet"} for name in splits]
    return {
        "license": "unknown",
        "task_categories": tasks,
        "tags": ["synthetic", "manyshot"],
        "size_categories": [next((name for most, name in SIZES if count < most), "n>1M")],
        "configs": [{"config_name": "default", "data_files": files}],
    }


def _class_table(material: Material) -> Iterator[str]:
    counts = Counter((s.split, s.record.label) for s in material.samples)
    splits = list(material.splits)
    yield "| " + " | ".join(["label", "class", *splits]) + " |"
    yield "|---" * (len(splits) + 2) + "|"
    for label, name in enumerate(material.names):
        numbers = [str(counts[split, label]) for split in splits]
        yield "| " + " | ".join([str(label), _plain(name), *numbers]) + " |"


def _mask_classes(material: Material) -> list[str]:
    """What the indices of label masks mean, where there are some."""
    classes = material.masks.classes
    if not classes:
        return []
    row = ", ".join(f"{value} {_plain(name)}" for value, name in enumerate(classes))
    return [
        "## Masks",
        f"In all label masks a value is one class, 255 says nothing: {row}. They name them inside.",
    ]


def _models(manifest: dict[str, Any]) -> list[str]:
    servers = manifest.get("servers")
    models = [_table(server).get("models") for server in _rows(servers)]
    names = [_table(model).get("name") for rows in models for model in _rows(rows)]
    bases = [_table(subject).get("base") for subject in _rows(manifest.get("subjects"))]
    return list(dict.fromkeys(file_name(str(name)) for name in [*names, *bases] if name))


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _rows(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _plain(text: str) -> str:
    """Text that Markdown shows as it is."""
    return "".join("\\" + mark if mark in "\\`*_[]<>|#" else mark for mark in text)
