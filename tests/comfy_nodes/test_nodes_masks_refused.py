"""What the nodes of masks refuse, before a run where it can be known, with one sentence."""

from pathlib import Path
from typing import Any

import pytest

from ..support.mask_graphs import (
    control,
    loader,
    node,
    prompts,
    refusal,
    shown,
    vary,
)
from ..support.server_client import Client

pytestmark = pytest.mark.server


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"templates": "a {clases}"}, "Did you mean 'classes'?"),
        ({"templates": ""}, "No template is given"),
        ({"words": "dog"}, "The line 'dog' is not of the form"),
        ({"class_name": "../x"}, "The class name '../x' cannot be used"),
    ],
)
def test_prompts_refused_before_the_run(
    client: Client, pairs: Path, changes: dict[str, str], sentence: str
) -> None:
    graph = {"load": loader(pairs), "prompts": prompts(**changes), **shown(("text", "prompts", 0))}
    assert sentence in refusal(client, graph, "prompts")


NAMES = {"names": node("PrimitiveStringMultiline", value="background\ncat")}
ONE = {"solid": node("SolidMask", value=1 / 255, width=32, height=24)}
"""A mask of the first class all over."""


@pytest.mark.parametrize(
    ("tested", "sentence"),
    [
        (prompts(words="bird: a bird"), "words lists 'bird', which no mask has. There are:"),
        (prompts(mask_classes=["names", 0]), "has the index 2, but mask_classes lists 2 classes"),
        (prompts(class_name=["word", 0]), "The class name '../x' cannot be used"),
        (prompts(mask=["solid", 0], mask_classes=["names", 0]), "1 mask and 3 items in 'class_n"),
        (control(palette="ade20k", mask_classes=["odd", 0]), "has no class for 'zzyzx'"),
        (control(mask=["small", 0]), "values between two classes"),
        (vary(image=["solid image", 0]), "The mask has 16x40 pixels and its image 32x24"),
        (vary(mask_classes=["twice", 0]), "mask_classes names 'cat' twice"),
        (vary(width=32), "Set both width and height, or both to 0"),
        (
            vary(flip=0.0, mask=["batch", 0], image=["images", 0]),
            "batch has 3, but there are 2 masks",
        ),
    ],
)
def test_what_is_known_in_the_run_alone(
    client: Client, pairs: Path, tested: dict[str, Any], sentence: str
) -> None:
    graph = {
        "load": loader(pairs),
        **NAMES,
        **ONE,
        "word": node("PrimitiveString", value="../x"),
        "odd": node("PrimitiveStringMultiline", value="background\ncat\nzzyzx"),
        "twice": node("PrimitiveStringMultiline", value="background\ncat\ncat"),
        "solid image": node("MaskToImage", mask=["solid", 0]),
        "images": node("EmptyImage", width=32, height=24, batch_size=3, color=0),
        "picture": node("EmptyImage", width=32, height=24, batch_size=2, color=0),
        "batch": node("ImageToMask", image=["picture", 0], channel="red"),
        "loaded": node("MaskToImage", mask=["load", 1]),
        "scaled": node(
            "ImageScale",
            image=["loaded", 0],
            width=20,
            height=20,
            upscale_method="bilinear",
            crop="disabled",
        ),
        "small": node("ImageToMask", image=["scaled", 0], channel="red"),
        "tested": tested,
    }
    kind = {"ManyshotMaskToControl": "image", "ManyshotVaryMask": "mask"}
    run = client.run(graph | shown((kind.get(tested["class_type"], "text"), "tested", 0)))
    assert run.error is not None
    assert sentence in run.error
    assert len(run.error.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("tested", "sentence"),
    [
        (control(palette="ade20k", table="cat: catt"), "has no class for 'catt'. Did you mean"),
        (control(table="cat"), "The line 'cat' is not of the form"),
        (vary(scale_from=2.0), "scale_from is 2 and scale_to 1.3"),
        (vary(border=3, control=["load", 0]), "With a new border the control image"),
        (vary(border=3, mask_classes=""), "A border needs a label mask"),
        (vary(shift=3.0), ""),
    ],
)
def test_ranges_and_tables_refused_before_the_run(
    client: Client, pairs: Path, tested: dict[str, Any], sentence: str
) -> None:
    kind = "image" if tested["class_type"] == "ManyshotMaskToControl" else "mask"
    graph = {"load": loader(pairs), "tested": tested, **shown((kind, "tested", 0))}
    assert sentence in refusal(client, graph, "tested")


def test_composing_refuses_batches_and_other_numbers(client: Client, pairs: Path) -> None:
    compose = node(
        "ManyshotComposeMasks",
        mask=["load", 1],
        objects=2,
        width=0,
        height=0,
        seed=0,
        border=-1,
        flip=0.0,
        rotate=0.0,
        scale_from=1.0,
        scale_to=1.0,
        shift=0.0,
        visible=0.5,
    )
    graph = {
        "load": loader(pairs),
        "two": node("EmptyImage", width=32, height=24, batch_size=2, color=0),
        "batch": node("ImageToMask", image=["two", 0], channel="red"),
        "compose": compose,
        **shown(("text", "compose", 4)),
    }
    compose["inputs"]["mask"] = ["batch", 0]
    assert "one of them is a batch" in str(client.run(graph).error)
    compose["inputs"] |= {"image": ["load", 0]}
    assert "There is 1 mask and 3 items in 'image'" in str(client.run(graph).error)
    compose["inputs"] |= {"scale_from": 2.0}
    assert "scale_from is 2 and scale_to 1" in refusal(client, graph, "compose")
