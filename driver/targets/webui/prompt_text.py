"""Prompts on their way to a WebUI."""

import re
from collections.abc import Sequence

from ....core.webui_prompt import Language
from ....core.webui_prompt.from_comfy import from_comfy
from ....core.webui_prompt.networks import loras, take_networks
from ....core.webui_prompt.read import parse
from ....core.webui_prompt.write import write

_NEGATION = re.compile(r"\bAND\s+NOT\b")
_EMBEDDING = re.compile(r"\bembedding:([^\s,()\[\]:|]+)")


def webui_text(text: str, language: Language = "webui") -> str:
    """A prompt as the WebUI has it: in its own language, embeddings called by their bare names.

    Raises InputError for what it cannot be told.
    """
    if language == "comfyui":
        text = from_comfy(text)
    elif _NEGATION.search(text):  # which the WebUI knows as a weight alone
        text = write(parse(text))
    return _EMBEDDING.sub(r"\1", text)


def with_loras(text: str, called: Sequence[tuple[str, float]]) -> str:
    """`text`, and behind it what calls each LoRA (name, weight)."""
    return " ".join([text, *(f"<lora:{name}:{weight:g}>" for name, weight in called)])


def find_loras(text: str) -> tuple[str, ...]:
    """The LoRAs that a prompt calls. Raises InputError for a strength that is no number."""
    return tuple(network.name for network in loras(take_networks(text)[1]))


def find_embeddings(*texts: str) -> tuple[str, ...]:
    """The embeddings that prompts call as `embedding:name`, each once."""
    return tuple(dict.fromkeys(name for text in texts for name in _EMBEDDING.findall(text)))
