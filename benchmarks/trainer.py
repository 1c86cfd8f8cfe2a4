"""The training loop beside its own floor: `python benchmarks/trainer.py`.

For each net and policy three things take turns, because machines differ and are noisy: bare steps
(forward, backward, optimiser) on batches that lie ready; the whole loop on the same batches, with
bytes taken from memory, augmentation, schedule and log; and a loop as torchvision's reference
training has it, with a DataLoader whose workers decode and augment files. What is shown are ratios
of medians. An epoch is that of a few-shot set: 64 photos, 4 steps.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import torch
from manyshot.trainer.measure.learner import Options
from manyshot.trainer.measure.model import Model
from manyshot.trainer.measure.pixels.classifier_nets import Net, open_net, resolve_device
from manyshot.trainer.measure.pixels.finetuning import batches, descend, make_optimiser, train
from manyshot.trainer.measure.pixels.image_augmentation import build_transform
from manyshot.trainer.measure.pixels.pixel_cache import Pixels
from manyshot.trainer.measure.plans import Plan
from manyshot.trainer.measure.policy import Policy
from PIL import Image
from rich.console import Console
from rich.table import Table
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

ROUNDS = 5
SIDE, BATCH, STEPS, CLASSES = 128, 16, 4, 37
PHOTO = (500, 375)  # pixels: as Oxford-IIIT Pet has them
NETS = ("efficientnet_lite0", "resnet18")
POLICIES: tuple[Policy, ...] = ("classical", "randaugment")
WORKERS = 2
OPTION = Options(0.01, 1e-4)
Seconds = tuple[float, float]  # of the wall, and of this process's processors


def photos(folder: Path) -> list[Path]:
    """Files like photos: smooth, with some noise."""
    rng = np.random.default_rng(0)
    paths = [folder / f"{number}.jpg" for number in range(BATCH * STEPS)]
    for path in paths:
        smooth = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
        pixels = np.asarray(smooth.resize(PHOTO, Image.Resampling.BICUBIC)).astype(int)
        noisy = np.clip(pixels + rng.integers(-12, 13, pixels.shape), 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(path, quality=92)
    return paths


class Files(Dataset[tuple[torch.Tensor, int]]):
    """Photos decoded, augmented and normalised one by one, as reference loops do it."""

    def __init__(self, paths: list[Path], net: Net, policy: Policy) -> None:
        self.paths = paths
        self.transform = v2.Compose(
            [
                v2.Resize((SIDE, SIDE)),
                build_transform(policy, SIDE),
                v2.PILToTensor(),
                v2.ToDtype(torch.float, scale=True),
                v2.Normalize(list(net.mean), list(net.std)),
            ]
        )

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, place: int) -> tuple[torch.Tensor, int]:
        with Image.open(self.paths[place]) as image:
            return self.transform(image.convert("RGB")), place % CLASSES


def bare_steps(net: Net, model: Model, ready: list[tuple[torch.Tensor, torch.Tensor]]) -> None:
    device = resolve_device(model)
    module = net.make(CLASSES).to(device)
    module.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    optimiser = make_optimiser(module.train(), OPTION, model)
    for pixels, targets in ready:
        descend(module, optimiser, pixels, targets, half=False)
    _finish(device)


def reference(net: Net, model: Model, loader: DataLoader[tuple[torch.Tensor, int]]) -> None:
    """Of torchvision's references/classification/train.py, without what is for many devices."""
    device = resolve_device(model)
    module = net.make(CLASSES).to(device).train()
    criterion = torch.nn.CrossEntropyLoss()
    optimiser = torch.optim.SGD(module.parameters(), OPTION.rate, 0.9, weight_decay=OPTION.decay)
    for images, labels in loader:
        loss = criterion(module(images.to(device)), labels.to(device))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    _finish(device)


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def timed(work: Callable[[], object]) -> Seconds:
    wall, process = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - process


def in_turns(rivals: dict[str, Callable[[], object]]) -> dict[str, Seconds]:
    """The medians of each, taken in turns, every second round in reverse order."""
    taken: dict[str, list[Seconds]] = {name: [] for name in rivals}
    for number in range(ROUNDS + 1):
        for name in list(rivals)[:: 1 if number % 2 else -1]:
            taken[name].append(timed(rivals[name]))
    # The first round warms up.
    return {name: (median(w for w, _ in all_[1:]), median(p for _, p in all_[1:]))
            for name, all_ in taken.items()}  # fmt: skip


def compare(name: str, policy: Policy, paths: list[Path], pixels: Pixels) -> tuple[str, ...]:
    model = Model(name=name, mode="finetune", pretrained=name in ("efficientnet_lite0",), size=SIDE)
    net, device = open_net(model), resolve_device(model)
    rows = np.random.default_rng(0).permutation(len(paths)).reshape(STEPS, BATCH)
    plan = Plan(rows, rows % CLASSES, np.full(rows.shape, 1 / BATCH), policy, (0, 0))
    ready = list(batches(net, pixels, plan, CLASSES, device))
    loader = DataLoader(
        Files(paths, net, policy), BATCH, shuffle=True, num_workers=WORKERS, persistent_workers=True
    )

    def whole() -> None:
        train(net, pixels, plan, OPTION, model, CLASSES)
        _finish(device)

    took = in_turns(
        {
            "bare": lambda: bare_steps(net, model, ready),
            "whole": whole,
            "reference": lambda: reference(net, model, loader),
        }
    )
    (wall, own), (bare, bare_own) = took["whole"], took["bare"]
    return (
        name,
        policy,
        f"{1000 * bare / STEPS:.0f} ms",
        f"{wall / bare:.2f}",
        f"{own / bare_own:.2f}",
        f"{took['reference'][0] / wall:.2f}",
    )


def main(nets: list[str]) -> None:
    console = Console()
    table = Table(
        "net", "policy", "bare step", "whole / bare", "in processor time", "reference / whole"
    )
    with tempfile.TemporaryDirectory() as folder:
        paths = photos(Path(folder))
        pixels = Pixels(paths, SIDE)
        decoded, _ = timed(lambda: pixels.read(np.arange(len(paths))))
        for name in nets:
            for policy in POLICIES:
                console.print(f"{name}, {policy} …")
                table.add_row(*compare(name, policy, paths, pixels))
    console.print(table)
    console.print(
        f"{torch.get_num_threads()} threads, {SIDE} px, {BATCH} images a step, {ROUNDS} rounds; "
        f"{len(paths)} photos were decoded once, in {decoded:.2f} s. Target: whole / bare <= 1.10"
    )


if __name__ == "__main__":
    main(sys.argv[1:] or list(NETS))
