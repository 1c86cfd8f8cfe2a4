"""Training subjects beside diffusers' own example scripts: steps a second, and peak memory.

`python benchmarks/subjects.py --diffusers PATH [METHOD…]`, where PATH is the folder `examples` of a
checkout of https://github.com/huggingface/diffusers, with textual_inversion/textual_inversion.py,
dreambooth/train_dreambooth.py and dreambooth/train_dreambooth_lora.py. They are run as they are,
but that AutoencoderKL gives them the base's own autoencoder.

Both train the same base (manyshot-tiny as a diffusers folder) on the same photos, with the same
batch, side and rank, in single precision, and without pictures or checkpoints on the way. Every run
is a process of its own, and the two take turns; what is shown are medians. Time goes from one step
of the optimiser to the next; memory is the process's peak at the last one. The scripts encode
photos, and texts, anew in every step; we encode once what does not learn. Our LoRA adapts more
layers than theirs (all of a transformer block's).
"""

import json
import resource
import runpy
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Annotated, Any

import numpy as np
import typer
from PIL import Image
from rich.console import Console
from rich.table import Table

SIDE, BATCH, RANK, VECTORS, PHOTOS = 128, 4, 8, 4, 5
STEPS, WARMUP, ROUNDS = 20, 5, 2
PHOTO = (500, 375)  # pixels: as Oxford-IIIT Pet has them
WORD, NOUN = "blot-m1", "dog"
PROMPT = f"a photo of a {WORD} {NOUN}"
TEXT = "--train_text_encoder"


@dataclass(frozen=True)
class Case:
    """`ours`: settings; `script` and `options`: of diffusers' examples."""

    ours: Mapping[str, Any]
    script: str
    options: tuple[str, ...]


def _dreambooth(kind: str, *options: str) -> tuple[str, tuple[str, ...]]:
    own = ("--instance_data_dir", "photos", "--instance_prompt", PROMPT)
    return f"dreambooth/{kind}.py", (*own, *options)


INVERSION = ("--train_data_dir", "photos", "--placeholder_token", WORD, "--initializer_token", NOUN)
LORA = ("train_dreambooth_lora", "--rank", str(RANK))
CASES = {
    "textual_inversion": Case(
        {"method": "textual_inversion", "vectors": VECTORS},
        "textual_inversion/textual_inversion.py",
        (*INVERSION, "--num_vectors", str(VECTORS)),
    ),
    "lora": Case({"method": "lora", "text": False}, *_dreambooth(*LORA)),
    "lora with text": Case({"method": "lora", "text": True}, *_dreambooth(*LORA, TEXT)),
    "dreambooth": Case({"method": "dreambooth"}, *_dreambooth("train_dreambooth")),
    "dreambooth with text": Case(
        {"method": "dreambooth", "text": True}, *_dreambooth("train_dreambooth", TEXT)
    ),
}


def prepare(folder: Path) -> None:
    """The base and the photos that both train on."""
    from manyshot.core.tiny_files import TINY_MODEL
    from manyshot.core.tiny_sizes import TINY
    from manyshot.trainer.stable_diffusion.tiny_checkpoint import load_single_file

    sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
    from tiny_model.export_checkpoint import export_diffusers

    export_diffusers(folder / "base", load_single_file(TINY_MODEL, tokenizer(), TINY))
    (folder / "photos").mkdir()
    rng = np.random.default_rng(0)
    for number in range(PHOTOS):
        smooth = Image.fromarray(rng.integers(0, 256, (12, 16, 3), np.uint8))
        smooth.resize(PHOTO, Image.Resampling.BICUBIC).save(folder / "photos" / f"{number}.jpg")


def tokenizer() -> Any:
    from manyshot.cli.tokenizer import tokenizer_folder
    from manyshot.trainer.stable_diffusion.architecture import load_tokenizer

    return load_tokenizer(tokenizer_folder(None))


def use_own_autoencoder() -> None:
    """Let scripts that ask for an AutoencoderKL have the base's, which is TAESD."""
    import diffusers
    from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny

    class Taesd(AutoencoderTiny):
        def encode(self, x: Any, return_dict: bool = True) -> Any:
            latents = super().encode(x, return_dict=False)[0]
            return SimpleNamespace(latent_dist=SimpleNamespace(sample=lambda: latents))

    diffusers.__dict__["AutoencoderKL"] = Taesd


