"""First lessons of the text encoder: which classes a caption can mean.

SD1's text encoder came trained on 400 million captions; ours begins with random weights, and a
UNet that hears the same from every prompt does not listen. A minute of this makes the class
audible at every token before the two learn together.
"""

import logging
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import CLIPTextModel, CLIPTokenizer

from .captions import captions, tokenize
from .data import Entry

log = logging.getLogger(__name__)


def caption_classes(entries: Sequence[Entry]) -> dict[str, Tensor]:
    """Each caption with the chance (classes) of every class that it can mean, in label order.

    "a Beagle dog" means one; "a photo of a dog" all breeds of dogs alike; "" every class.
    """
    kinds = {entry.label: captions(entry) for entry in entries}
    found = {"": torch.ones(len(kinds))}
    for place, label in enumerate(sorted(kinds)):
        for text in kinds[label]:
            found.setdefault(text, torch.zeros(len(kinds)))[place] = 1
    return {text: chance / chance.sum() for text, chance in found.items()}


def teach_words(
    text_encoder: CLIPTextModel,
    tokenizer: CLIPTokenizer,
    entries: Sequence[Entry],
    steps: int,
    batch: int = 32,
    rate: float = 1e-3,
) -> float:
    """Train until a linear layer reads the class from the mean of all tokens; returns the loss.

    The loss is the Kullback-Leibler divergence in nats, 0 when every caption is understood.
    """
    texts = caption_classes(entries)
    device = text_encoder.device
    ids, wanted = tokenize(tokenizer, list(texts)).to(device), torch.stack([*texts.values()])
    head = nn.Linear(text_encoder.config.hidden_size, wanted.shape[1]).to(device)
    weights = [*text_encoder.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=rate, weight_decay=0.0, fused=True)
    loss = torch.zeros(())
    for step in range(steps):
        rows = torch.randint(len(ids), (batch,))
        states = text_encoder(ids[rows.to(device)]).last_hidden_state.mean(dim=1)
        chances = head(states).log_softmax(dim=1)
        loss = functional.kl_div(chances, wanted[rows].to(device), reduction="batchmean")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if (step + 1) % 50 == 0:
            log.info("words, step %d, loss %.3f", step + 1, loss.item())
    return loss.item()
