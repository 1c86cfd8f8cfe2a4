"""What of a workflow of ComfyUI a WebUI cannot do: by the node's name, with what to do."""

from collections.abc import Callable

import pytest
from manyshot.core.errors import InputError
from manyshot.driver.workflow.graph import Slot

from ..support.webui_graphs import (
    HIRES_FIX,
    LORA,
    UNIT,
    Made,
    between,
    change,
    photo,
    read,
    simple,
    unbound,
)

REFUSED: list[tuple[Callable[[], Made], str, str]] = [
    (lambda: between(simple(), "save", "images", "ImageScale"), "other", "makes the image"),
    (lambda: between(simple(), "decode", "samples", "LatentBlend"), "other", "that is decoded"),
    (lambda: between(simple(), "sampler", "model", "FreeU_V2"), "other", "loads or changes"),
    (lambda: between(simple(), "positive", "clip", "CLIPAdd"), "other", "loads or changes"),
    (lambda: between(simple(), "decode", "vae", "MyVAE"), "other", "loads or changes"),
    (
        lambda: between(simple(), "sampler", "positive", "ConditioningAverage"),
        "other",
        "makes the positive conditioning",
    ),
    (
        lambda: between(simple(), "sampler", "negative", "ConditioningZeroOut"),
        "other",
        "makes the negative conditioning",
    ),
    (lambda: unbound(simple(), "positive", "text", "a cat"), "positive", r"to \$prompt"),
    (lambda: simple_field("negative", "text", "class_name"), "negative", r"to \$negative"),
    (lambda: unbound(simple(), "sampler", "seed", 7), "sampler", r"to \$seed"),
    (lambda: change(simple(), "sampler", sampler_name="er_sde"), "sampler", "'dpmpp_2m_sde'"),
    (lambda: change(simple(), "sampler", scheduler="beta"), "sampler", "webui.scheduler"),
    (lambda: change(simple(), "sampler", sampler_name="ddim"), "sampler", "'ddim_uniform'"),
    (lambda: change(simple(), "sampler", denoise=0.5), "sampler", "denoise 0.5 over an empty"),
    (lambda: between(simple(), "sampler", "latent_image", "LatentFlip"), "other", "latent image"),
    (
        lambda: between(simple(), "sampler", "latent_image", "LatentUpscale", "samples"),
        "other",
        "enlarges a latent image",
    ),
    (lambda: between(photo(), "encode", "pixels", "ImageScale"), "other", "makes a picture"),
    (
        lambda: unbound(photo(), "photo", "image", "example.png"),
        "photo",
        "a picture from its own server",
    ),
    (lambda: between(photo(mask="$mask"), "masked", "mask", "GrowMask"), "other", "makes a mask"),
    (
        lambda: change(photo(mask="$mask"), "mask", channel="alpha"),
        "mask",
        "Take it from the channel red",
    ),
    (
        lambda: change(simple(loras=[LORA]), "l0", strength_clip=0.5),
        "l0",
        "strengths 1.0 for the model and 0.5",
    ),
    (
        lambda: change(simple(loras=[LORA]), "last", clip=["checkpoint", 1]),
        "l0",
        "strengths 1.0 for the model and 0 for",
    ),
    (lambda: change(simple(), "negative", clip=["checkpoint", 1]), "negative", "a different text"),
    (
        lambda: change(simple(controlnet=[UNIT]), "sampler", negative=["negative", 0]),
        "c0",
        "acts on only one of the two prompts",
    ),
    (
        lambda: between(simple(controlnet=[UNIT]), "c0", "control_net", "SetUnionControlNetType"),
        "other",
        "a ControlNet",
    ),
    (lambda: between(simple(controlnet=[UNIT]), "c0", "image", "Canny"), "other", "a picture"),
    (
        lambda: change(simple(hires=HIRES_FIX), "second", cfg=1),
        "second",
        "has a different 'cfg' than node sampler",
    ),
    (
        lambda: change(simple(hires=HIRES_FIX), "larger", upscale_method="bislerp"),
        "larger",
        "enlarges by 'bislerp'",
    ),
    (
        lambda: change(simple(hires=HIRES_FIX), "larger", scale_by=1.03),
        "larger",
        "divisible by 8",
    ),
]


def simple_field(node_id: str, name: str, field: str) -> Made:
    made = simple()
    made.fields[Slot(node_id, name)] = field
    return made


@pytest.mark.parametrize(("make", "node_id", "message"), REFUSED)
def test_what_a_webui_cannot_do(make: Callable[[], Made], node_id: str, message: str) -> None:
    with pytest.raises(InputError, match=rf"^graph.json: node {node_id} \(.*{message}"):
        read(make())


@pytest.mark.parametrize(
    ("make", "key"),
    [
        (lambda: change(simple(), "sampler", sampler_name="er_sde"), "sampler"),
        (lambda: change(simple(), "sampler", scheduler="beta"), "scheduler"),
        (lambda: between(simple(controlnet=[UNIT]), "c0", "image", "Canny"), "controlnet"),
        (lambda: change(simple(hires=HIRES_FIX), "larger", upscale_method="bislerp"), "hires"),
        (lambda: change(simple(loras=[LORA]), "l0", strength_clip=0.5), "loras"),
        (lambda: unbound(photo(), "photo", "image", "example.png"), "init_image"),
        (lambda: between(photo(mask="$mask"), "masked", "mask", "GrowMask"), "mask"),
    ],
)
def test_what_the_recipe_says_itself_is_not_read(make: Callable[[], Made], key: str) -> None:
    with pytest.raises(InputError, match=rf"'webui\.{key}'"):
        read(make())
    assert key not in read(make(), recipe_keys={key})


def test_another_samplers_names_cannot_be_swept() -> None:
    made = change(simple(), "sampler", sampler_name=None)
    made.addresses[Slot("sampler", "sampler_name")] = "KSampler.sampler_name"
    with pytest.raises(InputError, match=r"Sweep 'webui\.sampler' in a recipe for WebUIs alone"):
        read(made)


def test_a_graph_in_a_circle_is_refused() -> None:
    made = simple()
    own = {"lora_name": "a", "strength_model": 1.0, "strength_clip": 1.0}
    link = made.add("l", "LoraLoader", model=["l", 0], clip=["l", 1], **own)
    with pytest.raises(InputError, match="node l .* is linked to itself"):
        read(change(made, "sampler", model=link))
