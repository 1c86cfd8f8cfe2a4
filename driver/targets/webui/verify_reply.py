"""Whether a WebUI did what it was asked.

It says nothing where it did something else, so its reply is checked against the request, fact by
fact.
"""

from base64 import b64decode
from collections.abc import Mapping
from typing import Any

import numpy as np

from ....core.counted import describe_shortfall
from ....core.errors import InputError
from ....core.images import SENT, open_image, open_image_file
from ....core.json_text import parse_json, whole
from ....core.webui_facts import INTERRUPTED
from ...job import Failure
from .input_images import check_maps
from .payload import Request
from .webui_client import same_file

Kind = tuple[str, tuple[int, int]]
"""Format, width and height of an image file."""


FLAT = Failure(
    "invalid",
    "The image is a single colour: the checkpoint or its VAE fails on that WebUI. Start it "
    "with --no-half-vae, or choose another VAE ('webui.vae'; for manyshot-tiny the "
    "'webui.options' that `manyshot webui add-tiny-model` names).",
)


def read_info(reply: Any) -> dict[str, Any] | None:
    """What the reply says of its images; None when it is no reply of a WebUI."""
    try:
        info = parse_json(reply["info"])
    except (TypeError, LookupError, ValueError):
        return None
    return info if isinstance(info, dict) else None


def verify_reply(request: Request, reply: Any) -> tuple[bytes, ...] | Failure:
    """The image files that were asked for, or the first thing that is wrong with them."""
    info = read_info(reply)
    if info is None or not isinstance(reply.get("images"), list):
        return Failure("incomplete", "The reply is not from a WebUI: it has no images or info.")
    wrong = next(filter(None, (check(request, reply, info) for check in CHECKS)), None)
    if wrong:
        return wrong
    first = first_image(info)
    last = first + request.images
    try:
        images, maps = _decode(reply["images"][first:last]), _decode(reply["images"][last:])
        kinds = [_kind(data) for data in images]
        flat = any(_is_flat(data) for data in images)
        unsteered = check_maps(request, maps) if request.units else None
    except (ValueError, InputError) as error:  # of base64, which says it in two ways
        return Failure("incomplete", f"An image arrived damaged: {error}")
    return unsteered or _check_format(request, kinds) or (FLAT if flat else images)


def _is_flat(data: bytes) -> bool:
    """Whether an image has one colour alone, as numbers that are none, or a wrong VAE, make it."""
    extrema = open_image(data, formats=SENT).getextrema()
    return all(least == most for least, most in np.reshape(extrema, (-1, 2)))


def _decode(images: list[Any]) -> tuple[bytes, ...]:
    return tuple(b64decode(str(image).rpartition(",")[2], validate=True) for image in images)


def _check_format(request: Request, kinds: list[Kind]) -> Failure | None:
    """Size and format of the images. The API writes WebP with losses, too."""
    expected = ("PNG", request.size)
    form, size = next((kind for kind in kinds if kind != expected), expected)
    if size != request.size:
        return Failure(
            "invalid",
            f"The image received has {size[0]}x{size[1]} pixels instead of "
            f"{request.size[0]}x{request.size[1]}.",
        )
    if form != "PNG":
        return Failure(
            "invalid",
            f"The image arrived as {form}, which is lossy: someone has changed the WebUI's "
            "setting 'File format for images'; set it to png.",
        )
    return None


def _kind(data: bytes) -> Kind:
    with open_image_file(data, formats=SENT) as file:
        return str(file.format), file.size


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
    used = info.get("sd_model_name")
    if used is None or same_file(str(used), request.checkpoint):
        return None
    return Failure(
        "invalid",
        f"The WebUI used the checkpoint {str(used)!r} instead of {request.checkpoint!r}. "
        "When it cannot load a checkpoint it keeps the loaded one; its console says why.",
    )


