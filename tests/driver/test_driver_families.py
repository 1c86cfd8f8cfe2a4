"""ControlNets that cannot steer a workflow's model are found before anything is queued."""

from typing import Any

import pytest
from manyshot.core.errors import ServerError
from manyshot.core.model_family import ModelFacts
from manyshot.driver.http import Refused
from manyshot.driver.targets.comfyui.check_families import (
    Families,
    find_mismatches,
    server_families,
)
from manyshot.driver.workflow.catalogue import Catalogue
from manyshot.driver.workflow.graph import Graph, Node


def declared(outputs: list[str], **inputs: Any) -> dict[str, Any]:
    return {"input": {"required": inputs}, "output": outputs}


NAMES = ["COMBO", {"options": ["tiny", "sdxl", "seg15", "canny15", "segxl", "odd"]}]
CATALOGUE = Catalogue.from_json(
    {
        "CheckpointLoaderSimple": declared(["MODEL", "CLIP", "VAE"], ckpt_name=NAMES),
        "LoraLoader": declared(["MODEL"], model=["MODEL"], lora_name=["STRING"]),
        "CLIPTextEncode": declared(["CONDITIONING"], clip=["CLIP"], text=["STRING"]),
        "ControlNetLoader": declared(["CONTROL_NET"], control_net_name=NAMES),
        "ControlNetApplyAdvanced": declared(
            ["CONDITIONING", "CONDITIONING"],
            positive=["CONDITIONING"],
            negative=["CONDITIONING"],
            control_net=["CONTROL_NET"],
            image=["IMAGE"],
        ),
        "ManyshotControlNet": declared(
            ["CONDITIONING", "CONDITIONING"],
            control_net_name=NAMES,
            positive=["CONDITIONING"],
            image=["IMAGE"],
            model=["MODEL"],
        ),
        "KSampler": declared(["LATENT"], model=["MODEL"], positive=["CONDITIONING"]),
        "VAEDecode": declared(["IMAGE"], samples=["LATENT"]),
    }
)
KNOWN: Families = {
    "checkpoints": {
        "tiny": ModelFacts("model", "manyshot-tiny"),
        "sdxl": ModelFacts("model", "SDXL"),
        "odd": ModelFacts("model", None),
    },
    "controlnet": {
        "seg15": ModelFacts("ControlNet", "SD 1.x"),
        "canny15": ModelFacts("T2I adapter", "SD 1.x"),
        "segxl": ModelFacts("ControlNet", "SDXL"),
    },
}


def node(class_type: str, **inputs: Any) -> Node:
    return Node(class_type=class_type, inputs=inputs)


def stock(checkpoint: str, *controls: str) -> Graph:
    """A sampler behind ControlNets in a row, by ComfyUI's own nodes."""
    graph = {
        "c": node("CheckpointLoaderSimple", ckpt_name=checkpoint),
        "l": node("LoraLoader", model=["c", 0], lora_name="seg15"),
        "t": node("CLIPTextEncode", clip=["c", 1], text="segxl"),
    }
    last = "t"
    for number, name in enumerate(controls):
        graph[f"n{number}"] = node("ControlNetLoader", control_net_name=name)
        graph[f"a{number}"] = node(
            "ControlNetApplyAdvanced",
            positive=[last, 0],
            negative=[last, 0],
            control_net=[f"n{number}", 0],
        )
        last = f"a{number}"
    return graph | {"s": node("KSampler", model=["l", 0], positive=[last, 0])}


def own(checkpoint: str, control: str) -> Graph:
    graph = stock(checkpoint)
    graph["m"] = node(
        "ManyshotControlNet", control_net_name=control, positive=["t", 0], model=["l", 0]
    )
    graph["s"]["inputs"]["positive"] = ["m", 0]
    return graph


@pytest.mark.parametrize(
    ("graph", "wanted"),
    [
        (stock("sdxl", "segxl"), []),
        (stock("odd", "segxl"), []),
        (stock("sdxl", "odd"), []),
        (stock("missing", "segxl"), []),
        (
            stock("sdxl", "segxl", "seg15", "canny15"),
            [
                "node n2 (ControlNetLoader): canny15 is a T2I adapter for SD 1.x, but sdxl is "
                "SDXL. Choose one for SDXL: segxl.",
                "node n1 (ControlNetLoader): seg15 is a ControlNet for SD 1.x, but sdxl is SDXL. "
                "Choose one for SDXL: segxl.",
            ],
        ),
        (
            own("tiny", "segxl"),
            [
                "node m (ManyshotControlNet): segxl is a ControlNet for SDXL, but tiny is "
                "manyshot-tiny. There is none for manyshot-tiny: put one into models/controlnet."
            ],
        ),
    ],
)
def test_wrong_pairs(graph: Graph, wanted: list[str]) -> None:
    assert sorted(dict.fromkeys(find_mismatches(graph, CATALOGUE, KNOWN))) == sorted(wanted)


def test_each_sampler_has_its_own_pair() -> None:
    """The image of one sampler may be the control image of another, of another family."""
    graph = stock("sdxl", "segxl")
    graph["d"] = node("VAEDecode", samples=["s", 0])
    second = {f"2{key}": node(**value) for key, value in _renamed(stock("tiny", "odd")).items()}
    second["2a0"]["inputs"]["image"] = ["d", 0]
    assert not list(find_mismatches({**graph, **second}, CATALOGUE, KNOWN))


def _renamed(graph: Graph) -> dict[str, dict[str, Any]]:
    return {
        key: {
            "class_type": value["class_type"],
            **{
                name: [f"2{one[0]}", one[1]] if isinstance(one, list) else one
                for name, one in value["inputs"].items()
            },
        }
        for key, value in graph.items()
    }


class Said:
    """A server that answers so."""

    def __init__(self, reply: Any) -> None:
        self.reply = reply

    def families(self) -> Any:
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply


@pytest.mark.parametrize(
    "reply",
    [
        Refused("no such page", 404, {}),
        ServerError("away"),
        [],
        "<html>",
        {"controlnet": ["a"]},
        {"controlnet": {"a": {"family": "SDXL"}}},
    ],
)
def test_servers_that_do_not_know_the_question(reply: Any) -> None:
    comfy: Any = Said(reply)
    assert server_families(comfy) == {}
    assert not list(find_mismatches(stock("sdxl", "seg15"), CATALOGUE, {}))


def test_what_a_server_says() -> None:
    comfy: Any = Said({"controlnet": {"a": {"kind": "ControlNet", "family": None}}})
    assert server_families(comfy) == {"controlnet": {"a": ModelFacts("ControlNet", None)}}
