"""A workflow of ComfyUI as settings of a WebUI, or why it is none."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manyshot.core.errors import InputError
from manyshot.driver.targets.webui.from_graph import read_settings
from manyshot.driver.targets.webui.samplers import OWN_LEVELS, SAMPLERS, SCHEDULERS
from manyshot.driver.workflow.graph import Slot
from manyshot.driver.workflow.own_nodes import fold
from manyshot.driver.workflow.read_workflow import read_workflow
from manyshot.driver.workflow.save_nodes import delivering_node

from ..support.webui_graphs import ALWAYS, TINY, UNIT, Made, change, photo, read, simple

WORKFLOWS = Path(__file__).parents[2] / "workflows" / "api"
SD15 = {
    **TINY,
    "checkpoint": "v1-5-pruned-emaonly.safetensors",
    "sampler": "DPM++ 2M",
    "scheduler": "Karras",
    "steps": 30,
    "cfg_scale": 7.5,
    "width": 512,
    "height": 512,
}
SUBJECT = {**TINY, "cfg_scale": 5, "subject_weight": 1}
MOVED = r'node 4 "Vary Mask" \(ManyshotVaryMask\) .* \'pairs.vary\' in the recipe'
SAID: dict[str, dict[str, Any] | str] = {
    "autoencoder": r"node 4 .* makes the latent image that is decoded",
    "class_prompts": TINY,
    "class_prompts_sd15": SD15,
    "control_canny": r"node 4 \"Edges\" \(Canny\) makes a picture.*'webui.controlnet'",
    "control_segmentation": r"node 9 .* acts on only one of the two prompts",
    "subject_dreambooth": {k: v for k, v in SUBJECT.items() if k != "checkpoint"},
    "subject_embedding": SUBJECT,
    "subject_lora": SUBJECT,
    "train_subject": SUBJECT,
    "webui_prompt": {**TINY, "language": "webui"},
}
GRAPHS = sorted(path.stem for path in WORKFLOWS.glob("*.json"))


@pytest.mark.parametrize("name", GRAPHS)
def test_the_workflows_that_manyshot_brings(name: str) -> None:
    folded = fold(read_workflow(WORKFLOWS / f"{name}.json", None), name, True, True)
    node = delivering_node(folded.graph, None, None)
    expected = SAID.get(name, MOVED)
    if isinstance(expected, dict):
        assert read_settings(folded.graph, node, folded.fields, {}, name) == expected
    else:
        with pytest.raises(InputError, match=f"^{name}: {expected}") as refused:
            read_settings(folded.graph, node, folded.fields, {}, name)
        assert str(refused.value).lower().endswith("remove the webui from the recipe's servers.")


REFERENCES = st.sampled_from(["$class_name", "@Some node.input"])
NAMES = st.sampled_from(["a", "b-2", "c.d"]) | REFERENCES
WEIGHTS = st.sampled_from([0.0, 0.35, 1.0, 1.5]) | REFERENCES
PICTURES = st.sampled_from(["$control", "@Load Image.image"])
HEEDING = [name for ours, name in SAMPLERS.items() if ours not in OWN_LEVELS]
UNITS = st.fixed_dictionaries(
    {
        "model": NAMES,
        "image": PICTURES,
        "weight": WEIGHTS,
        "guidance_start": WEIGHTS,
        "guidance_end": WEIGHTS,
    }
)
ANY = {
    "checkpoint": st.sampled_from(["tiny.safetensors", "$subject"]),
    "vae": st.sampled_from(["None", "vae.pt"]),
    "clip_skip": st.integers(1, 12),
    "loras": st.lists(st.fixed_dictionaries({"name": NAMES, "weight": WEIGHTS}), max_size=3),
    "sampler": st.sampled_from(HEEDING),
    "scheduler": st.sampled_from(list(SCHEDULERS.values())),
    "steps": st.integers(1, 150) | REFERENCES,
    "cfg_scale": st.floats(1, 30) | REFERENCES,
    "controlnet": st.lists(UNITS, max_size=2),
}
SIDES = st.integers(8, 128).map(lambda cells: 8 * cells)
PHOTO = {
    "init_image": st.sampled_from(["$image", "@Load Image.image"]),
    "denoising_strength": WEIGHTS,
}
MASKED = {
    "mask": st.just("$mask"),
    "mask_blur": st.just(0),
    "fill": st.just("original"),
}
HIRES = st.fixed_dictionaries(
    {
        "upscaler": st.just("Latent (bicubic)"),
        "scale": st.sampled_from([1.5, 2.0]),
        "steps": st.integers(1, 50),
        "denoising_strength": WEIGHTS,
    }
)
WIDE = SIDES.map(lambda side: 2 * side)
STARTS = [
    {"width": SIDES | REFERENCES, "height": SIDES | REFERENCES},
    {"width": WIDE, "height": WIDE, "hires": HIRES},
    PHOTO,
    {**PHOTO, **MASKED},
]


@given(st.sampled_from(STARTS).flatmap(lambda start: st.fixed_dictionaries({**ANY, **start})))
def test_a_graph_made_from_settings_says_them(settings: dict[str, Any]) -> None:
    made = Made(settings)
    read = read_settings(made.graph, "save", made.fields, made.addresses, "graph")
    options: dict[str, Any] = {"sgm_noise_multiplier": settings["scheduler"] != "DDIM"}
    options |= {"img2img_fix_steps": True} if "init_image" in settings else {}
    assert read == {**ALWAYS, "options": options, **settings}


def test_a_fixed_negative_is_sent_with_each_request() -> None:
    made = simple()
    del made.fields[Slot("negative", "text")]
    made.graph["negative"]["inputs"]["text"] = "blurry, text"
    assert read(made)["fields"] == {"negative_prompt": "blurry, text"}


def test_pasting_the_photo_around_the_mask_is_what_a_webui_does() -> None:
    made = photo(mask="$mask")
    plain = {"x": 0, "y": 0, "resize_source": False}
    links = {"destination": ["photo", 0], "source": ["decode", 0], "mask": ["mask", 0]}
    change(made, "save", images=made.add("paste", "ImageCompositeMasked", **links, **plain))
    assert read(made)["mask"] == "$mask"
    made.graph["paste"]["inputs"]["x"] = 8
    with pytest.raises(InputError, match="node paste .* puts images together"):
        read(made)


def test_the_older_controlnet_node_acts_on_both_sides() -> None:
    made = simple(controlnet=[UNIT])
    own = {"conditioning": ["positive", 0], "strength": 0.5}
    links = {"control_net": ["c0n", 0], "image": ["c0i", 0]}
    inputs = made.graph["sampler"]["inputs"]
    inputs["positive"] = made.add("old", "ControlNetApply", **own, **links)
    inputs["negative"] = ["negative", 0]
    assert read(made)["controlnet"] == [{**UNIT, "weight": 0.5}]


def test_a_value_of_a_primitive_is_its_value() -> None:
    made = simple()
    made.graph["sampler"]["inputs"]["steps"] = made.add("steps", "PrimitiveInt", value=12)
    assert read(made)["steps"] == 12


def test_a_size_taken_from_a_picture_is_known_when_that_is() -> None:
    made = simple(controlnet=[UNIT])
    made.add("size", "GetImageSize", image=["c0i", 0])
    made.graph["latent"]["inputs"] |= {"width": ["size", 0], "height": ["size", 1]}
    assert not {"width", "height"} & set(read(made))


def test_inpainting_with_a_grey_hole() -> None:
    made = photo(mask="$mask")
    links = {"pixels": ["photo", 0], "mask": ["mask", 0], "vae": ["checkpoint", 2]}
    inputs = made.graph["sampler"]["inputs"]
    inputs["latent_image"] = made.add("hole", "VAEEncodeForInpaint", grow_mask_by=0, **links)
    assert read(made)["fill"] == "latent nothing"
    made.graph["hole"]["inputs"]["grow_mask_by"] = 6
    with pytest.raises(InputError, match="node hole .* has grow_mask_by 6"):
        read(made)
