"""Whether the words of a prompt do what they say. Images of one seed stand side by side in all."""

from collections.abc import Callable, Sequence

import numpy as np

FRAME = 12  # pixels: the outermost, where the background is


def measure_swap(log_chances: np.ndarray, top: np.ndarray) -> dict[str, float]:
    """Same seeds, another class word. Arrays (classes, seeds, classes) and (classes, seeds).

    changed     share of pairs of words between which the probe's answer changes
    followed    share of pairs in which the named class is likelier than under the other word
                (0.5 if words did nothing)
    """
    count = len(top)
    off_diagonal = ~np.eye(count, dtype=bool)
    differ = top[:, None] != top[None]
    named = np.einsum("csc->cs", log_chances)
    other = log_chances.transpose(2, 0, 1)  # named class, word used, seed
    return {
        "changed": float(differ[off_diagonal].mean()),
        "followed": float((named[:, None] > other)[off_diagonal].mean()),
    }


def negatives(with_own: np.ndarray, plain: np.ndarray, species: np.ndarray) -> dict[str, float]:
    """A class as the negative prompt of its species' prompt: does it become rarer?

    `with_own` (classes, seeds, classes): log chances with each class as the negative; `plain`
    (classes, seeds, classes): of the same prompts and seeds without one.
    """
    chance, before = np.einsum("csc->cs", with_own), np.einsum("csc->cs", plain)
    same = (species[:, None] == species[None]) & ~np.eye(len(species), dtype=bool)
    other_classes = np.exp(with_own.transpose(2, 0, 1)[same])  # pairs of one species, seeds
    return {
        "chance_without": float(np.exp(before).mean()),
        "chance_with_another": float(other_classes.mean()) if other_classes.size else float("nan"),
        "chance_with_it": float(np.exp(chance).mean()),
        "lowered": float((chance < before).mean()),
    }


def pairs(
    both: np.ndarray, single: np.ndarray, labels: Sequence[tuple[int, int]]
) -> dict[str, float]:
    """Two classes in one prompt. `both` (pairs, seeds, classes) log chances; `single` (classes,
    seeds, classes) those of prompts of one class.

    named               the mean chance of the two named classes together
    lesser              the mean chance of the less likely of the two
    lesser_one_named    the same for prompts that name just one of them
    first_likelier      share of images in which the class named first is the likelier
    """
    first, second = np.array(labels).T
    a, b = _of_pairs(both, first, second, np.arange(len(labels)))
    alone = [_of_pairs(single, first, second, named) for named in (first, second)]
    return {
        "images": int(a.size),
        "named": float((a + b).mean()),
        "lesser": float(np.minimum(a, b).mean()),
        "lesser_one_named": float(np.mean([np.minimum(*chances) for chances in alone])),
        "first_likelier": float((a > b).mean()),
    }


def _of_pairs(
    log_chances: np.ndarray, first: np.ndarray, second: np.ndarray, shown: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The chances (pairs, seeds) of both classes of each pair in the images of `shown` (pairs)."""
    chances, rows = np.exp(log_chances[shown]), np.arange(len(shown))
    return chances[rows, :, first], chances[rows, :, second]


def same_and_other_seed(
    first: np.ndarray, again: np.ndarray, other_seed: np.ndarray
) -> dict[str, float]:
    """Bytes (n, height, width, 3): drawn, drawn again with the same seed, and with another.

    Differences from 0 to 255: the largest of the same seed, the mean of another.
    """
    same = np.abs(first.astype(int) - again.astype(int))
    other = np.abs(first.astype(int) - other_seed.astype(int))
    return {"same_seed_largest": float(same.max()), "other_seed_mean": float(other.mean())}


def frame_colours(images: np.ndarray) -> np.ndarray:
    """The mean colour (n, 3) of the outermost pixels of bytes (n, height, width, 3)."""
    inner = np.ones(images.shape[1:3], bool)
    inner[FRAME:-FRAME, FRAME:-FRAME] = False
    return images[:, inner].mean(axis=1)


def backgrounds(
    images: np.ndarray, named: Sequence[str], read: Callable[[np.ndarray], str]
) -> dict[str, object]:
    """Whether the frame of each image has the colour that its prompt names.

    `read` gives the name of a colour (3). `agree`: the share read as named; `floor`: the share
    read so among the images of other names; `frames`: the mean frame of each name, #rrggbb.
    """
    colours, expected = frame_colours(images), np.array(named)
    observed = np.array([read(colour) for colour in colours])
    floors = [(observed[expected != name] == name).mean() for name in named]
    means = {name: colours[expected == name].mean(axis=0) for name in dict.fromkeys(named)}
    return {
        "images": len(images),
        "agree": float((observed == expected).mean()),
        "floor": float(np.mean(floors)),
        "agree_by_name": {n: float((observed[expected == n] == n).mean()) for n in means},
        "frames": {n: "#" + bytes(m.round().astype(np.uint8)).hex() for n, m in means.items()},
    }


def nearness(masks: np.ndarray, named: Sequence[str]) -> dict[str, float]:
    """The mean share of the image (0 to 1) that is foreground, for each word; masks (n, h, w)."""
    shares, words = masks.mean(axis=(1, 2)), np.array(named)
    return {word: float(shares[words == word].mean()) for word in dict.fromkeys(named)}
