"""What the command `evaluate` draws: recipes as `manyshot run` takes them, without an output.

Each run's folder holds its recipe (manyshot.json), to be repeated by hand.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Recipe = dict[str, Any]

MOST_AT_ONCE = 10  # images in a batch
ONE_SEED = {"Sampler.seed": [7]}  # for all classes: only the words differ
EDGES = {"Edges.low_threshold": 0.2, "Edges.high_threshold": 0.4}  # enough of them at 128 pixels
SWEPT_GUIDANCE, SWEPT_SAMPLER = ("Sampler.cfg",), ("Sampler.sampler_name", "Sampler.scheduler")


def class_words(names: Sequence[str], species: Sequence[str]) -> dict[str, str]:
    """Class name -> its words in a prompt: "Beagle dog"."""
    return {name: f"{name} {kind}" for name, kind in zip(names, species, strict=True)}


def from_prompts(classes: Mapping[str, str], each: int, cfg: float) -> Recipe:
    """`each` images of every class, "a photo of a <its words>"."""
    return {
        "workflow": "class_prompts",
        "classes": dict(classes),
        "prompts": {"templates": ["a photo of a {class_name}"]},
        "images_per_class": each,
        "batch_size": batch_size(each),
        "bind": {"Sampler.cfg": cfg},
    }


def batch_size(each: int) -> int:
    """The fewest equal batches of at most MOST_AT_ONCE."""
    return -(-each // -(-each // MOST_AT_ONCE))


def guidance(classes: Mapping[str, str], each: int, strengths: Sequence[float]) -> Recipe:
    """Every class at every strength, with the same seeds."""
    recipe = from_prompts(classes, each, 1.0)
    return {**recipe, "bind": {}, "sweep": {"Sampler.cfg": list(strengths)}}


def samplers(classes: Mapping[str, str], each: int, cfg: float) -> Recipe:
    """Euler and DPM-Solver++ on both schedules, with the same seeds."""
    sweep = {
        "Sampler.sampler_name": ["euler", "dpmpp_2m"],
        "Sampler.scheduler": ["normal", "karras"],
    }
    return {**from_prompts(classes, each, cfg), "sweep": sweep}


def swap(classes: Mapping[str, str], each: int, cfg: float) -> Recipe:
    """Every class from the same noise."""
    return {**from_prompts(classes, each, cfg), "sweep": ONE_SEED}


def seeds(classes: Mapping[str, str], each: int, cfg: float) -> Recipe:
    """Two of the classes from the noise of `swap`, and from another."""
    two = dict(list(classes.items())[:2])
    return {**swap(two, each, cfg), "sweep": {"Sampler.seed": [*ONE_SEED["Sampler.seed"], 8]}}


def negative(names: Sequence[str], species: Sequence[str], each: int, cfg: float) -> Recipe:
    """For every class "a photo of a cat" or "… dog", with the class as the negative prompt."""
    recipe = swap(dict(zip(names, species, strict=True)), each, cfg)
    return {**recipe, "bind": {**recipe["bind"], "Negative.text": "$class_name"}}


def paired(names: Sequence[str]) -> list[tuple[int, int]]:
    """Labels of two classes each, the second from the other half of the list."""
    half = len(names) // 2
    return [(first, first + half) for first in range(len(names) - half)]


def pairs(names: Sequence[str], each: int, cfg: float) -> Recipe:
    """Prompts that name two classes."""
    named = {f"{names[a]} and a {names[b]}": "" for a, b in paired(names)}
    return swap(named, each, cfg)


def said_of(names: Sequence[str], words: Sequence[str], each: int, cfg: float) -> Recipe:
    """Some classes with some words behind them, each combination from the same noise."""
    some = names[:: max(1, len(names) // 6)][:6]
    return swap({f"{name}, {word}": "" for name in some for word in words}, each, cfg)


def control(
    kind: str, pictures: Path, classes: Mapping[str, str], each: int, batch: int, cfg: float
) -> Recipe:
    """`each` images of every class after the pictures in `pictures`/<class name>/.

    `kind`: "segmentation", whose workflow has a guidance of its own, which strengthens the mask as
    well, or "canny". In batches of 1 each image has a picture of its own.
    """
    recipe = from_prompts(classes, each, cfg)
    folder = {"folder": str(pictures)}
    if kind == "canny":
        bind = {**recipe["bind"], "Photo.image": folder, **EDGES}
    else:
        bind = {"Control Image.image": folder}
    return {**recipe, "workflow": f"control_{kind}", "batch_size": batch, "bind": bind}


def autoencoder(pictures: Path, count: int) -> Recipe:
    """`count` pictures of one folder through the autoencoder and back."""
    return {
        "workflow": "autoencoder",
        "classes": ["photo"],
        "images_per_class": count,
        "bind": {"Photo.image": {"folder": str(pictures)}},
    }
