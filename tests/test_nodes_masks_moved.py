"""Masks varied, composed and drawn inside of a real ComfyUI, beside stock nodes."""

import json
from pathlib import Path

import numpy as np
import pytest
from manyshot.core.masks.compose import composed
from manyshot.core.masks.control import drawn
from manyshot.core.masks.objects import object_facts
from manyshot.core.masks.read import LabelMask
from manyshot.core.masks.scene import Scene, varied
from manyshot.core.masks.variation import Variation
from manyshot.driver.embedded import EmbeddedServer
from PIL import Image

from .mask_graphs import (
    CANVAS,
    CLASSES,
    RANGES,
    SIZES,
    control,
    done,
    label_mask,
    loader,
    node,
    photo,
    pictures,
    prompts,
    shown,
    texts,
    vary,
)
from .test_nodes_server import Client

pytestmark = pytest.mark.server


def same(found: np.ndarray, wanted: np.ndarray | None) -> bool:
    return wanted is not None and np.array_equal(found, wanted)


VARIATION = Variation(0.5, 20.0, (0.8, 1.3), 0.2, 8.0, 0.8, 0.6, True)


def test_mask_image_control_and_objects_stay_in_step(client: Client, pairs: Path) -> None:
    """Seeds come from the prompts: each image its own."""
    graph = {
        "load": loader(pairs, times=2),
        "prompts": prompts(),
        "control": control(),
        "vary": vary(
            seed=["prompts", 3], image=["load", 0], control=["control", 0], width=48, height=40
        ),
        "redrawn": control(mask=["vary", 0]),
    }
    run = done(
        client,
        graph
        | shown(
            ("mask", "vary", 0),
            ("image", "vary", 1),
            ("image", "vary", 2),
            ("text", "vary", 3),
            ("image", "redrawn", 0),
            ("text", "prompts", 3),
        ),
    )
    masks, images, controls, redrawn = (
        pictures(client, run, name) for name in ("vary-0", "vary-1", "vary-2", "redrawn-0")
    )
    seeds = [int(seed) for seed in texts(run, "prompts-3")]
    assert len(set(seeds)) == len(seeds) == 6
    names = [name for name in SIZES for _ in range(2)]
    for place, (name, seed) in enumerate(zip(names, seeds, strict=True)):
        scene = Scene(label_mask(name), photo(name))
        wanted, _ = varied(scene, VARIATION, seed, (40, 48))
        assert np.array_equal(masks[place][..., 0], wanted.mask.labels)
        assert same(images[place], wanted.image)
        assert np.array_equal(controls[place], redrawn[place])
        assert np.array_equal(controls[place], drawn(wanted.mask))
        assert json.loads(texts(run, "vary-3")[place]) == object_facts(wanted.mask)


def test_a_new_border_and_an_unwired_image(client: Client, pairs: Path) -> None:
    graph = {"load": loader(pairs, count=1), "vary": vary(border=2)}
    run = done(client, graph | shown(("mask", "vary", 0), ("text", "vary", 3)))
    wanted, _ = varied(Scene(label_mask("cat/a")), VARIATION, 11, border=2)
    assert np.array_equal(pictures(client, run, "vary-0")[0][..., 0], wanted.mask.labels)
    run = client.run(graph | shown(("image", "vary", 1)))
    assert run.error == "Execution Blocked: Vary Mask's 'image' is not wired."


@pytest.mark.parametrize("objects", [1, 3])
def test_objects_are_composed_and_told(client: Client, pairs: Path, objects: int) -> None:
    compose = node(
        "ManyshotComposeMasks",
        mask=["load", 1],
        mask_classes=["load", 2],
        image=["load", 0],
        control=["control", 0],
        objects=objects,
        **CANVAS | RANGES | {"width": 64, "height": 48},
    )
    graph = {"load": loader(pairs), "control": control(), "compose": compose}
    graph["prompts"] = prompts(
        mask=["compose", 0], mask_classes=["compose", 1], templates="{classes}", contexts=""
    )
    run = done(
        client,
        graph
        | shown(
            ("mask", "compose", 0),
            ("text", "compose", 1),
            ("image", "compose", 2),
            ("image", "compose", 3),
            ("text", "compose", 4),
            ("text", "prompts", 0),
        ),
    )
    masks, images, controls = (pictures(client, run, f"compose-{place}") for place in (0, 2, 3))
    scenes = [Scene(label_mask(name), photo(name), drawn(label_mask(name))) for name in SIZES]
    variation = Variation(0.5, 20.0, (0.8, 1.3), 0.2, 0.0, visible=0.6)
    for place in range(3):
        group = [scenes[(place + i) % 3] for i in range(objects)]
        wanted = composed(group, 11 + place, variation, (48, 64))
        assert np.array_equal(masks[place][..., 0], wanted.mask.labels)
        assert same(images[place], wanted.image)
        assert same(controls[place], wanted.control)
        assert json.loads(texts(run, "compose-4")[place]) == object_facts(wanted.mask)
        said = texts(run, "prompts-0")[place].replace("a big", "a").replace("a small", "a")
        assert said == " and ".join({"dog": "a dog"}.get(c, c) for c in wanted.mask.shown())
    assert texts(run, "compose-1") == ["background\ncat\ndog"] * 3


