"""Subjects evaluated for real: real photos that judge, trained files and dataset folders."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("peft")
pytest.importorskip("diffusers")

import torch
from manyshot.cli import app
from manyshot.core.errors import InputError
from manyshot.core.subject_file import read_subject_file
from manyshot.core.tiny_files import TINY_MODEL
from manyshot.driver.embedded.source import find_installed
from manyshot.trainer.images import pixel_digest
from manyshot.trainer.stable_diffusion.architecture import load_tokenizer
from manyshot.trainer.subjects import train_subject as train
from manyshot.trainer.subjects.evaluation import subject_pictures as pictures
from manyshot.trainer.subjects.evaluation.checkpoint_choice import list_checkpoints
from manyshot.trainer.subjects.evaluation.clip import open_clip
from manyshot.trainer.subjects.evaluation.evaluation_results import FILE, read_results
from manyshot.trainer.subjects.evaluation.extractors import open_extractor
from manyshot.trainer.subjects.evaluation.real_photos import find_photos, select_photos
from manyshot.trainer.subjects.machine import Machine
from manyshot.trainer.subjects.open_base import open_base
from manyshot.trainer.subjects.subject_photos import NewSubject, read_photos
from manyshot.trainer.subjects.subject_settings import Settings
from manyshot.trainer.subjects.token_embeddings import Token
from manyshot.trainer.subjects.train_subject import train_subjects
from PIL import Image
from typer.testing import CliRunner

from ..support.noise_photos import photo


def tokenizer_folder() -> Path:
    source = find_installed()
    if source is None:
        pytest.skip("ComfyUI, whose tokenizer is used, is not installed: manyshot server install")
    return source.folder / "comfy" / "sd1_tokenizer"


def test_clip_is_read_from_a_folder(tmp_path: Path) -> None:
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPTokenizer

    small = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1}
    small |= {"num_attention_heads": 2, "projection_dim": 8}
    config = CLIPConfig(
        text_config={**small, "vocab_size": 49408},
        vision_config={**small, "image_size": 32, "patch_size": 16},
        projection_dim=8,
    )
    CLIPModel(config).save_pretrained(tmp_path)
    size = {"height": 32, "width": 32}
    CLIPImageProcessor(size=size, crop_size=size).save_pretrained(tmp_path)
    CLIPTokenizer.from_pretrained(tokenizer_folder()).save_pretrained(tmp_path)
    found = open_extractor(f"clip:{tmp_path}")
    assert found.texts is not None
    seen, said = found.pictures([photo(0), photo(1)]), found.texts(["a cat", "a dog on grass"])
    assert seen.shape == said.shape == (2, 8)
    assert np.linalg.norm(seen, axis=1) == pytest.approx(1, abs=1e-5)
    with pytest.raises(InputError, match="CLIP cannot be loaded"):
        open_clip(str(tmp_path / "none"))


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Class folders: five photos of a blot, and four of each of two others."""
    folder = tmp_path_factory.mktemp("photos")
    for start, (name, count) in enumerate([("blot", 5), ("spot", 4), ("stain", 4)]):
        (folder / name).mkdir()
        for number in range(count):
            image = Image.fromarray(photo(100 * start + number, 160, 200))
            image.save(folder / name / f"{number}.png")
    return folder


def test_photos_that_were_trained_on_never_judge(photos: Path) -> None:
    found = find_photos([photos])
    assert find_photos([photos, photos / "blot"]) == found
    known = [one.digest for one in found if one.class_name == "blot"][:2]
    own = select_photos(found, "blot", known, most=3)
    assert list(own.training) == known
    assert len(own.held_out) == 3
    assert not set(own.held_out) & set(own.training.values())
    assert {name: len(paths) for name, paths in own.other_classes.items()} == {
        "spot": 3,
        "stain": 3,
    }
    image = np.asarray(Image.open(photos / "blot" / "1.png"))
    drawn = select_photos(found, "blot", [pixel_digest(image)], most=9)
    assert [path.name for path in drawn.training.values()] == ["1.png"]
    assert len(drawn.held_out) == 4
    flat = find_photos([photos / "blot"])
    assert {one.class_name for one in flat} == {"blot"}
    with pytest.raises(InputError, match="Did you mean 'blot'"):
        select_photos(found, "blott", [], most=3)
    with pytest.raises(InputError, match="No real photo of 'blot' is held out"):
        select_photos(flat, "blot", [one.digest for one in flat], most=3)


def test_photos_that_choose_are_set_apart(photos: Path) -> None:
    own = select_photos(find_photos([photos]), "blot", [], most=40)
    apart = own.set_apart()
    assert len(apart.choosing) == 2
    assert {*apart.choosing, *apart.held_out} == set(own.held_out)
    few = select_photos(find_photos([photos]), "blot", [], most=3).set_apart()
    assert few.choosing == few.held_out


@pytest.fixture(scope="module")
def words() -> Path:
    """The tokenizer, looked up before a test has a cache of its own."""
    return tokenizer_folder()


