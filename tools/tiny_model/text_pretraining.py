"""The text encoder learns what captions say, by text alone, before the UNet learns to draw it.

SD1's text encoder came trained on 400 million captions and stayed frozen; ours begins with random
weights, and a UNet that hears the same from every prompt does not listen. A few minutes of this
make class, species, background and nearness audible at every token. Then it is frozen as well, so
that what it says of each caption is computed once.
"""

import json
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from manyshot.core.begun import digest, with_version
from manyshot.core.errors import InputError
from manyshot.core.tiny_sizes import SD1_TOKENS, Sizes
from manyshot.trainer.checkpoints import BEGUN, check_resumed
from manyshot.trainer.divergence import check_number
from manyshot.trainer.stable_diffusion.architecture import build_text_encoder, tokenize
from manyshot.trainer.tensor_files import write_tensors
from manyshot.trainer.training import set_rate
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional
from transformers import CLIPTextModel, CLIPTokenizer

from .captions import Caption, unknown_words, with_unknown_words

log = logging.getLogger(__name__)
FILE = "text_encoder.safetensors"
UNKNOWN = 0.3  # share of the lessons with unknown words in them
SHORT = 24  # tokens that hold the longest lessons
PAIRS = 0.15  # share of the lessons made of two captions


@dataclass(frozen=True)
class Topic:
    """One thing captions speak of. `meanings`: for all that can be said, the chances of values."""

    values: tuple[str, ...]
    read_value: Callable[[Caption], str]
    meanings: dict[str, Tensor]

    def chances(self, parts: Sequence[Caption]) -> Tensor:
        """(values) the mean over the parts of what each says."""
        return torch.stack([self.meanings[self.read_value(caption)] for caption in parts]).mean(
            dim=0
        )


def topics(captions: Sequence[Caption]) -> list[Topic]:
    """The class, the species, the background and the nearness."""
    return [
        _classes(captions),
        _topic(captions, lambda caption: caption.species or ""),
        _topic(captions, lambda caption: caption.background or ""),
        _topic(captions, lambda caption: caption.nearness or ""),
    ]


def _topic(captions: Sequence[Caption], read_value: Callable[[Caption], str]) -> Topic:
    """A topic in which not to say anything is a value of its own."""
    values = sorted({read_value(caption) for caption in captions})
    return Topic(tuple(values), read_value, dict(zip(values, torch.eye(len(values)), strict=True)))


def _classes(captions: Sequence[Caption]) -> Topic:
    """The classes; "a photo of a dog" means all breeds of dogs alike, "" means every class."""
    classes = sorted({caption.class_name for caption in captions if caption.class_name})
    meanings = dict(zip(classes, torch.eye(len(classes)), strict=True))
    kinds = {caption.class_name: caption.species for caption in captions if caption.species}
    for species in {*kinds.values(), ""}:
        members = [name for name in classes if species in ("", kinds.get(name))]
        meanings[f"any {species}"] = torch.stack([meanings[name] for name in members]).mean(dim=0)
    return Topic(
        tuple(classes),
        lambda caption: caption.class_name or f"any {caption.species or ''}",
        meanings,
    )


@dataclass(frozen=True)
class Lesson:
    """A text, and the captions it is made of: one or two, whose meanings count alike."""

    text: str
    parts: tuple[Caption, ...]


def random_lesson(
    captions: Sequence[Caption], vocabulary: Sequence[str], rng: random.Random
) -> Lesson:
    """One caption, sometimes with unknown words behind it, or two joined by "and"."""
    chosen = rng.choice(captions)
    roll = rng.random()
    if roll < PAIRS and chosen.text:
        other = rng.choice(captions)
        return Lesson(f"{chosen.text} and {other.text}", (chosen, other))
    if roll < PAIRS + UNKNOWN and chosen.text:
        chosen = with_unknown_words(chosen, vocabulary, rng)
    return Lesson(chosen.text, (chosen,))