def test_stock_nodes_give_and_take_masks(client: Client, pairs: Path) -> None:
    """An index file through LoadImageMask is a label mask; InvertMask's result is a plain one."""
    labels = label_mask("cat/b").labels
    Image.fromarray(labels).save(pairs / "index.png")
    Image.fromarray(np.where(labels == 1, 0, 255).astype(np.uint8)).save(pairs / "inverse.png")
    stock = {
        name: node("LoadImageMask", image=f"{pairs.name}/{name}.png", channel="red")
        for name in ("index", "inverse")
    }
    graph = {
        **stock,
        "names": node("PrimitiveStringMultiline", value="\n".join(CLASSES)),
        "labelled": control(mask=["index", 0], mask_classes=["names", 0]),
        "prompts": prompts(mask=["index", 0], mask_classes=["names", 0], class_name="", words=""),
        "plain": node("InvertMask", mask=["inverse", 0]),
        "object": node(
            "ManyshotMaskToControl", mask=["plain", 0], palette="ade20k", table="object: cat"
        ),
        "varied": vary(mask=["plain", 0], mask_classes=["none", 0]),
        "none": node("PrimitiveString", value=""),
    }
    run = done(
        client,
        graph
        | shown(
            ("image", "labelled", 0),
            ("text", "prompts", 2),
            ("image", "object", 0),
            ("mask", "varied", 0),
            ("text", "varied", 3),
        ),
    )
    assert np.array_equal(pictures(client, run, "labelled-0")[0], drawn(label_mask("cat/b")))
    assert texts(run, "prompts-2") == ["cat"]
    cats = LabelMask((labels == 1).astype(np.uint8), ("background", "object"))
    animal = {"background": (0, 0, 0), "object": (255, 0, 122)}
    assert np.array_equal(pictures(client, run, "object-0")[0], drawn(cats, animal))
    wanted, _ = varied(Scene(cats), VARIATION, 11)
    assert np.array_equal(pictures(client, run, "varied-0")[0][..., 0], wanted.mask.labels * 255)
    assert json.loads(texts(run, "varied-3")[0]) == object_facts(wanted.mask)


def test_a_control_image_steers_stock_nodes(
    client: Client, pairs: Path, comfyui: EmbeddedServer
) -> None:
    from manyshot.driver.embedded.base import TINY_CONTROLNETS, TINY_MODEL

    if not all(path.is_file() for path in (TINY_MODEL, TINY_CONTROLNETS["segmentation"])):
        pytest.skip("manyshot-tiny is not there")
    size = {"width": 64, "height": 64}
    graph = {
        "load": loader(pairs, count=1),
        "vary": vary(**size),
        "control": control(mask=["vary", 0]),
        "canny": node("Canny", image=["load", 0], low_threshold=0.1, high_threshold=0.3),
        "model": node("CheckpointLoaderSimple", ckpt_name=TINY_MODEL.name),
        "text": node("CLIPTextEncode", clip=["model", 1], text="a cat"),
        "net": node("ControlNetLoader", control_net_name=TINY_CONTROLNETS["segmentation"].name),
        "latent": node("EmptyLatentImage", batch_size=1, **size),
    }
    for name, strength in (("with", 1.0), ("without", 0.0)):
        graph[f"apply {name}"] = node(
            "ControlNetApplyAdvanced",
            positive=["text", 0],
            negative=["text", 0],
            control_net=["net", 0],
            image=["control", 0],
            strength=strength,
            start_percent=0.0,
            end_percent=1.0,
        )
        graph[f"sample {name}"] = node(
            "KSampler",
            model=["model", 0],
            positive=[f"apply {name}", 0],
            negative=[f"apply {name}", 1],
            latent_image=["latent", 0],
            seed=1,
            steps=2,
            cfg=2.0,
            sampler_name="euler",
            scheduler="normal",
            denoise=1.0,
        )
        graph[name] = node("VAEDecode", samples=[f"sample {name}", 0], vae=["model", 2])
    run = done(client, graph | shown(*(("image", n, 0) for n in ("with", "without", "canny"))))
    steered, free = (pictures(client, run, f"{n}-0")[0].astype(float) for n in ("with", "without"))
    assert steered.shape == (64, 64, 3)
    assert np.abs(steered - free).mean() > 1
