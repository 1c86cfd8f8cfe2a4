"""Subjects trained on manyshot-tiny for a few steps: what learns, what is written, what resumes."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("peft")
pytest.importorskip("diffusers")

import torch
from manyshot.core.errors import InputError, ManyshotError
from manyshot.core.subject_file import MODEL_FOLDERS, read_subject_file
from manyshot.core.tiny_files import TINY_MODEL
from manyshot.driver.embedded import EmbeddedServer
from manyshot.trainer.checkpoints import read_facts
from manyshot.trainer.images import to_bytes
from manyshot.trainer.subjects import fit
from manyshot.trainer.subjects import train_subject as train
from manyshot.trainer.subjects.base_model import TextEmbeddings
from manyshot.trainer.subjects.load_trained import load_trained
from manyshot.trainer.subjects.machine import Machine
from manyshot.trainer.subjects.open_base import open_base
from manyshot.trainer.subjects.sampling import draw_subject
from manyshot.trainer.subjects.subject_photos import (
    NewSubject,
    Photo,
    photos_from_arrays,
    read_photos,
)
from manyshot.trainer.subjects.subject_settings import Settings
from manyshot.trainer.subjects.token_embeddings import Token, check_word, prompt_ids
from manyshot.trainer.subjects.train_subject import TrainedFile, adapt_base, train_subjects
from manyshot.trainer.subjects.training_batches import PromptEmbeddings, batch_loss
from PIL import Image
from safetensors.torch import load_file

from ..support.opened_bases import opened
from ..support.tiny_graphs import CFG, NEGATIVE, SEED, STEPS, TROUBLE, drawn, stock_graph

TOKEN = Token("blot-m1", "dog")
FEW = {"steps": 4, "every": 2, "batch": 2, "held_out": 1}


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Photo]:
    folder, rng = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    for number in range(3):
        noise = rng.integers(0, 255, (16, 20, 3), np.uint8)
        Image.fromarray(noise).resize((200, 160)).save(folder / f"{number}.png")
    return read_photos(sorted(folder.iterdir()), 128)


@pytest.fixture(autouse=True, scope="module")
def _one_picture_a_look() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "SAMPLES", 1)
        patch.setattr(train, "draw_subject", partial(draw_subject, steps=1))
        yield


def settings(method: str, **changes: object) -> Settings:
    return Settings.model_validate({"method": method, **FEW, **changes})


def new(photos: list[Photo], token: Token = TOKEN) -> NewSubject:
    return NewSubject(token, photos, "blot")


def path(folder: Path) -> Path:
    return folder / "blot-m1.safetensors"


def trained(folder: Path, photos: list[Photo], method: str, **changes: object) -> TrainedFile:
    return train_subjects(
        opened(), [new(photos)], settings(method, **changes), Machine(), path(folder)
    )


METHODS: list[dict[str, Any]] = [
    {"method": "textual_inversion", "vectors": 2},
    {"method": "lora", "rank": 4},
    {"method": "lora", "rank": 4, "text": False, "prior": 2},
    {"method": "dreambooth", "rate": 1e-4},
    {"method": "dreambooth", "rate": 1e-4, "text": True, "average": 0.5},
]


@pytest.mark.parametrize("how", METHODS)
def test_each_method_learns_and_tells_of_itself(
    how: dict[str, Any], photos: list[Photo], tmp_path: Path
) -> None:
    found = trained(tmp_path, photos, **how)
    facts = read_subject_file(found.path)
    assert facts == found.facts
    assert (facts.subjects[0].token, facts.subjects[0].noun, facts.steps) == ("blot-m1", "dog", 4)
    assert facts.subjects[0].photos == tuple(photo.digest for photo in photos)
    assert facts.base_digest == opened().digest
    assert set(found.fitted.losses) == {0, 2, 4}
    assert len(list((tmp_path / "samples").glob("*.png"))) == 3
    assert not list(tmp_path.glob("*.training"))


def test_only_the_vectors_of_an_inversion_learn() -> None:
    adapted = adapt_base(opened(), [TOKEN], settings("textual_inversion", vectors=3))
    [vectors] = adapted.parameters["text"]
    assert vectors.shape == (3, 128)
    before = adapted.encode(["a photo of a dog"]).states
    with torch.no_grad():
        vectors += 1
    assert torch.equal(adapted.encode(["a photo of a dog"]).states, before)
    changed = adapted.encode([f"a photo of a {adapted.word(TOKEN)}"]).states
    assert not torch.equal(changed, before)


def test_a_frozen_prompt_sounds_the_same_whichever_others_come_with_it() -> None:
    """Worker threads hear prompts in any order, and rounding differs between batches."""

    def encode(prompts: Sequence[str]) -> TextEmbeddings:
        rounding = 0.01 * len(prompts)
        return TextEmbeddings(torch.tensor([[[len(prompt) + rounding]] for prompt in prompts]))

    base = SimpleNamespace(unet=SimpleNamespace(device=torch.device("cpu")))
    adapted: Any = SimpleNamespace(text_learns=False, encode=encode, base=base)
    prompts = ["a dog", "a horse", "a bird"]
    together, apart = PromptEmbeddings(adapted), PromptEmbeddings(adapted)
    for prompt in reversed(prompts):
        apart.encode([prompt])
    assert torch.equal(together.encode(prompts).states, apart.encode(prompts).states)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_same_seed_and_workers_give_the_same_weights_in_bfloat16(
    workers: int, photos: list[Photo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And without the cache of weights, which all threads share."""
    cached: list[bool] = []

    def watched(*parts: Any) -> torch.Tensor:
        cached.append(torch.is_autocast_cache_enabled())
        return batch_loss(*parts)

    monkeypatch.setattr(fit, "batch_loss", watched)
    vectors: list[torch.Tensor] = []
    for number in range(2):
        file = tmp_path / str(number) / "blot-m1.safetensors"
        own = settings("lora", rank=4, text=False, steps=2)
        machine = Machine(bf16=True, workers=workers)
        train_subjects(opened(), [new(photos)], own, machine, file)
        vectors.append(torch.cat([one.flatten() for one in load_file(file).values()]))
    assert torch.equal(*vectors)
    assert set(cached) == {False}


