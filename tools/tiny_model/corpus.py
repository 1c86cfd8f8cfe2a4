"""The two sources manyshot-tiny learns from, pets and broad images, made ready for training."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from manyshot.core.begun import digest
from manyshot.core.pets import Entry, Species, read_split
from manyshot.core.subsets import pool_split
from manyshot.core.tiny_sizes import IMAGE_SIZE
from manyshot.trainer.stable_diffusion.euler_sampling import Networks
from manyshot.trainer.tensor_files import content_hash
from torch import Tensor

from .captions import (
    Caption,
    background_colour,
    broad_captions,
    captions,
    nearness,
    unknown_words,
    with_unknown_words,
)
from .diffusion import Corpus, DiffusionOptions, build_corpus, text_states
from .latents import Latents, cache_latents, pet_box
from .photo_data import read_broad, read_images, read_trimaps

BROAD = 0.2  # share of the broad images among all that are drawn


@dataclass(frozen=True)
class Example:
    """An image (height, width, 3) with its captions; pets have a trimap and a species."""

    image: np.ndarray
    captions: tuple[Caption, ...]
    trimap: np.ndarray | None = None
    species: Species | None = None

    def mirror(self) -> "Example":
        """The same seen in a mirror; nothing the captions say changes."""
        trimap = None if self.trimap is None else self.trimap[:, ::-1]
        return Example(self.image[:, ::-1], self.captions, trimap, self.species)


def pet_examples(data: Path) -> list[Example]:
    """The pool's images at training size, with captions from class names and trimaps."""
    pool = pool_split(read_split(data)).pool
    images, trimaps = (read(data, pool, IMAGE_SIZE) for read in (read_images, read_trimaps))
    return [_pet(*parts) for parts in zip(pool, images, trimaps, strict=True)]


def _pet(entry: Entry, image: np.ndarray, trimap: np.ndarray) -> Example:
    texts = captions(entry, background_colour(image, trimap), nearness(trimap))
    return Example(image, tuple(texts), trimap, entry.species)


def broad_examples(folder: Path, each: int) -> list[Example]:
    """Up to `each` images of every class of an image folder."""
    names, images = read_broad(folder, each, IMAGE_SIZE)
    return [
        Example(image[:IMAGE_SIZE, :IMAGE_SIZE], tuple(broad_captions(name)))
        for name, image in zip(names, images, strict=True)
    ]


def list_seen_examples(examples: Sequence[Example], mirror: bool) -> list[Example]:
    """The examples, then with `mirror` the mirror images of the pets among them."""
    return [
        *examples,
        *(example.mirror() for example in examples if example.trimap is not None and mirror),
    ]


def shares(examples: Sequence[Example], broad: float) -> Tensor:
    """How often each example is drawn: broad ones together in the share `broad`, pets else."""
    pets = torch.tensor([example.trimap is not None for example in examples])
    counts = pets.sum(), (~pets).sum().clamp(min=1)
    return torch.where(pets, (1 - broad) / counts[0], broad / counts[1])


def prepare_corpus(
    examples: Sequence[Example],
    networks: Networks,
    options: DiffusionOptions,
    mirror: bool,
    folder: Path,
    broad: float = BROAD,
) -> Corpus:
    """Encode images (with `mirror` also their mirror images) and captions; latents are kept."""
    corpus_examples = list_seen_examples(examples, mirror)
    images = [example.image for example in corpus_examples]
    values = cache_latents(
        folder, networks.vae, images, options.device, options.bf16, options.workers
    )
    boxes = [
        None if example.trimap is None else pet_box(example.trimap) for example in corpus_examples
    ]
    texts = caption_texts(corpus_examples, unknown_words(networks.tokenizer))
    latents = Latents(values, boxes)
    encode = partial(text_states, networks.text_encoder, networks.tokenizer)
    corpus = build_corpus(latents, texts, shares(corpus_examples, broad), encode)
    return replace(corpus, digest=_digest(networks, images, texts))


def _digest(
    networks: Networks, images: Sequence[np.ndarray], texts: Sequence[Sequence[str]]
) -> str:
    """What stands for all that is learned from, and for the nets that it is seen through."""
    return digest(
        [
            content_hash(networks.vae.state_dict()),
            content_hash(networks.text_encoder.state_dict()),
            *(image.tobytes() for image in images),
            *(text for group in texts for text in group),
        ]
    )


def caption_texts(
    examples: Sequence[Example], vocabulary: Sequence[str], seed: int = 0
) -> list[list[str]]:
    """The captions of each example, and two of them with unknown words behind."""
    rng = random.Random(seed)
    return [
        [caption.text for caption in example.captions]
        + [with_unknown_words(rng.choice(example.captions), vocabulary, rng).text for _ in range(2)]
        for example in examples
    ]
