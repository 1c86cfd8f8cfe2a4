"""Stock nodes of a real ComfyUI give masks to ours, and take what ours draw."""

import json
from pathlib import Path

import numpy as np
import pytest
from manyshot.core.masks.control import draw_control
from manyshot.core.masks.label_mask import LabelMask
from manyshot.core.masks.objects import object_facts
from manyshot.core.masks.scene import Scene, augment_scene
from manyshot.driver.embedded import EmbeddedServer
from PIL import Image

from ..support.mask_graphs import (
    CLASSES,
    VARIATION,
    control,
    done,
    label_mask,
    loader,
    node,
    pictures,
    prompts,
    shown,
    texts,
    vary,
)
from ..support.server_client import Client

pytestmark = pytest.mark.server


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
    assert np.array_equal(pictures(client, run, "labelled-0")[0], draw_control(label_mask("cat/b")))
    assert texts(run, "prompts-2") == ["cat"]
    cats = LabelMask((labels == 1).astype(np.uint8), ("background", "object"))
    animal = {"background": (0, 0, 0), "object": (255, 0, 122)}
    assert np.array_equal(pictures(client, run, "object-0")[0], draw_control(cats, animal))
    wanted, _ = augment_scene(Scene(cats), VARIATION, 11)
    assert np.array_equal(pictures(client, run, "varied-0")[0][..., 0], wanted.mask.labels * 255)
    assert json.loads(texts(run, "varied-3")[0]) == object_facts(wanted.mask)


def test_a_control_image_steers_stock_nodes(
    client: Client, pairs: Path, comfyui: EmbeddedServer
) -> None:
    from manyshot.core.tiny_files import TINY_CONTROLNETS, TINY_MODEL

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
