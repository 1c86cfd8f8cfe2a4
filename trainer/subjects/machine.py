"""Where subjects are trained: device, precision, and how a batch is shared out."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from ...core.subject_file import Method


@dataclass(frozen=True)
class Machine:
    """Where and how to compute, which decides nothing but time, memory and rounding.

    `workers`: parts of a batch computed side by side, which on a CPU beats threads that wait for
    one another; 0: as many as there are threads on a CPU, one elsewhere.
    """

    device: str = "cpu"
    bf16: bool = False
    workers: int = 0

    def parts(self, method: Method) -> int:
        """How many parts of a batch are computed at once. Of dreambooth it is one: every part has
        gradients of its own, and there they are as large as the UNet."""
        alone = self.device != "cpu" or method == "dreambooth"
        return self.workers or (1 if alone else torch.get_num_threads())


@contextmanager
def side_by_side(parts: int) -> Iterator[ThreadPoolExecutor]:
    """As many workers, which share the threads of this one."""
    threads = torch.get_num_threads()
    own = (max(1, threads // parts),)
    try:
        with ThreadPoolExecutor(parts, initializer=torch.set_num_threads, initargs=own) as pool:
            yield pool
    finally:  # what a worker set, later threads would begin with
        torch.set_num_threads(threads)
