"""How like subjects their pictures are: the measures by themselves, and one evaluation for real."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("peft")
pytest.importorskip("diffusers")

import onnx
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from manyshot.cli import app
from manyshot.core.errors import InputError
from manyshot.core.subject_file import read_subject_file
from manyshot.driver.embedded.base import TINY_MODEL
from manyshot.driver.embedded.source import installed_source
from manyshot.trainer.base.architecture import load_tokenizer
from manyshot.trainer.images import pixel_digest
from manyshot.trainer.subjects import train
from manyshot.trainer.subjects.evaluation import pictures
from manyshot.trainer.subjects.evaluation.choose import Scored, choose, looks_of, why
from manyshot.trainer.subjects.evaluation.clip import open_clip
from manyshot.trainer.subjects.evaluation.detector import open_detector
from manyshot.trainer.subjects.evaluation.diversity import diversity, relative_diversity
from manyshot.trainer.subjects.evaluation.extractors import open_extractor
from manyshot.trainer.subjects.evaluation.lettering import lettering, word_score
from manyshot.trainer.subjects.evaluation.likeness import (
    bounds,
    ceiling,
    difference,
    pairwise,
    similarity,
)
from manyshot.trainer.subjects.evaluation.memory import memory, middle, square_crops
from manyshot.trainer.subjects.evaluation.obedience import (
    class_probe,
    contexts_followed,
    contexts_left_out,
)
from manyshot.trainer.subjects.evaluation.pictures import Drawing
from manyshot.trainer.subjects.evaluation.real import find_photos, photos_of
from manyshot.trainer.subjects.evaluation.results import FILE, read_results
from manyshot.trainer.subjects.machine import Machine
from manyshot.trainer.subjects.open_base import open_base
from manyshot.trainer.subjects.photos import NewSubject, read_photos
from manyshot.trainer.subjects.settings import Settings
from manyshot.trainer.subjects.train import train_subjects
from manyshot.trainer.subjects.words import Token
from onnx import TensorProto, helper
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from typer.testing import CliRunner


def rows(count: int, seed: int, centre: int | None = None, spread: float = 0.3) -> np.ndarray:
    """Features (count, 12) of unit length, around an axis or anywhere."""
    found = np.random.default_rng(seed).normal(size=(count, 12))
    if centre is not None:
        found = np.eye(12)[centre] + spread * found
    return found / np.linalg.norm(found, axis=1, keepdims=True)


counts = st.integers(1, 7)


@given(counts, counts, st.integers(0, 99))
def test_the_pairwise_cosine_is_the_mean_over_all_pairs(n: int, m: int, seed: int) -> None:
    first, second = rows(n, seed), rows(m, seed + 1)
    by_hand = np.mean([[a @ b for b in second] for a in first])
    assert pairwise(first, second) == pytest.approx(by_hand)


@given(st.integers(0, 6), st.integers(1, 6), st.integers(0, 99))
def test_the_ceiling_is_the_mean_over_pairs_of_different_photos(k: int, m: int, seed: int) -> None:
    photos = rows(k + m, seed)
    held_out = photos[k:]
    pairs = [a @ b for j, b in enumerate(held_out) for i, a in enumerate(photos) if i != k + j]
    found = ceiling(photos, held_out)
    assert found == (pytest.approx(np.mean(pairs)) if pairs else None)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 99))
def test_the_interval_holds_the_similarity(n: int, m: int, seed: int) -> None:
    pictures, held_out = rows(n, seed), rows(m, seed + 1)
    found = similarity(pictures, held_out)
    assert found.value == pytest.approx(pairwise(pictures, held_out))
    assert found.low - 1e-9 <= found.value <= found.high + 1e-9
    same = difference(pictures, pictures, held_out)
    assert same.value == pytest.approx(0)
    assert same.low - 1e-9 <= 0 <= same.high + 1e-9


def test_more_pictures_of_the_subject_lie_nearer_to_its_photos() -> None:
    held_out, own, other = rows(8, 0, 0), rows(30, 1, 0), rows(30, 2, 1)
    assert difference(own, other, held_out).low > 0.3
    wide, narrow = similarity(own[:4], held_out), similarity(own, held_out)
    assert narrow.high - narrow.low < wide.high - wide.low
    between = (own + other) / np.linalg.norm(own + other, axis=1, keepdims=True)
    photos = np.concatenate([rows(5, 3, 0), held_out])
    found = bounds(photos, held_out, {"far": other, "between": between})
    assert found.nearest_class == "between"
    assert found.nearest is not None
    assert found.nearest == pytest.approx(pairwise(between, held_out))
    assert found.mean == pytest.approx((found.nearest + pairwise(other, held_out)) / 2)
    assert found.reached(pairwise(own, held_out)) == pytest.approx(1, abs=0.1)
    assert found.mean is not None
    assert found.reached(found.mean) == 0
    assert 0.2 < (found.reached(found.nearest) or 0) < 0.9


def test_bounds_that_are_missing_or_not_apart_place_nothing() -> None:
    one = rows(1, 0)
    assert bounds(one, one, {}).ceiling is None
    assert bounds(rows(3, 1), one, {}).reached(0.5) is None
    held_out = rows(4, 0, 0)
    assert bounds(held_out, held_out, {"as like": held_out}).reached(0.9) is None


@given(st.integers(2, 7), st.integers(0, 99))
def test_diversity_is_the_mean_distance_of_different_pictures(n: int, seed: int) -> None:
    found = rows(n, seed)
    pairs = [1 - found[i] @ found[j] for i in range(n) for j in range(i)]
    assert diversity(found) == pytest.approx(np.mean(pairs))
    assert relative_diversity(found, found) == pytest.approx(1)


def test_diversity_needs_two_and_something_to_compare_with() -> None:
    same = np.repeat(rows(1, 0), 3, axis=0)
    assert diversity(same) == pytest.approx(0)
    assert diversity(same[:1]) is None
    assert relative_diversity(rows(3, 0), same[:1]) is None


def photo(seed: int, height: int = 48, width: int = 80) -> np.ndarray:
    small = np.random.default_rng(seed).integers(0, 255, (6, 10, 3), np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


@pytest.mark.parametrize(("height", "width"), [(48, 48), (48, 80), (80, 48), (48, 49)])
def test_square_crops_span_the_photo(height: int, width: int) -> None:
    image = photo(0, height, width)
    crops = square_crops(image)
    assert {crop.shape for crop in crops} == {(48, 48, 3)}
    assert np.array_equal(crops[0], image[:48, :48])
    assert np.array_equal(crops[-1], image[-48:, -48:])
    assert middle(image).shape == (48, 48, 3)


def test_crops_of_training_photos_are_found_and_others_are_not() -> None:
    training, others = [photo(i) for i in range(4)], [photo(i) for i in range(10, 20)]
    copies = [square_crops(training[i])[-1][:, ::-1] for i in (2, 0)]
    fresh = [square_crops(image)[0] for image in others[:2]]
    found = memory([*copies, *fresh], training, others)
    assert found.share == 0.5
    assert found.expected == 0
    assert found.excess == 0.5
    assert found.photo[:2].tolist() == [2, 0]


def test_memory_is_in_excess_of_what_photos_have_by_chance() -> None:
    alike = [photo(0) for _ in range(3)]
    found = memory(alike, alike[:1], alike)
    assert (found.share, found.expected, found.excess) == (1, 1, 0)


def test_a_probe_tells_whose_picture_it_is() -> None:
    real = {"cat": rows(3, 0, 0), "dog": rows(30, 1, 1), "cow": rows(30, 2, 2)}
    probe = class_probe(real)
    assert probe is not None
    assert probe.share(rows(20, 3, 0), "cat") > 0.7
    assert probe.share(rows(20, 3, 1), "cat") < 0.1
    assert class_probe({"cat": real["cat"]}) is None


def in_contexts(subject: int, seed: int, obey: float) -> np.ndarray:
    """Features (3, 8, 12): a subject in three contexts, from eight seeds."""
    own = np.random.default_rng(seed).normal(size=(8, 12)) + 4 * np.eye(12)[subject]
    found = own + 3 * obey * np.eye(12)[3:6][:, None]
    noise = 0.1 * np.random.default_rng(seed + 1).normal(size=found.shape)
    found += noise
    return found / np.linalg.norm(found, axis=-1, keepdims=True)


def test_contexts_are_followed_whatever_the_subject_looks_like() -> None:
    shown = in_contexts(0, 0, obey=1)
    assert contexts_left_out(shown) == 1
    assert contexts_followed(in_contexts(1, 7, obey=1), shown) == 1
    deaf = contexts_followed(in_contexts(1, 7, obey=0), shown)
    assert deaf is not None
    assert deaf < 0.7
    assert contexts_followed(shown[:1], shown[:1]) is None
    assert contexts_left_out(shown[:, :1]) is None


def scored(*found: tuple[float, float]) -> list[Scored]:
    return [Scored(Path(f"{i}"), 10 * i, *one) for i, one in enumerate(found, 1)]


@pytest.mark.parametrize(
    ("found", "step", "said"),
    [
        ([(0.5, 0.0), (0.7, 0.05), (0.6, 0.0)], 20, "Step 20 is the most similar (0.700) of 3"),
        ([(0.5, 0.0), (0.7, 0.4), (0.6, 0.1)], 30, "1 of them left out for repeating"),
        ([(0.7, 0.0), (0.7, 0.0)], 10, "Step 10"),
        ([(0.5, 0.3), (0.7, 0.9)], 10, "Every step repeats more than 10%"),
    ],
)
def test_the_most_like_step_that_does_not_copy_is_chosen(
    found: list[tuple[float, float]], step: int, said: str
) -> None:
    looks = scored(*found)
    chosen = choose(looks, 0.1)
    assert chosen.step == step
    assert said in why(chosen, looks, 0.1)


def test_looks_are_told_from_those_of_other_files(tmp_path: Path) -> None:
    (tmp_path / "looks").mkdir()
    for name in ("a-000010", "a-000002", "a-b-000002", "ab-000002", "a-x"):
        (tmp_path / "looks" / f"{name}.safetensors").touch()
    assert list(looks_of(tmp_path / "a.safetensors")) == [2, 10]
    assert looks_of(tmp_path / "looks" / "a.safetensors") == {}


@pytest.mark.parametrize(
    ("lines", "score"),
    [
        (["HUGO"], 1),
        (["hugo"], 1),
        ([], 0),
        (["BOSS"], 0),
        (["HUCO"], 0.75),
        (["HUGOO"], 0.75),
        (["SALE", "at Hugo today"], 1),
        (["a long line of other text"], 0),
    ],
)
def test_a_word_is_scored_by_its_character_error_rate(lines: list[str], score: float) -> None:
    assert word_score(lines, "HUGO") == pytest.approx(score)


def test_words_on_two_lines_are_read_together() -> None:
    assert word_score(["HUGO", "BOSS"], "Hugo Boss") == 1


def test_a_logos_score_is_the_mean_of_ocr_and_detector() -> None:
    shown, said = [photo(0), photo(1)], iter([["HUGO"], ["HU"], ["HUGO"], ["HU"]])
    alone = lettering(shown, "hugo", lambda _: next(said))
    both = lettering(shown, "hugo", lambda _: next(said), lambda _: np.array([1.0, 0.5]))
    assert (alone.ocr, alone.read, alone.detector, alone.score) == (0.75, 0.5, None, 0.75)
    assert (both.detector, both.score) == (0.75, 0.75)


def logo(word: str, blur: float = 0, ground: str = "firebrick") -> np.ndarray:
    image = Image.new("RGB", (128, 128), ground)
    font, draw = ImageFont.load_default(32), ImageDraw.Draw(image)
    draw.text(((128 - draw.textlength(word, font)) / 2, 46), word, "white", font)
    return np.asarray(image.filter(ImageFilter.GaussianBlur(blur)))


def test_logos_are_read_until_they_are_too_blurred() -> None:
    pytest.importorskip("rapidocr_onnxruntime", exc_type=ImportError)
    from manyshot.trainer.subjects.evaluation.ocr import open_reader

    reader = open_reader()
    clear = lettering([logo("HUGO"), logo("HUGO", 1, "darkgreen")], "HUGO", reader)
    assert clear.score == 1
    misspelt = lettering([logo("HUCO")], "HUGO", reader)
    assert misspelt.score == 0.75
    gone = lettering([logo("HUGO", 8)], "HUGO", reader)
    assert gone.score == 0


def test_a_detectors_surest_box_counts(tmp_path: Path) -> None:
    """The file gives two boxes of one class, as sure as the picture is bright and half of it."""
    bright = helper.make_node("ReduceMean", ["x"], ["mean"], axes=[1, 2, 3], keepdims=1)
    nodes = [
        bright,
        helper.make_node("Reshape", ["mean", "shape"], ["one"]),
        helper.make_node("Mul", ["one", "weights"], ["y"]),
    ]
    values = [
        helper.make_tensor("shape", TensorProto.INT64, [3], [1, 1, 1]),
        helper.make_tensor("weights", TensorProto.FLOAT, [1, 5, 2], [9.0] * 8 + [1.0, 0.5]),
    ]
    graph = helper.make_graph(
        nodes,
        "yolo",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 32, 32])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 5, 2])],
        values,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.save(model, tmp_path / "logo.onnx")
    found = open_detector(tmp_path / "logo.onnx")([np.full((32, 32, 3), 255, np.uint8)] * 2)
    assert found == pytest.approx([1, 1])
    half = open_detector(tmp_path / "logo.onnx")([np.full((32, 32, 3), 51, np.uint8)])
    assert half == pytest.approx([0.2])
    (tmp_path / "none.onnx").write_bytes(b"none")
    with pytest.raises(InputError, match=r"none\.onnx cannot be opened"):
        open_detector(tmp_path / "none.onnx")


def tokenizer_folder() -> Path:
    source = installed_source()
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
    own = photos_of(found, "blot", known, most=3)
    assert list(own.training) == known
    assert len(own.held_out) == 3
    assert not set(own.held_out) & set(own.training.values())
    assert {name: len(paths) for name, paths in own.others.items()} == {"spot": 3, "stain": 3}
    image = np.asarray(Image.open(photos / "blot" / "1.png"))
    drawn = photos_of(found, "blot", [pixel_digest(image)], most=9)
    assert [path.name for path in drawn.training.values()] == ["1.png"]
    assert len(drawn.held_out) == 4
    flat = find_photos([photos / "blot"])
    assert {one.class_name for one in flat} == {"blot"}
    with pytest.raises(InputError, match="Did you mean 'blot'"):
        photos_of(found, "blott", [], most=3)
    with pytest.raises(InputError, match="No real photo of 'blot' is held out"):
        photos_of(flat, "blot", [one.digest for one in flat], most=3)


def test_photos_that_choose_are_set_apart(photos: Path) -> None:
    own = photos_of(find_photos([photos]), "blot", [], most=40)
    apart = own.set_apart()
    assert len(apart.choosing) == 2
    assert {*apart.choosing, *apart.held_out} == set(own.held_out)
    few = photos_of(find_photos([photos]), "blot", [], most=3).set_apart()
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
    assert list(looks_of(lora)) == [1, 2]
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
    chosen = looks_of(lora)[figures.choices[0].step]
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
        ((), "Give the trained files to evaluate"),
        (("{lora}",), "Give --real"),
        (("{lora}", "--real", "{photos}", "--dataset", "{photos}"), "a dataset folder itself says"),
        (("{photos}", "--real", "{photos}"), "no .safetensors files in it"),
        (("{lora}x", "--real", "{photos}"), "no such file"),
        (("{lora}", "--real", "{photos}/blot/0.png"), "There is no folder"),
        (("{lora}", "--real", "{photos}/spot"), "No real photo of 'blot' is held out"),
        (("{lora}", "--real", "{photos}", "--template", "a photo"), "lacks {}"),
        (("{lora}", "--real", "{photos}", "--backbone", "resnett34"), "There is no net"),
        (("{lora}", "--real", "{photos}", "--detector", "x.onnx"), "belongs to --word"),
        (("--dataset", "{photos}/none", "--real", "{photos}"), "There is no folder"),
    ],
)
def test_what_cannot_be_evaluated_is_told(
    given: tuple[str, ...], said: str, lora: Path, photos: Path
) -> None:
    code, found = evaluate(*(one.format(lora=lora, photos=photos) for one in given))
    assert code == 2
    assert said in found


def test_templates_take_turns() -> None:
    drawing = Drawing(3, templates=("a {}", "{} {0.__class__}"), contexts=("snow",))
    assert drawing.prompts("x") == ["a x", "x {0.__class__}", "a x"]
    assert drawing.context_prompts("x") == ["a x, snow"]
