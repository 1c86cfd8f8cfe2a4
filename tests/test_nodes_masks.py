"""The nodes of masks inside of a real ComfyUI, without a model."""

import io
import uuid
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np
import pytest
from manyshot.core.masks.codes import IGNORE
from manyshot.core.masks.control import drawn
from manyshot.core.masks.labelled_png import encoded
from manyshot.core.masks.objects import object_facts
from manyshot.core.masks.read import LabelMask
from manyshot.core.prompts import PromptSet
from manyshot.driver.embedded import EmbeddedServer
from PIL import Image

from .test_nodes_server import Client, Run

pytestmark = pytest.mark.server
CLASSES = ("background", "cat", "dog")
SIZES = {"cat/a": (24, 32), "cat/b": (40, 16), "dog/c": (24, 32)}  # height, width


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


@pytest.fixture
def client(comfyui: EmbeddedServer) -> Iterator[Client]:
    made = Client(comfyui.url)
    yield made
    made.socket.close()


@pytest.fixture
def inputs(comfyui: EmbeddedServer) -> Iterator[Path]:
    """A folder of its own inside the server's input folder."""
    folder = comfyui.folder / "input" / f"test-{uuid.uuid4().hex}"
    folder.mkdir(parents=True)
    yield folder
    rmtree(folder)


def label_mask(name: str, classes: tuple[str, ...] = CLASSES) -> LabelMask:
    """A cat or a dog with an open outline; in cat/b both."""
    labels = np.zeros(SIZES[name], np.uint8)
    labels[4:12, 4:12] = IGNORE
    labels[5:11, 5:11] = classes.index(name.split("/")[0])
    if name == "cat/b":
        labels[20:30, 2:9] = classes.index("dog")
    return LabelMask(labels, classes)


def photo(name: str) -> np.ndarray:
    return np.random.default_rng(len(name)).integers(0, 256, (*SIZES[name], 3), np.uint8)


@pytest.fixture
def pairs(inputs: Path) -> Path:
    """Three photos of two classes with masks that name their classes."""
    for name in SIZES:
        for kind in ("images", "masks"):
            (inputs / kind / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(photo(name)).save(inputs / "images" / f"{name}.png")
        (inputs / "masks" / f"{name}.png").write_bytes(encoded(label_mask(name)))
    return inputs


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


def test_load_labelled_gives_photos_masks_and_names(client: Client, pairs: Path) -> None:
    run = done(client, {"load": loader(pairs), **LOADED})
    assert texts(run, "load-4") == [f"{name}.png" for name in SIZES]
    assert texts(run, "load-3") == ["cat", "cat", "dog"]
    assert texts(run, "load-2") == ["background\ncat\ndog"] * 3
    for name, image, mask in zip(
        SIZES, pictures(client, run, "load-0"), pictures(client, run, "load-1"), strict=True
    ):
        assert np.array_equal(image, photo(name))
        assert np.array_equal(mask[..., 0], label_mask(name).labels)


@pytest.mark.parametrize(
    ("first", "count", "times", "names"),
    [
        (1, 1, 1, ["cat/b"]),
        (1, 2, 1, ["dog/c", "cat/a"]),  # after the last it begins anew
        (7, 1, 2, ["cat/b", "cat/b"]),
        (0, 99, 1, ["cat/a", "cat/b", "dog/c"]),
    ],
)
def test_runs_walk_through_the_folder(
    client: Client, pairs: Path, first: int, count: int, times: int, names: list[str]
) -> None:
    load = loader(pairs, first=first, count=count, times=times)
    run = done(client, {"load": load, **shown(("text", "load", 4))})
    assert texts(run, "load-4") == [f"{name}.png" for name in names]


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


def test_prompts_say_what_masks_show(client: Client, pairs: Path) -> None:
    graph = {"load": loader(pairs, times=2), "prompts": prompts()}
    run = done(client, graph | shown(*(("text", "prompts", place) for place in range(4))))
    words = {"dog": "a {big|small} dog"}
    made = PromptSet(
        {"cat": "", **words},
        ["{a|one} {class_name} of {classes}", "{classes} {context}"],
        ["on grass", "indoors"],
        "no {classes}",
    )
    both = ("cat", "dog")
    wanted = [
        *(made.at("cat", i, 3, said) for i, said in enumerate([("cat",)] * 2 + [both] * 2)),
        *(made.at("dog", i, 3, ("dog",)) for i in range(2)),
    ]
    assert texts(run, "prompts-0") == [row.prompt for row in wanted]
    assert texts(run, "prompts-1") == [row.negative for row in wanted]
    assert texts(run, "prompts-2") == ["cat"] * 4 + ["dog"] * 2
    assert texts(run, "prompts-3") == [str(row.seed) for row in wanted]


def test_control_and_saved_masks_are_exact(client: Client, pairs: Path) -> None:
    folder = f"manyshot/test-{uuid.uuid4().hex}"
    save = node(
        "ManyshotSaveLabelled",
        images=["load", 0],
        class_name=["load", 3],
        mask=["load", 1],
        mask_classes=["load", 2],
        folder=folder,
        name="",
        delivery="folder",
    )
    control = node(
        "ManyshotMaskToControl",
        mask=["load", 1],
        mask_classes=["load", 2],
        palette="own",
        table="dog: #123456",
    )
    graph = {"load": loader(pairs), "save": save, "control": control}
    run = done(client, graph | shown(("image", "control", 0)))
    wanted = [label_mask(name) for name in SIZES]
    for found, mask in zip(pictures(client, run, "control-0"), wanted, strict=True):
        colours = {"background": (0, 0, 0), "cat": (0xFF, 0x60, 0), "dog": (0x12, 0x34, 0x56)}
        assert np.array_equal(found, drawn(mask, colours))
    for record, mask in zip(client.records(folder), wanted, strict=True):
        inside, _, name = f"{folder}/{record['mask_file_name']}".rpartition("/")
        assert client.view(name, inside) == encoded(mask)
        assert record["objects"] == object_facts(mask)