def test_a_token_is_as_many_ids_as_vectors_and_other_words_keep_theirs() -> None:
    base = opened()
    words = ["blot-m1", "a blot-m1, on grass", "xblot-m1 blot-m12"]
    own, between, neither = prompt_ids(base, words, "blot-m1", 2)[0].tolist()
    first = 49_408
    assert own[:4] == [49_406, first, first + 1, 49_407]
    assert [i for i in between if i >= first] == [first, first + 1]
    assert not [i for i in neither if i >= first]
    plain = prompt_ids(base, ["a , on grass"], "blot-m1", 0)[0].tolist()[0]
    assert [i for i in between if i < first][:6] == plain[:6]


def test_an_interrupted_training_goes_on_to_the_same_file(
    photos: list[Photo], tmp_path: Path
) -> None:
    whole = trained(tmp_path / "whole", photos, method="lora", rank=2)

    def stop(step: int, loss: float) -> None:
        if step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_subjects(
            opened(),
            [new(photos)],
            settings("lora", rank=2),
            Machine(),
            path(tmp_path / "cut"),
            stop,
        )
    again = trained(tmp_path / "cut", photos, method="lora", rank=2)
    one, other = load_file(whole.path), load_file(again.path)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[key], other[key]) for key in one)


def test_a_step_that_is_stopped_in_a_thread_is_saved(photos: list[Photo], tmp_path: Path) -> None:
    def stop(step: int) -> None:
        if step == 3:  # no look comes here
            raise InterruptedError

    def run() -> None:
        base, own = opened(), settings("textual_inversion")
        train_subjects(base, [new(photos)], own, Machine(), path(tmp_path), on_step=stop)

    with ThreadPoolExecutor(1) as thread, pytest.raises(InterruptedError):
        thread.submit(run).result()
    assert read_facts(next(tmp_path.glob("*.training")))["step"] == 3


