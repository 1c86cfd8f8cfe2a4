"""Stable Diffusion 1 and XL, small and random: folders and single files in, all our files out."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("peft")
pytest.importorskip("diffusers")

import torch
from manyshot.core.errors import InputError
from manyshot.core.subject_file import KEY, read_subject_file
from manyshot.driver.embedded.source import find_installed
from manyshot.trainer.stable_diffusion.architecture import load_tokenizer
from manyshot.trainer.subjects import train_subject as train
from manyshot.trainer.subjects.base_model import BaseModel, Family, encode_text, predict_noise
from manyshot.trainer.subjects.dreambooth import write_checkpoint
from manyshot.trainer.subjects.families import PARTS
from manyshot.trainer.subjects.inversion import KEYS, load_vectors
from manyshot.trainer.subjects.load_trained import load_trained
from manyshot.trainer.subjects.lora import prepare_lora
from manyshot.trainer.subjects.lora_files import PEFT_FILE
from manyshot.trainer.subjects.machine import Machine
from manyshot.trainer.subjects.open_base import open_base
from manyshot.trainer.subjects.sampling import draw_latents, start_noise
from manyshot.trainer.subjects.subject_photos import EncodedPhoto, NewSubject, Photo, read_photos
from manyshot.trainer.subjects.subject_settings import Settings
from manyshot.trainer.subjects.token_embeddings import Token, prompt_ids
from manyshot.trainer.subjects.train_subject import adapt_base, train_subjects
from manyshot.trainer.subjects.training_batches import (
    PromptEmbeddings,
    TrainingSet,
    batch_loss,
    sample_batch,
)
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from transformers import CLIPTokenizer

from ..support.tiny_pipelines import SIDE, build, save_folder, small_parts

FAMILIES: tuple[Family, ...] = ("sd1", "sdxl")
TOKEN = Token("blot-m1", "dog")
PROMPT = "a photo of a blot-m1 dog on the grass"


@pytest.fixture(autouse=True, scope="module")
def _tokenizers_are_read_once() -> Iterator[None]:
    """Each takes half a second, and every base has one or two."""
    read, kept = CLIPTokenizer.from_pretrained, {}

    def once(*given: Any, **more: Any) -> CLIPTokenizer:
        key = repr((given, more))
        kept[key] = kept.get(key) or read(*given, **more)
        return kept[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CLIPTokenizer, "from_pretrained", once)
        yield


@pytest.fixture(scope="module")
def tokenizer() -> CLIPTokenizer:
    source = find_installed()
    if source is None:
        pytest.skip("ComfyUI, whose tokenizer is used, is not installed: manyshot server install")
    return load_tokenizer(source.folder / "comfy" / "sd1_tokenizer")


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Single files are taken to be of the small sizes."""
    for family in FAMILIES:
        monkeypatch.setitem(PARTS, family, small_parts(family))
    monkeypatch.setattr(train, "draw_subject", lambda *_, **__: torch.zeros(1, 3, SIDE, SIDE))
    monkeypatch.setattr(train, "SAMPLES", 1)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory, tokenizer: CLIPTokenizer) -> dict[Any, Path]:
    place = tmp_path_factory.mktemp("folders")
    return {
        family: save_folder(place / family, build(family, small_parts(family), tokenizer))
        for family in FAMILIES
    }


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Photo]:
    folder, rng = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    for number in range(2):
        noise = rng.integers(0, 255, (8, 8, 3), np.uint8)
        Image.fromarray(noise).resize((SIDE, SIDE)).save(folder / f"{number}.png")
    return read_photos(sorted(folder.iterdir()), SIDE)


def noise_of(base: BaseModel, prompt: str = PROMPT) -> Tensor:
    """What the base finds in some noise."""
    with torch.no_grad():
        text = encode_text(base, prompt_ids(base, [prompt], "", 0))
        noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1))
        return predict_noise(base, noise, torch.tensor([300]), text)


def halved(base: BaseModel) -> BaseModel:
    """The base with weights as half precision has them."""
    for module in (base.unet, base.codec.module, *(part.encoder for part in base.text_towers)):
        module.half().float()
    return base


@pytest.mark.parametrize("family", FAMILIES)
def test_a_folder_becomes_a_single_file_that_is_the_same_base(
    family: Family, folders: dict[Any, Path], tokenizer: CLIPTokenizer, tmp_path: Path
) -> None:
    base = halved(open_base(folders[family], tokenizer))
    assert (base.family, base.size, base.prediction) == (family, SIDE, "epsilon")
    write_checkpoint(base, tmp_path / "whole.safetensors", {})
    again = open_base(tmp_path / "whole.safetensors", tokenizer)
    assert (again.family, again.size, again.prediction) == (family, SIDE, "epsilon")
    assert torch.equal(noise_of(again), noise_of(base))
    pixels = torch.rand(1, 3, SIDE, SIDE) * 2 - 1
    with torch.no_grad():
        latents = base.codec.encode(pixels)
        assert torch.equal(again.codec.encode(pixels), latents)
        assert torch.equal(again.codec.decode(latents), base.codec.decode(latents))


