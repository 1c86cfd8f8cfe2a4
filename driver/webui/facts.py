"""Each fact of a WebUI's reply against what was asked: what it does silently, one by one."""

from collections.abc import Mapping
from typing import Any

from ...core.counted import describe_shortfall
from ...core.webui_facts import INTERRUPTED
from ..job import Failure
from ..reply import whole
from .names import same_file
from .request import Request

AUTOMATIC = "Automatic"
SPOILED = "Someone interrupted it in the WebUI, and it came back half drawn."
_LEFT_OUT = str.maketrans("", "", ":,")  # of LoRA's names, in the list of hashes


def first_image(info: Mapping[str, Any]) -> int:
    """The place of the first image that was asked for among those of a reply."""
    return max(whole(info.get("index_of_first_image")), 0)


def _unknown_field(request: Request, reply: Any, info: Mapping[str, Any]) -> Failure | None:
    """The reply repeats the request, without what the WebUI does not know."""
    echo = reply.get("parameters")
    unknown = [n for n in request.payload if isinstance(echo, dict) and echo and n not in echo]
    if not unknown:
        return None
    return Failure("invalid", f"The WebUI does not know the field {unknown[0]!r} and ignored it.")


def _checkpoint(request: Request, reply: Any, info: Mapping[str, Any]) -> Failure | None:
    drawn = info.get("sd_model_name")
    if drawn is None or same_file(str(drawn), request.checkpoint):
        return None
    return Failure(
        "invalid",
        f"The WebUI used the checkpoint {str(drawn)!r} instead of {request.checkpoint!r}. "
        "When it cannot load a checkpoint it keeps the loaded one; its console says why.",
    )


def _vae(request: Request, reply: Any, info: Mapping[str, Any]) -> Failure | None:
    """Forge says it among the modules of the image's text."""
    if request.vae in (AUTOMATIC, "None") or "sd_vae_name" not in info:
        return None
    drawn = info["sd_vae_name"] or _told(info, "Module 1")
    if drawn is not None and same_file(str(drawn), request.vae):
        return None
    return Failure("invalid", f"The WebUI used the VAE {drawn!r} instead of {request.vae!r}.")


def _sampler(request: Request, reply: Any, info: Mapping[str, Any]) -> Failure | None:
    """From 1.10 on an unknown sampler is another one. Older versions call it with its schedule."""
    asked, drawn = str(request.payload["sampler_name"]), info.get("sampler_name")
    if drawn is None or str(drawn).lower() == asked.lower():
        return None
    return Failure("invalid", f"The WebUI used the sampler {drawn!r} instead of {asked!r}.")


def _schedule(request: Request, reply: Any, info: Mapping[str, Any]) -> Failure | None:
    """An unknown schedule is the automatic one; where the reply tells, it tells in its texts."""
    asked, drawn = request.payload.get("scheduler"), _told(info, "Schedule type")
    if not asked or asked == AUTOMATIC or not drawn or drawn.lower() == str(asked).lower():
        return None
    return Failure("invalid", f"The WebUI used the schedule {drawn!r} instead of {asked!r}.")


def _prompt(request: Request, reply: Any, info: Mapping[str, Any]) -> Failure | None:
    """Extensions may write other prompts. (Comments are the WebUI's own to take out.)"""
    drawn = info.get("all_prompts")
    if "#" in request.prompt or not isinstance(drawn, list):
        return None
    other = next((p for p in drawn if str(p).split() != request.prompt.split()), None)
    if other is None:
        return None
    return Failure(
        "invalid",
        f"The WebUI used the prompt {str(other)[:120]!r} instead of the one sent. One of its "
        "extensions changes prompts; turn it off.",
    )


def _loras(request: Request, reply: Any, info: Mapping[str, Any]) -> Failure | None:
    name = _missing(request.loras, "Lora hashes", info)
    if name is None:
        return None
    return Failure("invalid", f"The WebUI drew without the LoRA {name!r}, which it does not have.")


def _embeddings(request: Request, reply: Any, info: Mapping[str, Any]) -> Failure | None:
    """To be tried again: the first answer may come from a cache that names none."""
    name = _missing(request.embeddings, "TI hashes", info)
    if name is None:
        return None
    return Failure("incomplete", f"The WebUI drew without the embedding {name!r}.")


def _missing(names: tuple[str, ...], told: str, info: Mapping[str, Any]) -> str | None:
    """The first that did not take part; None if all did. Those that did are listed with their
    hashes; a server that lists none was asked to."""
    listed = str(_params(info).get(told, ""))
    there = {part.rpartition(":")[0].strip().strip('"') for part in listed.split(",")}
    return next((name for name in names if name.translate(_LEFT_OUT) not in there), None)


def _interrupted(request: Request, reply: Any, info: Mapping[str, Any]) -> Failure | None:
    """Where manyshot's extension is installed, the image itself tells."""
    if INTERRUPTED not in _params(info):
        return None
    return Failure("incomplete", SPOILED)


def _count(request: Request, reply: Any, info: Mapping[str, Any]) -> Failure | None:
    """Extra pictures stand behind (ControlNet's) or before (a grid), never in between."""
    first = first_image(info)
    texts = info.get("infotexts")
    drawn = min(len(reply["images"]), len(texts) if isinstance(texts, list) else 10**6) - first
    if drawn == request.images:
        return None
    return Failure(
        "incomplete",
        f"{describe_shortfall(max(drawn, 0), request.images)} Someone may have interrupted "
        "the WebUI.",
    )


def _seeds(request: Request, reply: Any, info: Mapping[str, Any]) -> Failure | None:
    drawn = info.get("all_seeds")
    wanted = [request.seed + number for number in range(request.images)]
    if not isinstance(drawn, list) or drawn[: request.images] == wanted:
        return None
    return Failure("invalid", f"The WebUI used the seeds {drawn[:4]} instead of {wanted[:4]}.")


def _told(info: Mapping[str, Any], name: str) -> str | None:
    """What the first image's text says of `name`, the last time it does."""
    texts = info.get("infotexts")
    text = str(texts[0]) if isinstance(texts, list) and texts else ""
    _, told, after = text.rpartition(f"{name}: ")
    return after.partition(",")[0].strip() if told else None


def _params(info: Mapping[str, Any]) -> Mapping[str, Any]:
    found = info.get("extra_generation_params")
    return found if isinstance(found, dict) else {}


CHECKS = (
    _interrupted,
    _unknown_field,
    _checkpoint,
    _vae,
    _sampler,
    _schedule,
    _prompt,
    _loras,
    _embeddings,
    _seeds,
    _count,
)
