"""The word of a logo: what an OCR and a detector make of pictures."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("peft")
pytest.importorskip("diffusers")

import onnx
from manyshot.core.errors import InputError
from manyshot.trainer.subjects.evaluation.logo_plugins import open_detector
from manyshot.trainer.subjects.evaluation.text_rendering import measure_text_rendering, word_score
from onnx import TensorProto, helper
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from ..support.noise_photos import photo


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
    alone = measure_text_rendering(shown, "hugo", lambda _: next(said))
    both = measure_text_rendering(
        shown, "hugo", lambda _: next(said), lambda _: np.array([1.0, 0.5])
    )
    assert (alone.ocr, alone.read, alone.detector, alone.score) == (0.75, 0.5, None, 0.75)
    assert (both.detector, both.score) == (0.75, 0.75)


def logo(word: str, blur: float = 0, ground: str = "firebrick") -> np.ndarray:
    image = Image.new("RGB", (128, 128), ground)
    font, draw = ImageFont.load_default(32), ImageDraw.Draw(image)
    draw.text(((128 - draw.textlength(word, font)) / 2, 46), word, "white", font)
    return np.asarray(image.filter(ImageFilter.GaussianBlur(blur)))


def test_logos_are_read_until_they_are_too_blurred() -> None:
    pytest.importorskip("rapidocr_onnxruntime", exc_type=ImportError)
    from manyshot.trainer.subjects.evaluation.logo_plugins import open_reader

    reader = open_reader()
    clear = measure_text_rendering([logo("HUGO"), logo("HUGO", 1, "darkgreen")], "HUGO", reader)
    assert clear.score == 1
    misspelt = measure_text_rendering([logo("HUCO")], "HUGO", reader)
    assert misspelt.score == 0.75
    gone = measure_text_rendering([logo("HUGO", 8)], "HUGO", reader)
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