@pytest.mark.parametrize("family", FAMILIES)
def test_texts_are_heard_as_diffusers_pipelines_hear_them(
    family: Family, folders: dict[Any, Path], tokenizer: CLIPTokenizer
) -> None:
    base = open_base(folders[family], tokenizer)
    pipeline = build(family, small_parts(family), tokenizer)
    found = encode_text(base, prompt_ids(base, [PROMPT], "", 0))
    if family == "sd1":
        wanted, pooled = pipeline.encode_prompt(PROMPT, "cpu", 1, False)[0], None
    else:
        wanted, _, pooled, _ = pipeline.encode_prompt(
            PROMPT, device="cpu", do_classifier_free_guidance=False
        )
        assert found.pooled is not None
        assert torch.allclose(found.pooled, pooled, atol=1e-6)
    assert torch.allclose(found.states, wanted, atol=1e-6)


def test_learned_vectors_that_equal_a_words_are_heard_as_the_word(
    folders: dict[Any, Path], tokenizer: CLIPTokenizer
) -> None:
    base = open_base(folders["sdxl"], tokenizer)
    plain = encode_text(base, prompt_ids(base, ["a photo of a dog"], "", 0))
    dog = tokenizer("dog", add_special_tokens=False)["input_ids"]
    tables: list[Any] = [part.encoder.get_input_embeddings() for part in base.text_towers]
    own = [table.weight[dog] for table in tables]
    adapted = load_vectors(base, "blot-m1", own)
    found = adapted.encode(["a photo of a blot-m1"])
    assert torch.allclose(found.states, plain.states, atol=1e-6)
    assert plain.pooled is not None
    assert found.pooled is not None
    assert torch.allclose(found.pooled, plain.pooled, atol=1e-6)


METHODS: list[dict[str, Any]] = [
    {"method": "textual_inversion", "vectors": 2, "rate": 0.1},
    {"method": "lora", "rank": 2, "rate": 0.1, "text": True},
    {"method": "dreambooth", "rate": 1e-2, "text": True},
]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("how", METHODS, ids=lambda how: how["method"])
def test_what_is_trained_on_a_folder_loads_onto_it_again(
    how: dict[str, Any],
    family: Family,
    folders: dict[Any, Path],
    photos: list[Photo],
    tokenizer: CLIPTokenizer,
    tmp_path: Path,
) -> None:
    settings = Settings.model_validate({"steps": 2, "every": 2, "batch": 2, "held_out": 0, **how})
    base = open_base(folders[family], tokenizer)
    before = noise_of(base)
    path = tmp_path / "blot-m1.safetensors"
    adapted = train_subjects(
        base, [NewSubject(TOKEN, photos, "blot")], settings, Machine(bf16=True), path
    )
    assert adapted.path == path
    again = load_trained(path, open_base(folders[family], tokenizer))
    if how["method"] == "textual_inversion":
        tensors = load_file(path)
        for part, key in zip(base.text_towers, KEYS[family], strict=True):
            learned: Any = part.encoder.get_input_embeddings()
            assert torch.equal(learned.vectors, tensors[key])
        [word] = [subject.word for subject in read_subject_file(path).subjects]
        assert word == f"embedding:{again.inverted}"
    else:
        after = noise_of(again.base)
        assert (after - before).abs().mean() > 0.003
        assert torch.allclose(after, noise_of(base), atol=0.02)


@pytest.mark.parametrize("family", FAMILIES)
def test_diffusers_draws_with_both_files_of_a_lora_as_we_do(
    family: Family, folders: dict[Any, Path], tokenizer: CLIPTokenizer, tmp_path: Path
) -> None:
    base = open_base(folders[family], tokenizer)
    adapted = prepare_lora(base, rank=2, alpha=3.0, text=True, peft=True)
    with torch.no_grad():
        for weight in (p for group in adapted.parameters.values() for p in group):
            weight.copy_((torch.randn_like(weight) / 5).half())
    adapted.write(tmp_path / "own.safetensors", {KEY: "{}"})
    wanted = noise_of(base)
    assert (wanted - noise_of(open_base(folders[family], tokenizer))).abs().mean() > 0.01
    for place in (tmp_path / "own-peft", tmp_path / "own.safetensors"):
        pipeline = build(family, small_parts(family), tokenizer)
        pipeline.load_lora_weights(place)
        assert torch.allclose(noise_of(seen_by_us(pipeline, base)), wanted, atol=1e-3)
    with pytest.raises(InputError, match="not trained by manyshot"):
        read_subject_file(tmp_path / "own-peft" / PEFT_FILE)


def seen_by_us(pipeline: Any, base: BaseModel) -> BaseModel:
    """The base with a pipeline's networks."""
    encoders = [pipeline.text_encoder, getattr(pipeline, "text_encoder_2", None)]
    texts = [
        replace(part, encoder=one)
        for part, one in zip(base.text_towers, encoders, strict=False)
        if one
    ]
    return replace(base, unet=pipeline.unet, text_towers=tuple(texts))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("method", ["textual_inversion", "lora"])
