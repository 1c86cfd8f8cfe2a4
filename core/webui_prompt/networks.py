"""Networks: `<lora:name:0.8>` and its kind, which are no words but change the models."""

import re
from typing import NamedTuple

from ..errors import InputError
from .values import Network

LORA_KINDS = ("lora", "lyco")  # the WebUI reads lyco as another name of lora
_TAG = re.compile(r"<(\w+):([^>]+)>")


class Lora(NamedTuple):
    """A LoRA and the strengths for text encoder and UNet."""

    name: str
    text_encoder: float = 1.0
    unet: float = 1.0


def take_networks(text: str) -> tuple[str, tuple[Network, ...]]:
    """The text without its networks, of whatever kind, and the networks."""
    networks = tuple(Network(tag[1], tuple(tag[2].split(":"))) for tag in _TAG.finditer(text))
    return _TAG.sub("", text), networks


def put_networks(text: str, networks: tuple[Network, ...]) -> str:
    """The reverse of `take_networks`.

    They stand at the end; before a text with a <, which could swallow them there; and inside of
    what looks like a network itself, since one was taken out of its middle.
    """
    alike = len(_TAG.findall(text))
    before, inside = networks[: len(networks) - alike], iter(networks[len(networks) - alike :])
    text = _TAG.sub(lambda tag: f"<{write_network(next(inside))}{tag.group()[1:]}", text)
    tags = "".join(map(write_network, before))
    return tags + text if "<" in text else text + tags


def write_network(network: Network) -> str:
    return f"<{network.kind}:{':'.join(network.arguments)}>"


def loras(networks: tuple[Network, ...]) -> tuple[Lora, ...]:
    """The LoRAs among the networks, in order.

    `<lora:name>` `<lora:name:0.8>` `<lora:name:0.8:0.5>` (text encoder, then UNet), or by name:
    `<lora:name:te=0.8:unet=0.5>`. The UNet's strength is the text encoder's unless it is given.
    Raises InputError for a strength that is no number, with which the WebUI draws without the LoRA.
    """
    return tuple(_lora(network) for network in networks if network.kind in LORA_KINDS)


def _lora(network: Network) -> Lora:
    named = dict(_pair(argument) for argument in network.arguments if argument.count("=") == 1)
    name, *values = [a for a in network.arguments if a.count("=") != 1] or [""]
    encoder = _strength(network, named.get("te", values[0] if values else "1"))
    unet = named.get("unet", values[1] if len(values) > 1 else None)
    return Lora(name, encoder, encoder if unet is None else _strength(network, unet))


def _pair(argument: str) -> tuple[str, str]:
    name, _, value = argument.partition("=")
    return name, value


def _strength(network: Network, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not abs(value) <= 100:  # LoraLoader's own range
        raise InputError(
            f"{write_network(network)} has the strength {text!r}: write a number from -100 to 100, "
            f"as in <lora:{network.name}:0.8>."
        )
    return value
