"""Where subjects are trained: device, precision, memory, and shards of a batch in parallel."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from ...core.subject_file import Method
from .base_model import BaseModel


@dataclass(frozen=True)
class Machine:
    """Where and how to compute, which affects only time, memory and rounding.

    `workers`: shards of a batch computed in parallel, which on a CPU is faster than intra-op
    threads; 0: as many as there are threads on a CPU, one elsewhere.
    """

    device: str = "cpu"
    bf16: bool = False
    workers: int = 0

    def parts(self, method: Method) -> int:
        """How many shards of a batch are computed at once. One for dreambooth: each shard has its
        own gradients, which there are as large as the UNet."""
        alone = self.device != "cpu" or method == "dreambooth"
        return self.workers or (1 if alone else torch.get_num_threads())


@contextmanager
def side_by_side(parts: int) -> Iterator[ThreadPoolExecutor]:
    """A pool of `parts` workers that share this thread's intra-op threads."""
    threads = torch.get_num_threads()
    threads_each = (max(1, threads // parts),)
    try:
        with ThreadPoolExecutor(
            parts, initializer=torch.set_num_threads, initargs=threads_each
        ) as pool:
            yield pool
    finally:  # later threads would inherit what a worker set
        torch.set_num_threads(threads)


def checkpoint_gradients(base: BaseModel) -> None:
    """Enable gradient checkpointing: activations are recomputed in the backward pass.

    Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost". Results do not change; a step
    takes about a third longer.
    """
    base.unet.enable_gradient_checkpointing()
    for tower in base.text_towers:
        tower.encoder.gradient_checkpointing_enable({"use_reentrant": False})
        tower.encoder.train()  # transformers checkpoints in train mode only; CLIP has no dropout
