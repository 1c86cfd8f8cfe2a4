"""Training a subject inside of ComfyUI: the one place where the nodes reach the trainer."""

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.counted import did_you_mean, pluralize
from ..core.errors import InputError
from ..core.extras import Extra, install_command
from ..core.files import open_atomic
from ..core.paths import inside, safe_name
from ..core.sole_use import sole_use
from ..core.subject_file import MODEL_FOLDERS, Method, read_subject_file

if TYPE_CHECKING:
    from torch import Tensor

    from ..trainer.subjects.base_model import BaseModel
    from ..trainer.subjects.machine import Machine
    from ..trainer.subjects.subject_photos import NewSubject, Photo
    from ..trainer.subjects.subject_settings import Settings

WORK = "manyshot/subjects"  # below ComfyUI's output folder: samples, and what is needed to go on


@dataclass(frozen=True)
class Order:
    """What is to be trained. `base`: a checkpoint of the server; `settings`: the trainer's."""

    token: str
    noun: str
    class_name: str
    base: str
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Done:
    """`name`: the file with its models folder, which Subject knows also where a file of another
    method has the same name; `shown`: pictures of what it holds, as ComfyUI lists them."""

    name: str
    shown: list[dict[str, str]]


def train(order: Order, images: "Sequence[Tensor]", masks: "Sequence[Tensor]") -> Done:
    """Train the subject on photos (n, height, width, 3) in 0..1 and put its file into the models.

    A file that was trained so already is left as it is. Raises InputError for what cannot be
    trained, and for a file of another training under the same name.
    """
    import torch
    from comfy import model_management

    _check_trainer()
    from ..trainer.stable_diffusion.architecture import load_tokenizer
    from ..trainer.subjects.open_base import open_base
    from ..trainer.subjects.subject_photos import NewSubject
    from ..trainer.subjects.subject_settings import Settings
    from ..trainer.subjects.token_embeddings import Token
    from ..trainer.subjects.train_recipe import is_trained

    model_management.unload_all_models()
    settings = Settings.model_validate(dict(order.settings))
    name = f"{safe_name(order.token, 'token')}.safetensors"
    with torch.inference_mode(False):
        base = open_base(_checkpoint(order.base), load_tokenizer(_tokenizer_folder()))
        token = Token(order.token, order.noun)
        subject = NewSubject(token, _photos(images, masks, base.size), order.class_name)
        work = _work_folder(base, subject, settings)
        there = model_file(settings.method, name)
        if there is None or not is_trained(there, settings, base, [subject]):
            there = _models_folder(settings.method) / name
            _train(base, subject, settings, work / name)
            _move(work / name, there)
    model_management.soft_empty_cache()
    shown = _samples(work, f"{order.token}-{read_subject_file(there).step:06d}.png")
    return Done(f"{MODEL_FOLDERS[settings.method]}/{name}", shown)


def model_file(method: Method, name: str) -> Path | None:
    """The file of that name in the models folders of the method, if there is one."""
    from folder_paths import get_full_path

    path = get_full_path(MODEL_FOLDERS[method], name)
    return Path(path) if path else None


def _train(base: "BaseModel", subject: "NewSubject", settings: "Settings", path: Path) -> None:
    """Train with progress on the node, where Interrupt is heard after each step."""
    from comfy.utils import ProgressBar

    from ..core.images import open_image
    from ..trainer.subjects.train_recipe import WRITTEN_BELOW
    from ..trainer.subjects.train_subject import train_subjects

    bar, pictures = ProgressBar(settings.steps), []

    def report_loss(step: int, loss: float) -> None:
        grid = path.parent / "samples" / f"{path.stem}-{step:06d}.png"
        pictures[:] = [("PNG", open_image(grid), None)]

    def stepped(step: int) -> None:
        bar.update_absolute(step, settings.steps, pictures.pop() if pictures else None)

    with sole_use(path.parent, below=WRITTEN_BELOW):
        train_subjects(base, [subject], settings, _machine(), path, report_loss, on_step=stepped)


def _check_trainer() -> None:
    """Raises InputError when the libraries of the trainer are not installed."""
    try:
        import anyascii
        import diffusers
        import peft
    except ImportError as error:
        raise InputError(
            f"Training needs {error.name or 'the trainer'}, which ComfyUI's Python does not have. "
            f'Install it with: "{sys.executable}" -m {install_command(Extra.TRAINER)}'
        ) from None
    del anyascii, diffusers, peft


def _machine() -> "Machine":
    from comfy import model_management

    from ..trainer.subjects.machine import Machine

    device = model_management.get_torch_device()
    return Machine(str(device), bf16=model_management.should_use_bf16(device))


def _checkpoint(name: str) -> Path:
    from folder_paths import get_filename_list, get_full_path

    path = get_full_path("checkpoints", name)
    if path is None:
        near = did_you_mean(name, get_filename_list("checkpoints"))
        raise InputError(f"This server has no checkpoint {name!r} to train on.{near}")
    return Path(path)


def _tokenizer_folder() -> Path:
    from comfy import sd1_clip

    return Path(sd1_clip.__file__).with_name("sd1_tokenizer")


def _models_folder(method: Method) -> Path:
    from folder_paths import get_folder_paths

    return Path(get_folder_paths(MODEL_FOLDERS[method])[0])


def _photos(images: "Sequence[Tensor]", masks: "Sequence[Tensor]", size: int) -> "list[Photo]":
    from ..trainer.subjects.subject_photos import photos_from_arrays
    from .pictures import pixels

    photos = [image for batch in images for image in pixels(batch[..., :3])]
    outlines = [mask for batch in masks for mask in pixels(batch.reshape(-1, *batch.shape[-2:]))]
    if outlines and len(outlines) != len(photos):
        raise InputError(
            f"There {'is' if len(photos) == 1 else 'are'} {pluralize(len(photos), 'photo')} "
            f"and {pluralize(len(outlines), 'mask')}; provide one mask per photo."
        )
    return photos_from_arrays(photos, size, outlines)


def _work_folder(base: "BaseModel", subject: "NewSubject", settings: "Settings") -> Path:
    """A folder for this training alone, so that it never goes on with what another has left."""
    from folder_paths import get_output_directory

    token, photos = subject.token, [photo.digest for photo in subject.photos]
    boxes = [list(photo.box) for photo in subject.photos if photo.box]
    facts = [base.digest, token.word, token.noun, photos, settings.model_dump_json()]
    facts += [boxes] if boxes else []
    digest = sha256(json.dumps(facts).encode()).hexdigest()[:8]
    return inside(Path(get_output_directory()), *WORK.split("/"), f"{token.word}-{digest}")


def _move(source: Path, target: Path) -> None:
    """Models and outputs may be on two disks; the target appears whole or not at all."""
    with source.open("rb") as file, open_atomic(target) as written:
        shutil.copyfileobj(file, written)
    source.unlink()


def _samples(work: Path, name: str) -> list[dict[str, str]]:
    """The pictures of the look whose weights were kept; none when they were removed."""
    folder = f"{WORK}/{work.name}/samples"
    there = (work / "samples" / name).is_file()
    return [{"filename": name, "subfolder": folder, "type": "output"}] if there else []