def test_photos_that_lie_in_no_file(photos: list[Photo]) -> None:
    rng = np.random.default_rng(1)
    images = [rng.integers(0, 255, (160, 200, 3), np.uint8) for _ in range(3)]
    mask = np.zeros((160, 200), np.uint8)
    mask[80:120, 50:150] = 255
    found = photos_from_arrays(images, 128, [mask] * 3)
    assert [photo.pixels.shape for photo in found] == [photo.pixels.shape for photo in photos]
    assert {photo.box for photo in found} == {(40, 64, 120, 96)}
    assert len({photo.digest for photo in found}) == 3
    with pytest.raises(InputError, match="Photo 2 is 40x30 pixels"):
        photos_from_arrays([images[0], images[1][:30, :40]], 128)
    with pytest.raises(InputError, match="The mask of photo 1 does not have the size"):
        photos_from_arrays(images, 128, [mask[:, :100]] * 3)
    with pytest.raises(InputError, match="there is 1"):
        photos_from_arrays(images[:1], 128)


def test_lora_has_kohyas_names(tmp_path: Path) -> None:
    adapt_base(opened(), [TOKEN], settings("lora", rank=4)).write(path(tmp_path), {})
    found = load_file(path(tmp_path))
    modules = {key.partition(".")[0] for key in found}
    assert "lora_te_text_model_encoder_layers_3_mlp_fc2" in modules
    middle = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_out_0"
    assert found[f"{middle}.lora_down.weight"].shape == (4, 256)
    assert found[f"{middle}.lora_up.weight"].shape == (256, 4)
    assert found[f"{middle}.alpha"] == 4
    assert len(found) == 3 * len(modules)


