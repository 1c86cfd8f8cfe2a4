"""Graphs of the nodes of masks, and the labelled photos that they are tried with."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from manyshot.core.masks.label_mask import IGNORE, LabelMask
from manyshot.core.masks.labelled_png import encode_png
from manyshot.core.masks.variation import Variation
from PIL import Image

from .server_client import Client, Run

CLASSES = ("background", "cat", "dog")
SIZES = {"cat/a": (24, 32), "cat/b": (40, 16), "dog/c": (24, 32)}  # height, width

RANGES = {"flip": 0.5, "rotate": 20.0, "scale_from": 0.8, "scale_to": 1.3, "shift": 0.2}
RANGES |= {"visible": 0.6}
CANVAS = {"width": 0, "height": 0, "seed": 11, "border": -1}
VARIATION = Variation(0.5, 20.0, (0.8, 1.3), 0.2, 8.0, 0.8, 0.6, True)


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


def label_mask(name: str, classes: tuple[str, ...] = CLASSES) -> LabelMask:
    """A cat or a dog with an open outline; in cat/b both."""
    labels = np.zeros(SIZES[name], np.uint8)
    labels[4:12, 4:12] = IGNORE
    labels[5:11, 5:11] = classes.index(name.split("/")[0])
    if name == "cat/b":
        labels[20:30, 2:9] = classes.index("dog")
    return LabelMask(labels, classes)


def photo(name: str) -> np.ndarray:
    return np.random.default_rng(list(name.encode())).integers(0, 256, (*SIZES[name], 3), np.uint8)


def loader(folder: Path, **changes: Any) -> dict[str, Any]:
    settings = {"layout": "auto", "first": 0, "count": 3, "times": 1}
    return node("ManyshotLoadLabelled", folder=folder.name, **settings | changes)


def texts(run: Run, name: str) -> list[str]:
    return run.outputs[name]["text"]


def pictures(client: Client, run: Run, name: str) -> list[np.ndarray]:
    files = run.outputs[name]["images"]
    return [np.asarray(Image.open(io.BytesIO(client.view(**file)))) for file in files]


def shown(*links: tuple[str, str, int]) -> dict[str, dict[str, Any]]:
    """Nodes that show outputs: (type, node, output) under the name "node-output"."""
    nodes: dict[str, dict[str, Any]] = {}
    for kind, source, place in links:
        name = f"{source}-{place}"
        if kind == "mask":
            nodes[f"{name} image"] = node("MaskToImage", mask=[source, place])
        link = [f"{name} image", 0] if kind == "mask" else [source, place]
        nodes[name] = (
            node("PreviewAny", source=link) if kind == "text" else node("PreviewImage", images=link)
        )
    return nodes


LOADED = shown(
    ("image", "load", 0),
    ("mask", "load", 1),
    ("text", "load", 2),
    ("text", "load", 3),
    ("text", "load", 4),
)


def done(client: Client, graph: dict[str, Any]) -> Run:
    run = client.run(graph)
    assert run.error is None, run.error
    return run


def prompts(**changes: Any) -> dict[str, Any]:
    settings = {
        "mask": ["load", 1],
        "mask_classes": ["load", 2],
        "class_name": ["load", 3],
        "templates": "{a|one} {class_name} of {classes}\n{classes} {context}",
        "contexts": "on grass\nindoors",
        "lists": "",
        "negative": "no {classes}",
        "words": "dog: a {big|small} dog",
        "seed": 3,
    }
    return node("ManyshotMaskPrompts", **settings | changes)


def control(**changes: Any) -> dict[str, Any]:
    settings = {"mask": ["load", 1], "mask_classes": ["load", 2], "palette": "own", "table": ""}
    return node("ManyshotMaskToControl", **settings | changes)


def load_mask(folder: Path, name: str, **changes: Any) -> dict[str, Any]:
    settings = {"form": "labels", "class_name": "", "table": "", "image_name": ""}
    return node("ManyshotLoadMask", file=f"{folder.name}/{name}", **settings | changes)


def vary(**changes: Any) -> dict[str, Any]:
    settings = {**CANVAS, **RANGES, "shear": 8.0, "crop": 0.8, "cover": True}
    links = {"mask": ["load", 1], "mask_classes": ["load", 2]}
    return node("ManyshotVaryMask", **settings | links | changes)


def write_pairs(folder: Path) -> None:
    """Three photos of two classes with masks that name their classes."""
    for name in SIZES:
        for kind in ("images", "masks"):
            (folder / kind / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(photo(name)).save(folder / "images" / f"{name}.png")
        (folder / "masks" / f"{name}.png").write_bytes(encode_png(label_mask(name)))


def refusal(client: Client, graph: dict[str, Any], name: str) -> str:
    """What the server says of node `name` before it queues anything."""
    reply = client.post(graph)
    assert reply.status_code == 400, reply.text
    return reply.json()["node_errors"][name]["errors"][0]["details"]