def _vae(request: Request, reply: Any, info: Mapping[str, Any]) -> Failure | None:
    """Forge says it among the modules of the image's text."""
    if request.vae in (AUTOMATIC, "None") or "sd_vae_name" not in info:
        return None
    used = info["sd_vae_name"] or _read_infotext(info, "Module 1")
    if used is not None and same_file(str(used), request.vae):
        return None
    return Failure("invalid", f"The WebUI used the VAE {used!r} instead of {request.vae!r}.")


def _sampler(request: Request, reply: Any, info: Mapping[str, Any]) -> Failure | None:
    """From 1.10 on an unknown sampler is another one. Older versions call it with its schedule."""
    requested, used = str(request.payload["sampler_name"]), info.get("sampler_name")
    if used is None or str(used).lower() == requested.lower():
        return None
    return Failure("invalid", f"The WebUI used the sampler {used!r} instead of {requested!r}.")


def _schedule(request: Request, reply: Any, info: Mapping[str, Any]) -> Failure | None:
    """An unknown schedule is the automatic one; where the reply tells, it tells in its texts."""
    requested, used = request.payload.get("scheduler"), _read_infotext(info, "Schedule type")
    if (
        not requested
        or requested == AUTOMATIC
        or not used
        or used.lower() == str(requested).lower()
    ):
        return None
    return Failure("invalid", f"The WebUI used the schedule {used!r} instead of {requested!r}.")


def _prompt(request: Request, reply: Any, info: Mapping[str, Any]) -> Failure | None:
    """Extensions may write other prompts. (Comments are the WebUI's own to take out.)"""
    used = info.get("all_prompts")
    if "#" in request.prompt or not isinstance(used, list):
        return None
    other = next((p for p in used if str(p).split() != request.prompt.split()), None)
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


def _missing(names: tuple[str, ...], key: str, info: Mapping[str, Any]) -> str | None:
    """The first that did not take part; None if all did. Those that did are listed with their
    hashes; a server that lists none was asked to."""
    listed = str(_params(info).get(key, ""))
    present = {entry.rpartition(":")[0].strip().strip('"') for entry in listed.split(",")}
    return next((name for name in names if name.translate(_LEFT_OUT) not in present), None)


def _interrupt(request: Request, reply: Any, info: Mapping[str, Any]) -> Failure | None:
    """Where manyshot's extension is installed, the image itself tells."""
    if INTERRUPTED not in _params(info):
        return None
    return Failure("incomplete", SPOILED)


def _count(request: Request, reply: Any, info: Mapping[str, Any]) -> Failure | None:
    """Extra pictures stand behind (ControlNet's) or before (a grid), never in between."""
    first = first_image(info)
    texts = info.get("infotexts")
    count = min(len(reply["images"]), len(texts) if isinstance(texts, list) else 10**6) - first
    if count == request.images:
        return None
    return Failure(
        "incomplete",
        f"{describe_shortfall(max(count, 0), request.images)} Someone may have interrupted "
        "the WebUI.",
    )


def _seeds(request: Request, reply: Any, info: Mapping[str, Any]) -> Failure | None:
    used = info.get("all_seeds")
    expected = [request.seed + number for number in range(request.images)]
    if not isinstance(used, list) or used[: request.images] == expected:
        return None
    return Failure("invalid", f"The WebUI used the seeds {used[:4]} instead of {expected[:4]}.")


def _read_infotext(info: Mapping[str, Any], name: str) -> str | None:
    """What the first image's text says of `name`, the last time it does."""
    texts = info.get("infotexts")
    text = str(texts[0]) if isinstance(texts, list) and texts else ""
    _, label, after = text.rpartition(f"{name}: ")
    return after.partition(",")[0].strip() if label else None


def _params(info: Mapping[str, Any]) -> Mapping[str, Any]:
    params = info.get("extra_generation_params")
    return params if isinstance(params, dict) else {}


CHECKS = (
    _interrupt,
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