@pytest.fixture(scope="module")
def lora(photos: Path, words: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA of two steps, with the file of each."""
    path = tmp_path_factory.mktemp("lora") / "blot-m1.safetensors"
    base = open_base(TINY_MODEL, load_tokenizer(words))
    own = read_photos(sorted((photos / "blot").iterdir())[:3], 128)
    few = {"method": "lora", "rank": 2, "steps": 2, "every": 1, "batch": 1}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "draw_subject", black)
        train_subjects(
            base,
            [NewSubject(Token("blot-m1", "dog"), own, "blot")],
            Settings.model_validate(few),
            Machine(),
            path,
            keep_looks=True,
        )
    return path


def black(*_: object, **__: object) -> torch.Tensor:
    """In place of pictures of looks, which cost more than the steps."""
    return torch.zeros(1, 3, 8, 8)


def evaluate(*given: object) -> tuple[int, str]:
    found = CliRunner().invoke(app, ["subject", "evaluate", *map(str, given)])
    if isinstance(found.exception, InputError):
        return 2, str(found.exception)
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    return found.exit_code, found.output


FEW = ("--count", 2, "--batch", 2, "--context-count", 1, "--context", "green background")


def test_a_trained_file_is_judged_and_its_best_look_chosen(
    lora: Path, photos: Path, words: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "STEPS", 2)
    assert list(list_checkpoints(lora)) == [1, 2]
    seconds = read_subject_file(lora).seconds
    assert seconds > 0
    code, said = evaluate(lora, "--real", photos, "--choose", "--tokenizer", words, *FEW)
    assert code == 0, said
    folder = lora.parent / "evaluation"
    [figures] = read_results(folder / FILE).subjects
    assert (figures.class_name, figures.training, figures.held_out) == ("blot", 3, 2)
    assert [row.method for row in figures.rows] == ["class-name prompt", "noun prompt", "lora"]
    row = figures.rows[-1]
    [name] = row.likeness
    assert name.startswith("opennsfw")
    assert row.step == figures.choices[0].step
    assert row.size == lora.stat().st_size
    assert row.likeness[name].above is not None
    assert row.memorised is not None
    assert figures.reference[name].bounds.nearest_class in ("spot", "stain")
    assert "| LoRA |" in (folder / "evaluation.md").read_text()
    with Image.open(folder / "sheet-blot.jpg") as sheet:
        assert sheet.width > 500
    chosen = list_checkpoints(lora)[figures.choices[0].step]
    assert lora.read_bytes() == chosen.read_bytes()


def test_a_dataset_folder_is_judged_by_what_it_says_of_itself(
    lora: Path, photos: Path, tmp_path: Path, cache: Path
) -> None:
    from dataclasses import asdict

    folder = tmp_path / "set"
    (folder / "images" / "blot").mkdir(parents=True)
    lines = []
    for number in range(3):
        name = f"images/blot/{number}.png"
        image = Image.open(photos / "blot" / "0.png").crop((0, 0, 160, 160))
        image.resize((64, 64)).save(folder / name)
        lines.append(json.dumps({"file_name": name, "class_name": "blot", "label": 0}))
    (folder / "metadata.jsonl").write_text("\n".join(lines))
    facts = {"file": "f", "sha256": "0", "classes": {"blot": "blot-m1"}}
    facts |= asdict(read_subject_file(lora))
    (folder / "manyshot.json").write_text(json.dumps({"subjects": [facts]}))
    code, said = evaluate("--dataset", folder, "--real", photos)
    assert code == 0, said
    [figures] = read_results(folder / "evaluation" / FILE).subjects
    [row] = figures.rows
    assert row.method == "lora (set)"
    assert row.memorised is not None
    assert row.memorised.share == 1
    assert row.memorised.photos == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((), "Pass the trained files to evaluate"),
        (("{lora}",), "Pass --real"),
        (("{lora}", "--real", "{photos}", "--dataset", "{photos}"), "a dataset folder records"),
        (("{photos}", "--real", "{photos}"), "is a folder of photos, not a trained subject"),
        (("{lora}x", "--real", "{photos}"), "There is nothing at"),
        (("{lora}", "--real", "{photos}/blot/0.png"), "is a picture, not a folder"),
        (("{lora}", "--real", "{photos}/spot"), "No real photo of 'blot' is held out"),
        (("{lora}", "--real", "{photos}", "--template", "a photo"), "lacks {}"),
        (("{lora}", "--real", "{photos}", "--backbone", "resnett34"), "There is no net"),
        (("{lora}", "--real", "{photos}", "--detector", "x.onnx"), "needs --word"),
        (("--dataset", "{photos}/none", "--real", "{photos}"), "There is nothing at"),
    ],
)
def test_what_cannot_be_evaluated_is_told(
    given: tuple[str, ...], said: str, lora: Path, photos: Path
) -> None:
    code, found = evaluate(*(one.format(lora=lora, photos=photos) for one in given))
    assert code == 2
    assert said in found
