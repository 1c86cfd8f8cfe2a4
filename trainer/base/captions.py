"""What the images are called: each has several captions, from its class name and its species."""

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import CLIPTokenizer

from ...core.tiny_sizes import SD1_TOKENS
from .data import Entry

TEMPLATES = (
    "a photo of a {class_name}",
    "a photo of a {class_name} {species}",
    "a photo of a {species}, {class_name}",
    "a {class_name} {species}",
    "a close-up of a {class_name} {species}",
    "a picture of a {class_name}",
    "{class_name}",
    "{class_name} {species}",
    "a photo of a {species}",
)


def captions(entry: Entry) -> tuple[str, ...]:
    """All captions of one image, in the order of TEMPLATES; the first one names the class."""
    return tuple(
        template.format(class_name=entry.class_name, species=entry.species)
        for template in TEMPLATES
    )


def tokenize(tokenizer: CLIPTokenizer, texts: Sequence[str]) -> Tensor:
    """Token ids (n, 77) as SD1's nodes make them: start, words, end, then end to the right."""
    found = tokenizer(list(texts), padding="max_length", max_length=SD1_TOKENS, truncation=True)
    return torch.tensor(found["input_ids"])


def add_unknown_words(ids: Tensor, share: float, most: int = 4) -> Tensor:
    """Append up to `most` random tokens to a `share` of the prompts (n, 77).

    So the model learns that words it was never taught leave the picture as it is, and prompts with
    a context ("…, on the beach") still give the class they name.
    """
    start, end = int(ids[0, 0]), int(ids[0, -1])
    found = ids.clone()
    for row in torch.nonzero(torch.rand(len(ids)) < share).flatten().tolist():
        at = int((ids[row] == end).nonzero()[0])
        count = min(int(torch.randint(1, most + 1, ())), ids.shape[1] - 1 - at)
        found[row, at : at + count] = torch.randint(0, start, (count,))
    return found
