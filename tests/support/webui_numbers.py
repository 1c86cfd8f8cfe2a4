"""WebUI Prompt's numbers beside ComfyUI's own, in ComfyUI's process.

Run in ComfyUI's folder with manyshot-tiny's path; prints one JSON object.
"""

# pyright: reportMissingImports=false
# ruff: noqa: E402 (ComfyUI is told to use the CPU before any of it is imported)

import json
import random
import sys
from typing import Any

sys.path.insert(0, "")
from comfy.cli_args import args

args.cpu = True
import comfy.sample
import comfy.samplers
import comfy.sd
import comfy.sd1_clip
import torch
from manyshot.comfy_nodes.tiny_model import register
from manyshot.comfy_nodes.webui_compose import composing
from manyshot.comfy_nodes.webui_encode import encode
from manyshot.comfy_nodes.webui_prompt import ManyshotWebUIPrompt
from manyshot.core.errors import InputError
from manyshot.core.webui_prompt.from_comfy import comfy_text
from manyshot.core.webui_prompt.values import Weighted
from nodes import CLIPTextEncode, ConditioningConcat

NEGATIVE = "a photo of a cat"
SCALE = 3.0


def load(path: str) -> tuple[Any, Any]:
    register()
    model, clip, _, _ = comfy.sd.load_checkpoint_guess_config(path, output_vae=False)
    return model, clip


def stock(clip: Any, *texts: str) -> torch.Tensor:
    """CLIP Text Encode, and ConditioningConcat of the others."""
    first, *others = [CLIPTextEncode().encode(clip, text)[0] for text in texts]
    for other in others:
        first = ConditioningConcat().concat(first, other)[0]
    return first[0][0]


def node(model: Any, clip: Any, text: str, steps: int = 4) -> tuple[Any, Any]:
    """The node's conditioning and model."""
    out = ManyshotWebUIPrompt.execute(clip, text, steps, "normal", 1.0, "comfyui", model)
    return out.result[0], out.result[1]


def predicted(model: Any, positive: Any, negative: Any, scale: float, sigma: float) -> torch.Tensor:
    """The noise that the sampler predicts at one sigma, by ComfyUI's whole way through it."""

    def once(predict: Any, x: Any, sigmas: Any, extra_args: Any, *_: Any, **__: Any) -> Any:
        return (x - predict(x, sigmas[:1].expand(len(x)), **extra_args)) / sigma

    noise = torch.randn(2, 4, 16, 16, generator=torch.Generator().manual_seed(3))
    return comfy.sample.sample_custom(
        model,
        noise,
        scale,
        comfy.samplers.KSAMPLER(once),
        torch.tensor([sigma, 0.0]),
        positive,
        negative,
        torch.zeros_like(noise),
        disable_pbar=True,
    )


def sum_error(model: Any, clip: Any, parts: dict[str, float], scale: float, sigma: float) -> float:
    """AND beside u + scale * sum of w_i (c_i - u) from noise predictions made one by one: the
    largest difference, relative to the largest value."""
    negative = CLIPTextEncode().encode(clip, NEGATIVE)[0]
    u = predicted(model, negative, negative, 1.0, sigma)
    direct = u.clone()
    for text, weight in parts.items():
        one = CLIPTextEncode().encode(clip, text)[0]
        direct += scale * weight * (predicted(model, one, negative, 1.0, sigma) - u)
    prompt = " AND ".join(f"{text} :{weight}" for text, weight in parts.items())
    conds, patched = node(model, clip, prompt)
    found = predicted(patched, conds, negative, scale, sigma)
    return float((found - direct).abs().max() / direct.abs().max())


def token_errors() -> int:
    """Random pieces through ComfyUI's own reading of weights."""
    draw, errors = random.Random(0), 0
    for _ in range(3000):
        pieces = [
            Weighted("".join(draw.choices("ab ()[]:\\1.", k=draw.randint(1, 7))), weight)
            for weight in draw.choices([1.0, 1.1, 0.5, 1 / 1.1, -1.3, 0.0], k=draw.randint(0, 4))
        ]
        text = comfy.sd1_clip.escape_important(comfy_text(pieces))
        found = comfy.sd1_clip.token_weights(text, 1.0)
        unescaped = [(comfy.sd1_clip.unescape_important(t), w) for t, w in found]
        errors += [(c, w) for t, w in unescaped for c in t] != [
            (c, w) for t, w in pieces for c in t
        ]
    return errors


def webui_error(clip: Any) -> float:
    """`weighting` webui beside its formula on the bare words' vectors."""
    text, bare = "a (cat:1.5) [on] grass", "a cat on grass"
    found = encode(clip, text, "webui")[0][0]
    z = stock(clip, bare)
    factors = torch.ones(77)
    factors[2], factors[3] = 1.5, 1 / 1.1  # behind the start token: a, cat, on, grass
    direct = z * factors[:, None]
    direct = direct * (z.mean() / direct.mean())
    return float((found - direct).abs().max())


def refusal(model: Any, clip: Any, side: str) -> str:
    """What is said of AND in the negative, or without a negative."""
    conds, patched = node(model, clip, "a dog AND a cat")
    plain = CLIPTextEncode().encode(clip, NEGATIVE)[0]
    try:
        if side == "negative":
            predicted(patched, plain, conds, SCALE, 2.0)
        else:
            predicted(patched, conds, [], SCALE, 2.0)
    except InputError as error:
        return str(error)
    return ""


def main() -> None:
    model, clip = load(sys.argv[1])
    same = {
        "(a Beagle:1.3)": ["(a Beagle:1.3)"],
        "a photo of a Beagle": ["a photo of a Beagle"],
        "a ((red) dog:1.2) [on] grass": [f"a (red:{1.1 * 1.2})( dog:1.2) (on:{1 / 1.1}) grass"],
        r"\(a\) dog \[x\]": [r"\(a\) dog [x]"],
        "a dog BREAK (on grass:0.7)": ["a dog", "(on grass:0.7)"],
        "": [""],
    }
    ands = [
        {"a dog": 1.0, "a red ball": 1.0},
        {"a dog": 1.2, "on grass": -0.5},
        {"a dog": 1.0, "on grass": -1.0},
        {"a dog": 0.3, "a cat": 0.3, "on grass": 0.4},
        {"a dog": 2.0},
    ]
    plain, cond = CLIPTextEncode().encode(clip, NEGATIVE)[0], CLIPTextEncode().encode(clip, "a")[0]
    untouched = predicted(model, cond, plain, SCALE, 2.0)
    answer = {
        "same": {
            text: bool(torch.equal(node(model, clip, text)[0][0][0], stock(clip, *texts)))
            for text, texts in same.items()
        },
        "sums": [
            sum_error(model, clip, parts, scale, sigma)
            for parts in ands
            for scale, sigma in [(SCALE, 10.0), (SCALE, 0.5), (1.0, 2.0)]
        ],
        "untouched": bool(
            torch.equal(predicted(composing(model), cond, plain, SCALE, 2.0), untouched)
        ),
        "tokens": token_errors(),
        "webui": webui_error(clip),
        "negative": refusal(model, clip, "negative"),
        "alone": refusal(model, clip, "alone"),
    }
    sys.stdout.write(json.dumps(answer))


with torch.no_grad():
    main()
