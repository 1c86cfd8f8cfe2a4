"""Masks varied and composed inside of a real ComfyUI, with all that belongs to them."""

import json
from pathlib import Path

import numpy as np
import pytest
from manyshot.core.masks.compose import compose_scenes
from manyshot.core.masks.control import draw_control
from manyshot.core.masks.objects import object_facts
from manyshot.core.masks.scene import Scene, augment_scene
from manyshot.core.masks.variation import Variation

from ..support.mask_graphs import (
    CANVAS,
    RANGES,
    SIZES,
    VARIATION,
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
from ..support.server_client import Client

pytestmark = pytest.mark.server


def same(found: np.ndarray, wanted: np.ndarray | None) -> bool:
    return wanted is not None and np.array_equal(found, wanted)


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
        wanted, _ = augment_scene(scene, VARIATION, seed, (40, 48))
        assert np.array_equal(masks[place][..., 0], wanted.mask.labels)
        assert same(images[place], wanted.image)
        assert np.array_equal(controls[place], redrawn[place])
        assert np.array_equal(controls[place], draw_control(wanted.mask))
        assert json.loads(texts(run, "vary-3")[place]) == object_facts(wanted.mask)


def test_a_new_border_and_an_unwired_image(client: Client, pairs: Path) -> None:
    graph = {"load": loader(pairs, count=1), "vary": vary(border=2)}
    run = done(client, graph | shown(("mask", "vary", 0), ("text", "vary", 3)))
    wanted, _ = augment_scene(Scene(label_mask("cat/a")), VARIATION, 11, border=2)
    assert np.array_equal(pictures(client, run, "vary-0")[0][..., 0], wanted.mask.labels)
    run = client.run(graph | shown(("image", "vary", 1)))
    assert run.error == "Execution Blocked: Vary Mask's 'image' is not connected."


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
    scenes = [
        Scene(label_mask(name), photo(name), draw_control(label_mask(name))) for name in SIZES
    ]
    variation = Variation(0.5, 20.0, (0.8, 1.3), 0.2, 0.0, visible=0.6)
    for place in range(3):
        group = [scenes[(place + i) % 3] for i in range(objects)]
        wanted = compose_scenes(group, 11 + place, variation, (48, 64))
        assert np.array_equal(masks[place][..., 0], wanted.mask.labels)
        assert same(images[place], wanted.image)
        assert same(controls[place], wanted.control)
        assert json.loads(texts(run, "compose-4")[place]) == object_facts(wanted.mask)
        said = texts(run, "prompts-0")[place].replace("a big", "a").replace("a small", "a")
        assert said == " and ".join(
            {"dog": "a dog"}.get(c, c) for c in wanted.mask.visible_classes()
        )
    assert texts(run, "compose-1") == ["background\ncat\ndog"] * 3
