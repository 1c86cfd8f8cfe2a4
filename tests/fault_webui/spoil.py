"""Replies with something wrong in them, though their status is 200."""

import base64
import json
from collections.abc import Callable
from typing import Any

from PIL import Image

from .faults import Fault
from .pictures import decoded, encoded, grid, picture

Reply = dict[str, Any]
Change = Callable[[Reply], Reply]


def spoiled(reply: Reply, faults: tuple[Fault, ...]) -> Reply:
    """`reply` as these faults leave it."""
    for fault in faults:
        reply = SPOIL[fault.what](reply)
    return reply


def _images(change: Callable[[list[Any]], list[Any]]) -> Change:
    return lambda reply: {**reply, "images": change(list(reply["images"]))}


def _last(change: Callable[[str], Any]) -> Change:
    """The last image is another."""
    return _images(lambda images: [*images[:-1], change(images[-1])])


def _file(change: Callable[[bytes], bytes]) -> Change:
    """The last image's file is another."""
    return _last(lambda text: base64.b64encode(change(base64.b64decode(text))).decode())


def _picture(change: Callable[[Image.Image], Image.Image], kind: str = "png") -> Change:
    """The last image is another picture, with its infotext where there is room for it."""

    def again(text: str) -> str:
        image = decoded(text)
        return encoded(change(image), image.info.get("parameters"), kind)

    return _last(again)


def _info(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Change:
    """`info` and the infotexts in it are another's; the files stay as they are."""
    return lambda reply: {**reply, "info": json.dumps(change(json.loads(reply["info"])))}


def _with_grid(reply: Reply) -> Reply:
    info = json.loads(reply["info"])
    texts = [info["infotexts"][0], *info["infotexts"]]
    sheet = grid([decoded(text) for text in reply["images"]])
    return {
        **reply,
        "images": [encoded(sheet, texts[0]), *reply["images"]],
        "info": json.dumps({**info, "infotexts": texts, "index_of_first_image": 1}),
    }


def _damaged(data: bytes) -> bytes:
    """A byte of the pixels is another, and the checksum with it does not fit."""
    place = data.rindex(b"IDAT") + 8
    return data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :]


def _model(info: dict[str, Any]) -> dict[str, Any]:
    texts = [text.replace(info["sd_model_name"], "another") for text in info["infotexts"]]
    texts = [text.replace(info["sd_model_hash"], "feedbeef00") for text in texts]
    told = {"sd_model_name": "another", "sd_model_hash": "feedbeef00"}
    return {**info, **told, "infotexts": texts}


def _seeds(info: dict[str, Any]) -> dict[str, Any]:
    other = [seed + 1000 for seed in info["all_seeds"]]
    return {**info, "seed": other[0], "all_seeds": other}


def _prompts(info: dict[str, Any]) -> dict[str, Any]:
    other = [f"{text}, masterpiece" for text in info["all_prompts"]]
    return {**info, "prompt": other[0], "all_prompts": other}


SPOIL: dict[str, Change] = {
    "truncated base64": _last(lambda text: text[: len(text) // 2 - 1]),
    "no base64": _last(lambda _: "<no image>"),
    "truncated png": _file(lambda data: data[: len(data) // 2]),
    "damaged png": _file(_damaged),
    "jpeg": _picture(lambda image: image, "jpeg"),
    "webp": _picture(lambda image: image, "webp"),
    "gray": _picture(lambda image: image.convert("L")),
    "blank": _picture(lambda image: Image.new("RGB", image.size)),
    "grid": _with_grid,
    "short": _images(lambda images: images[:-1]),
    "long": _images(lambda images: [*images, encoded(picture("more", (64, 64)), None)]),
    "empty": _images(lambda _: []),
    "twice": _images(lambda images: [images[0]] * len(images)),
    "null": _images(lambda images: [*images[:-1], None]),
    "wrong size": _picture(lambda image: image.resize((image.width + 8, image.height))),
    "wrong model": _info(_model),
    "wrong vae": _info(lambda info: {**info, "sd_vae_name": "another.vae.pt"}),
    "wrong seeds": _info(_seeds),
    "wrong sampler": _info(lambda info: {**info, "sampler_name": "LMS"}),
    "wrong prompt": _info(_prompts),
    "no info": lambda reply: {name: reply[name] for name in ("images", "parameters")},
    "broken info": lambda reply: {**reply, "info": reply["info"][:-1]},
    "info list": lambda reply: {**reply, "info": "[]"},
}