def train_ours(folder: Path, case: Case, workers: int) -> None:
    from manyshot.trainer.subjects.fit import fit
    from manyshot.trainer.subjects.machine import Machine
    from manyshot.trainer.subjects.open_base import open_base
    from manyshot.trainer.subjects.subject_photos import NewSubject, encode_photos, read_photos
    from manyshot.trainer.subjects.subject_settings import Settings
    from manyshot.trainer.subjects.token_embeddings import Token
    from manyshot.trainer.subjects.train_subject import adapt_base, build_training_sets

    own = {"steps": STEPS, "every": STEPS, "batch": BATCH, "rank": RANK, "held_out": 0}
    settings = Settings.model_validate({**own, **case.ours})
    base = open_base(folder / "base", tokenizer()).on("cpu")
    token = Token(WORD, NOUN)
    subject = NewSubject(token, read_photos(sorted((folder / "photos").iterdir()), SIDE), WORD)
    encoded = encode_photos(base, subject.photos)
    adapted = adapt_base(base, [token], settings)
    learned, _ = build_training_sets(adapted, [subject], [encoded], settings)
    with tempfile.TemporaryDirectory() as place:
        machine = Machine(workers=workers)
        fit(adapted, [learned], None, settings, machine, Path(place) / "it", {})


def train_theirs(folder: Path, case: Case, examples: Path) -> None:
    use_own_autoencoder()
    with tempfile.TemporaryDirectory() as output:
        shared = {
            "pretrained_model_name_or_path": folder / "base",
            "resolution": SIDE,
            "train_batch_size": BATCH,
            "max_train_steps": STEPS,
            "checkpointing_steps": STEPS + 1,
            "output_dir": output,
            "seed": 0,
            "report_to": "all",  # trackers that are installed; "none" is not known to accelerate
        }
        known = [str(part) for key, value in shared.items() for part in (f"--{key}", value)]
        options = [str(folder / "photos") if one == "photos" else one for one in case.options]
        script = examples / case.script
        sys.argv = [str(script), *known, *options]
        sys.path.insert(0, str(script.parent))
        runpy.run_path(str(script), run_name="__main__")


class _EnoughError(Exception):
    """The steps are done; what a script does afterwards is not measured."""


def watched(train: Callable[[], None]) -> dict[str, float]:
    """Seconds of a step, and the peak of memory in MB up to the last step."""
    from torch.optim.optimizer import register_optimizer_step_post_hook

    ends: list[tuple[float, int]] = []

    def note(*_: object) -> None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        ends.append((time.perf_counter(), peak))
        if len(ends) == STEPS:
            raise _EnoughError

    register_optimizer_step_post_hook(note)
    with suppress(_EnoughError):
        train()
    times = [end for end, _ in ends]
    took = [after - before for before, after in zip(times, times[1:], strict=False)]
    return {"seconds": median(took[WARMUP:]), "megabytes": ends[-1][1] / 1024}


def child(folder: Path, name: str, examples: Path, workers: int) -> dict[str, float]:
    """One run in a process of its own; `workers` below zero: the script."""
    own = (Path(__file__), "--child", str(folder), "--diffusers", examples, "--workers", workers)
    command = [sys.executable, *map(str, own), name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def compare(folder: Path, name: str, examples: Path, workers: int) -> tuple[str, ...]:
    """A row of the table."""
    taken: list[list[dict[str, float]]] = [[], []]
    for number in range(ROUNDS):
        for place in (0, 1) if number % 2 else (1, 0):
            how = workers if place == 0 else -1
            taken[place].append(child(folder, name, examples, how))
    (ours, own), (theirs, other) = (
        (median(one["seconds"] for one in runs), median(one["megabytes"] for one in runs))
        for runs in taken
    )
    faster = f"{theirs / ours:.2f}"
    return name, f"{1 / ours:.2f}", f"{1 / theirs:.2f}", faster, f"{own:.0f}", f"{other:.0f}"


def main(
    diffusers: Annotated[Path, typer.Option(help="The folder `examples` of its repository.")],
    methods: Annotated[list[str] | None, typer.Argument(help="Of the cases.")] = None,
    workers: Annotated[int, typer.Option(help="Of our trainer; 0: its default.")] = 0,
    folder: Annotated[Path | None, typer.Option("--child", hidden=True)] = None,
) -> None:
    if folder is not None:
        [name] = methods or []
        case = CASES[name]
        ours, theirs = (
            lambda: train_ours(folder, case, workers),
            lambda: train_theirs(folder, case, diffusers),
        )
        sys.stdout.write("\n" + json.dumps(watched(ours if workers >= 0 else theirs)) + "\n")
        return
    show(methods or list(CASES), diffusers, workers)


def show(names: Sequence[str], examples: Path, workers: int) -> None:
    console = Console()
    table = Table("method", "ours, steps/s", "theirs", "faster", "ours, MB", "theirs, MB")
    with tempfile.TemporaryDirectory() as place:
        prepare(Path(place))
        for name in names:
            console.print(f"{name} …")
            table.add_row(*compare(Path(place), name, examples, workers))
    console.print(table)
    console.print(
        f"{SIDE} px, {BATCH} images a step, rank {RANK}, {VECTORS} vectors; {STEPS} steps, "
        f"{ROUNDS} rounds. Targets: faster >= 1.50, and no more memory."
    )


if __name__ == "__main__":
    typer.run(main)