def test_what_cannot_be_trained_is_told(photos: list[Photo], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs at least 2 photos, but there is 1"):
        read_photos([photos[0].path], 128)
    broken = tmp_path / "broken.png"
    broken.write_bytes(photos[0].path.read_bytes()[:100])
    with pytest.raises(InputError, match=r"broken\.png cannot be read"):
        read_photos([photos[0].path, broken], 128)
    with pytest.raises(InputError, match="photos are identical"):
        read_photos([photos[0].path] * 2, 128)
    with pytest.raises(InputError, match="'dog' is a word that the model already"):
        check_word(opened(), "dog")
    check_word(opened(), "sks")
    with pytest.raises(InputError, match="letters, digits"):
        check_word(opened(), "../up")
    with pytest.raises(InputError, match="narrowest layer"):
        adapt_base(opened(), [TOKEN], settings("lora", rank=320))
    with pytest.raises(InputError, match="none are left"):
        trained(tmp_path, photos, method="lora", held_out=3)


def test_boxes_are_of_the_file_and_scaled_with_it(photos: list[Photo]) -> None:
    paths = [photo.path for photo in photos]  # 200 x 160 pixels, which become 160 x 128
    found = read_photos(paths, 128, boxes=[(50, 40, 150, 160), None, (0, 0, 200, 160)])
    assert [photo.box for photo in found] == [(40, 32, 120, 128), None, (0, 0, 160, 128)]
    with pytest.raises(InputError, match=r"inside .*0\.png, which is 200x160 pixels"):
        read_photos(paths, 128, boxes=[(50, 40, 201, 160), None, None])


def test_a_disk_without_room_is_told_before_training(
    photos: list[Photo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nearly_full = SimpleNamespace(total=10**12, used=10**12 - 10**7, free=10**7)
    monkeypatch.setattr("shutil.disk_usage", lambda folder: nearly_full)
    with pytest.raises(ManyshotError, match=r"has 0\.0 GB free, and lora needs about 0\.1 GB"):
        trained(tmp_path, photos, method="lora")
    assert not list(tmp_path.glob("*.training"))


def test_wrong_bases_are_told(tmp_path: Path) -> None:
    tokenizer = opened().text_towers[0].tokenizer
    adapt_base(opened(), [TOKEN], settings("lora", rank=2)).write(path(tmp_path), {})
    with pytest.raises(InputError, match="a LoRA, an embedding or a VAE is not a base"):
        open_base(path(tmp_path), tokenizer)
    with pytest.raises(InputError, match="no base model"):
        open_base(tmp_path / "none.safetensors", tokenizer)
    pickled = tmp_path / "model.ckpt"
    pickled.write_bytes(b"\x80\x04")
    with pytest.raises(InputError, match="can run code"):
        open_base(pickled, tokenizer)
    with pytest.raises(InputError, match="can run code"):
        load_trained(pickled, opened())
    with pytest.raises(InputError, match="not trained by manyshot"):
        read_subject_file(TINY_MODEL)


@pytest.fixture(scope="module")
def strong(photos: list[Photo], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A file of each method that changes pictures a lot, with our own picture beside each."""
    folder = tmp_path_factory.mktemp("strong")
    rates = {"textual_inversion": 0.6, "lora": 0.04, "dreambooth": 2e-3}
    found = {}
    for method, rate in rates.items():
        base = opened()
        own = settings(method, rate=rate, text=True, held_out=0, steps=4, every=4)
        file = path(folder / method)
        found[method] = train_subjects(base, [new(photos)], own, Machine(), file).path
    return found


def ours(file: Path) -> np.ndarray:
    """Bytes (2, 128, 128, 3) by our own sampler with the values that the file holds."""
    adapted = load_trained(file, opened())
    word = read_subject_file(file).subjects[0].word.removeprefix("embedding:")
    pixels = draw_subject(adapted, [f"a photo of a {word}"] * 2, SEED, NEGATIVE, STEPS, CFG)
    return to_bytes(pixels).numpy()


@pytest.mark.server
@pytest.mark.parametrize("method", ["textual_inversion", "lora", "dreambooth"])
def test_stock_nodes_draw_what_the_trainer_draws(
    comfyui: EmbeddedServer, strong: dict[str, Path], method: str
) -> None:
    facts = read_subject_file(strong[method])
    place = comfyui.folder / "models" / MODEL_FOLDERS[facts.method] / strong[method].name
    place.write_bytes(strong[method].read_bytes())
    graph = stock_graph()
    graph["2"]["inputs"]["text"] = f"a photo of a {facts.subjects[0].word}"
    if method == "dreambooth":
        graph["1"]["inputs"]["ckpt_name"] = place.name
    if method == "lora":
        strengths = {"strength_model": 1.0, "strength_clip": 1.0}
        graph["11"] = {
            "class_type": "LoraLoader",
            "inputs": {"model": ["1", 0], "clip": ["1", 1], "lora_name": place.name, **strengths},
        }
        graph["5"]["inputs"]["model"] = ["11", 0]
        graph["2"]["inputs"]["clip"] = graph["3"]["inputs"]["clip"] = ["11", 1]
    before = comfyui.log.stat().st_size
    found = np.stack(drawn(comfyui.url, graph)).astype(int)
    said = comfyui.log.read_bytes()[before:].decode()
    place.unlink()
    difference = np.abs(ours(strong[method]).astype(int) - found)
    assert difference.max() <= 4
    assert difference.mean() < 0.3
    plain = stock_graph()
    plain["2"]["inputs"]["text"] = "a photo of a dog"
    assert np.abs(np.stack(drawn(comfyui.url, plain)).astype(int) - found).mean() > 3
    assert not [line for line in said.splitlines() if any(w in line.lower() for w in TROUBLE)]