def pretrain_words(
    text_encoder: CLIPTextModel,
    tokenizer: CLIPTokenizer,
    captions: Sequence[Caption],
    steps: int,
    batch: int = 48,
    rate: float = 1e-3,
    seed: int = 0,
) -> float:
    """Train until linear layers read every topic from the mean of all tokens; returns the loss.

    The loss is the sum over topics of the Kullback-Leibler divergence in nats, 0 when every lesson
    is understood.
    """
    torch.manual_seed(seed)
    unique = sorted({*captions, Caption("")}, key=lambda caption: caption.text)
    subjects = topics(unique)
    heads = _heads(text_encoder, subjects)
    weights = [*text_encoder.parameters(), *heads.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=rate, weight_decay=0.0, fused=True)
    vocabulary, rng, loss = unknown_words(tokenizer), random.Random(seed), torch.zeros(())
    for step in range(steps):
        lessons = [random_lesson(unique, vocabulary, rng) for _ in range(batch)]
        # Most tokens are padding: to read them in one lesson of four is enough.
        length = SD1_TOKENS if rng.random() < 0.25 else SHORT
        loss = lesson_loss(text_encoder, tokenizer, heads, subjects, lessons, length)
        set_rate(optimizer, rate * (1 - step / steps))
        optimizer.zero_grad()
        check_number(loss.item())
        loss.backward()
        optimizer.step()
        if (step + 1) % 50 == 0:
            log.info("words, step %d of %d, loss %.3f", step + 1, steps, loss.item())
    return loss.item()


def _heads(text_encoder: CLIPTextModel, subjects: Sequence[Topic]) -> nn.ModuleList:
    width = text_encoder.config.hidden_size
    heads = nn.ModuleList(nn.Linear(width, len(topic.values)) for topic in subjects)
    return heads.to(text_encoder.device)


def lesson_loss(
    text_encoder: CLIPTextModel,
    tokenizer: CLIPTokenizer,
    heads: nn.ModuleList,
    subjects: Sequence[Topic],
    lessons: Sequence[Lesson],
    length: int = SD1_TOKENS,
) -> Tensor:
    """The divergence of what the heads read from what the lessons say, summed over the topics.

    Only the first `length` tokens are read.
    """
    ids = tokenize(tokenizer, [lesson.text for lesson in lessons])[:, :length]
    ids = ids.to(text_encoder.device)
    heard = text_encoder(ids).last_hidden_state.mean(dim=1)
    losses = [
        functional.kl_div(
            head(heard).log_softmax(dim=1),
            torch.stack([topic.chances(lesson.parts) for lesson in lessons]).to(heard),
            reduction="batchmean",
        )
        for head, topic in zip(heads, subjects, strict=True)
    ]
    return torch.stack(losses).sum()


def pretrain_text_encoder(
    run: Path,
    sizes: Sizes,
    tokenizer: CLIPTokenizer,
    captions: Sequence[Caption],
    steps: int,
    seed: int = 0,
) -> CLIPTextModel:
    """The frozen text encoder of a run's folder; taught and kept there if it has none yet.

    Raises InputError when the one that is there was taught other captions, or in other steps.
    """
    path = run / FILE
    facts = {"steps": steps, "captions": digest(caption.text for caption in captions), "seed": seed}
    taught = with_version(facts)
    if path.exists():
        check_resumed(path, taught)
    else:
        torch.manual_seed(seed)
        text_encoder = build_text_encoder(sizes)
        pretrain_words(text_encoder, tokenizer, captions, steps, seed=seed)
        write_tensors(path, text_encoder.state_dict(), {BEGUN: json.dumps(taught)})
    return load_text_encoder(run, sizes)


def load_text_encoder(run: Path, sizes: Sizes) -> CLIPTextModel:
    """The taught text encoder of a run's folder. Raises InputError when there is none."""
    path = run / FILE
    if not path.is_file():
        raise InputError(
            f"The text encoder {path} does not exist: run `python tools/tiny_model train`."
        )
    text_encoder = build_text_encoder(sizes)
    text_encoder.load_state_dict(load_file(path))
    return text_encoder.eval().requires_grad_(False)
