"""The nodes of masks inside of a real ComfyUI: what they load, say and save."""

import uuid
from pathlib import Path

import numpy as np
import pytest
from manyshot.core.masks.control import draw_control
from manyshot.core.masks.label_mask import LabelMask
from manyshot.core.masks.labelled_png import encode_png
from manyshot.core.masks.objects import object_facts
from manyshot.core.prompts import PromptSet

from ..support.mask_graphs import (
    LOADED,
    SIZES,
    done,
    label_mask,
    load_mask,
    loader,
    node,
    photo,
    pictures,
    prompts,
    shown,
    texts,
)
from ..support.server_client import Client

pytestmark = pytest.mark.server


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
        assert np.array_equal(found, draw_control(mask, colours))
    for record, mask in zip(client.records(folder), wanted, strict=True):
        inside, _, name = f"{folder}/{record['mask_file_name']}".rpartition("/")
        assert client.view(name, inside) == encode_png(mask)
        assert record["objects"] == object_facts(mask)


def test_every_index_comes_through_unchanged(client: Client, pairs: Path) -> None:
    """254 classes and what is ignored: out of a file, through a tensor, into a file."""
    names = tuple(f"class {index}" for index in range(254))
    labels = np.array([*range(254), 255, 255], np.uint8).reshape(16, 16)
    (pairs / "all.png").write_bytes(encode_png(LabelMask(labels, names)))
    folder = f"manyshot/{pairs.name}"
    graph = {
        "load": load_mask(pairs, "all.png"),
        "image": node("EmptyImage", width=16, height=16, batch_size=1, color=0),
        "save": node(
            "ManyshotSaveLabelled",
            images=["image", 0],
            class_name="x",
            mask=["load", 0],
            mask_classes=["load", 1],
            folder=folder,
            name="a",
            delivery="folder",
        ),
    }
    done(client, graph)
    assert client.view("a_0.png", f"{folder}/masks/x") == (pairs / "all.png").read_bytes()


def test_photos_without_masks_have_empty_ones(client: Client, pairs: Path) -> None:
    load = loader(pairs, layout="classes", count=9)
    load["inputs"]["folder"] += "/images"
    graph = {"load": load, **shown(("text", "load", 2), ("text", "load", 3))}
    run = done(client, graph)
    assert texts(run, "load-2") == ["background"] * 3
    assert texts(run, "load-3") == ["cat", "cat", "dog"]
    graph |= {"prompts": prompts(words=""), **shown(("text", "prompts", 0))}
    assert "Mask 1 shows only background" in str(client.run(graph).error)
