"""Jobs that share loaded models: the expensive part of a graph and its key."""

from collections.abc import Collection, Iterator
from hashlib import sha256

from .catalogue import Catalogue, split_types
from .graph import Graph, Slot, canonical, links
from .template import Template

MODEL_TYPES = frozenset(
    ("MODEL", "CLIP", "VAE", "CONTROL_NET", "CLIP_VISION", "STYLE_MODEL", "UPSCALE_MODEL")
    + ("LATENT_UPSCALE_MODEL", "GLIGEN", "PHOTOMAKER", "LORA_MODEL", "MODEL_PATCH", "AUDIO_ENCODER")
)
# What is made anew for each job: a model patched with an image is not another model to load.
DATA_TYPES = frozenset(
    ("IMAGE", "MASK", "LATENT", "CONDITIONING", "CLIP_VISION_OUTPUT", "AUDIO", "VIDEO")
    + ("NOISE", "SIGMAS", "GUIDER")
)


def expensive_part(graph: Graph, catalogue: Catalogue, slots: Collection[Slot] = ()) -> Graph:
    """The nodes that produce models, and what decides which: their upstream without job data.

    A linked input in `slots` will hold a literal, so its link is not followed.
    """
    visited: set[str] = set()
    waiting = [node_id for node_id in graph if _makes_model(graph, node_id, catalogue)]
    while waiting:
        node_id = waiting.pop()
        if node_id not in visited:
            visited.add(node_id)
            waiting += [i for i in _sources(graph, node_id, catalogue, slots) if i not in visited]
    return {node_id: graph[node_id] for node_id in graph if node_id in visited}


def expensive_prefix(graph: Graph, catalogue: Catalogue) -> str:
    """Hex sha256 of the expensive part: jobs of the same key share loaded models."""
    return sha256(canonical(expensive_part(graph, catalogue)).encode("ascii")).hexdigest()


def prefix_template(template: Template, catalogue: Catalogue) -> Template:
    """A template of the expensive part: its `slots` are those that decide the key, its
    `digest(values)` is the key. Without slots every job has one and the same key."""
    subgraph = expensive_part(template.base, catalogue, template.slots)
    return Template(subgraph, [slot for slot in template.slots if slot.node_id in subgraph])


def _makes_model(graph: Graph, node_id: str, catalogue: Catalogue) -> bool:
    spec = catalogue.get(graph[node_id]["class_type"])
    return spec is not None and any(split_types(kind) & MODEL_TYPES for kind in spec.outputs)


def _sources(
    graph: Graph, node_id: str, catalogue: Catalogue, slots: Collection[Slot]
) -> Iterator[str]:
    for name, source, output in links(graph[node_id]):
        if source not in graph or Slot(node_id, name) in slots:
            continue
        spec = catalogue.get(graph[source]["class_type"])
        kind = spec.outputs[output] if spec and 0 <= output < len(spec.outputs) else "*"
        if not split_types(kind) <= DATA_TYPES:
            yield source