def test_checkpointing_keeps_less_and_finds_the_same_gradients(
    method: str, family: Family, folders: dict[Any, Path], tokenizer: CLIPTokenizer
) -> None:
    found = []
    for checkpointing in (False, True):
        settings = Settings.model_validate({"method": method, "checkpointing": checkpointing})
        adapted = adapt_base(open_base(folders[family], tokenizer), [TOKEN], settings)
        learning = [p for group in adapted.parameters.values() for p in group]
        torch.manual_seed(0)
        photo = EncodedPhoto(torch.randn(2, 4, 8, 8), (None, None), "")
        step = sample_batch([TrainingSet([photo], [(adapted.word(TOKEN),)], 1.0)], 2, SIDE)
        kept: dict[int, int] = {}
        with saved_tensors_hooks(
            lambda t, kept=kept: kept.update({t.data_ptr(): t.nbytes}) or t, _same
        ):
            loss = batch_loss(adapted, PromptEmbeddings(adapted), step, None)
        found.append((torch.autograd.grad(loss, learning), sum(kept.values())))
    (plain, whole), (sparing, part) = found
    assert part < 0.6 * whole
    for one, other in zip(plain, sparing, strict=True):
        assert torch.allclose(one, other, atol=1e-7)


def _same(tensor: Tensor) -> Tensor:
    return tensor


def test_a_batch_in_parts_learns_the_same(
    folders: dict[Any, Path], photos: list[Photo], tokenizer: CLIPTokenizer, tmp_path: Path
) -> None:
    settings = Settings(method="textual_inversion", steps=3, every=3, batch=3, held_out=0)
    vectors = []
    for workers in (1, 2):
        base, path = open_base(folders["sd1"], tokenizer), tmp_path / f"{workers}.safetensors"
        new = [NewSubject(TOKEN, photos, "blot")]
        train_subjects(base, new, settings, Machine(workers=workers), path)
        vectors.append(load_file(path)["emb_params"])
    assert torch.allclose(*vectors, atol=1e-5)


def test_velocity_is_read_from_folders_and_single_files(
    tokenizer: CLIPTokenizer, tmp_path: Path
) -> None:
    said = {"prediction_type": "v_prediction", "rescale_betas_zero_snr": True}
    pipeline = build("sdxl", small_parts("sdxl", **said), tokenizer)
    base = open_base(save_folder(tmp_path / "folder", pipeline), tokenizer)
    assert base.prediction == "v_prediction"
    assert 0 < base.alphas.min() < 1e-7
    write_checkpoint(base, tmp_path / "whole.safetensors", {})
    again = open_base(tmp_path / "whole.safetensors", tokenizer)
    assert again.prediction == "v_prediction"
    assert torch.equal(again.alphas, base.alphas)
    text = encode_text(base, prompt_ids(base, [PROMPT], "", 0))
    drawn = draw_latents(base, text, text, start_noise(base, 1, 0), 2, 3.0)
    assert drawn.isfinite().all()


def test_folders_that_cannot_be_opened_are_told(
    folders: dict[Any, Path], tokenizer: CLIPTokenizer, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="has no model_index.json"):
        open_base(tmp_path, tokenizer)
    copy = tmp_path / "copy"
    shutil.copytree(folders["sd1"], copy)
    index = json.loads((copy / "model_index.json").read_text())

    def said(**changes: Any) -> Path:
        (copy / "model_index.json").write_text(json.dumps({**index, **changes}))
        return copy

    with pytest.raises(InputError, match="is a FluxPipeline"):
        open_base(said(_class_name="FluxPipeline"), tokenizer)
    with pytest.raises(InputError, match="SD 1.x and SDXL"):
        open_base(said(_class_name=["pipeline", "StableDiffusionPipeline"]), tokenizer)
    with pytest.raises(InputError, match="'unet' from neither diffusers nor transformers"):
        open_base(said(unet=["own_code", "UNet"]), tokenizer)
    said()
    weights = copy / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(InputError, match="cannot be opened"):
        open_base(copy, tokenizer)


def test_single_files_that_do_not_fit_are_told(
    folders: dict[Any, Path], tokenizer: CLIPTokenizer, tmp_path: Path
) -> None:
    whole = tmp_path / "whole.safetensors"
    write_checkpoint(open_base(folders["sd1"], tokenizer), whole, {})
    tensors = load_file(whole)
    first = "model.diffusion_model.input_blocks.0.0.weight"
    wide = {**tensors, first: torch.zeros(32, 9, 3, 3)}
    save_file(wide, tmp_path / "inpainting.safetensors")
    with pytest.raises(InputError, match="cannot be opened as such"):
        open_base(tmp_path / "inpainting.safetensors", tokenizer)
    del tensors[first]
    save_file(tensors, tmp_path / "less.safetensors")
    with pytest.raises(InputError, match="cannot be opened as such"):
        open_base(tmp_path / "less.safetensors", tokenizer)
