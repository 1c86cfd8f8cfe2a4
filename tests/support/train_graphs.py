"""A graph that trains a subject."""

from typing import Any

from manyshot.core.tiny_files import TINY_MODEL

TOKEN = "node-test-m1"


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


def flat(colour: int) -> dict[str, Any]:
    return node("EmptyImage", width=160, height=128, batch_size=1, color=colour)


def train_graph(**changes: Any) -> dict[str, Any]:
    """Three flat photos, or as many as `photos` says, into Train Subject."""
    first, *others = changes.pop("photos", (0xFF0000, 0x00FF00, 0x0000FF))
    nodes, photos = {"p": flat(first)}, ["p", 0]
    for colour in others:
        nodes[f"p{colour}"] = flat(colour)
        nodes[f"b{len(nodes)}"] = node("ImageBatch", image1=photos, image2=[f"p{colour}", 0])
        photos = [list(nodes)[-1], 0]
    given = {"token": TOKEN, "noun": "dog", "class_name": "Spot", "base": TINY_MODEL.name}
    given |= {"method": "lora", "steps": 3, "rate": 0.0, "rank": 2, "vectors": 2, "prior": 0}
    nodes["train"] = node("ManyshotTrainSubject", images=photos, seed=0, **{**given, **changes})
    return nodes
