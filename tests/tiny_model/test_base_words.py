"""What the text encoder is taught, and that it learns it."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from manyshot.core.errors import InputError
from manyshot.core.pets import Entry
from manyshot.core.tiny_sizes import Sizes
from tiny_model import text_pretraining as wd
from tiny_model.captions import Caption, broad_captions, captions

CAPTIONS = [
    *captions(Entry("a_1", 0, "cat"), "green", None),
    *captions(Entry("b_1", 1, "dog"), None, "close-up"),
    *captions(Entry("c_1", 2, "dog")),
    *broad_captions("bus"),
    Caption(""),
]


def chances(text: str, topic: int) -> list[float]:
    subject = wd.topics(CAPTIONS)[topic]
    return subject.chances([next(c for c in CAPTIONS if c.text == text)]).tolist()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a photo of a A", [1, 0, 0, 0]),
        ("a photo of a dog", [0, 0.5, 0.5, 0]),
        ("blurry", [0.25] * 4),
        ("", [0.25] * 4),
        ("bus, blurry", [0, 0, 0, 1]),
    ],
)
def test_captions_mean_the_classes_they_name(text: str, wanted: list[float]) -> None:
    assert chances(text, 0) == pytest.approx(wanted)


def test_what_is_not_said_is_a_value_of_its_own() -> None:
    species, background, nearness = (topic.values for topic in wd.topics(CAPTIONS)[1:])
    assert (species, background, nearness) == (("", "cat", "dog"), ("", "green"), ("", "close-up"))
    assert chances("a photo of a A, green background", 2) == [0, 1]
    assert chances("a photo of a A", 2) == [1, 0]


@given(st.randoms(use_true_random=False))
def test_a_lesson_is_made_of_its_parts(rng: random.Random) -> None:
    lesson = wd.random_lesson(CAPTIONS, ["alpha"], rng)
    assert len(lesson.parts) in (1, 2)
    assert all(part.text in lesson.text for part in lesson.parts)
    for topic in wd.topics(CAPTIONS):
        assert topic.chances(lesson.parts).sum() == pytest.approx(1.0)


class Tokenizer:
    """Words to ids by their letters, in the shape of SD1's."""

    def __call__(self, texts: list[str], **_: object) -> dict[str, list[list[int]]]:
        rows = [[49_406, *(sum(map(ord, w)) % 900 for w in t.split())] for t in texts]
        return {"input_ids": [(row + 77 * [49_407])[:77] for row in rows]}

    def get_vocab(self) -> dict[str, int]:
        return {"harbour</w>": 1, "cube</w>": 2, "ab</w>": 3, "half": 4}


def test_lessons_are_learned_and_kept(tmp_path: Path) -> None:
    torch.manual_seed(0)
    sizes = Sizes(text_width=32, text_layers=1, text_heads=2)
    first = wd.pretrain_text_encoder(tmp_path, sizes, Tokenizer(), CAPTIONS, 60)  # pyright: ignore
    assert not any(parameter.requires_grad for parameter in first.parameters())
    again = wd.pretrain_text_encoder(tmp_path, sizes, Tokenizer(), CAPTIONS, 60)  # pyright: ignore
    pairs = zip(first.parameters(), again.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    few = wd.pretrain_words(wd.build_text_encoder(sizes), Tokenizer(), CAPTIONS, 1)  # pyright: ignore
    more = wd.pretrain_words(wd.build_text_encoder(sizes), Tokenizer(), CAPTIONS, 60)  # pyright: ignore
    assert more < few / 2


def test_one_seed_gives_one_text_encoder(tmp_path: Path) -> None:
    sizes = Sizes(text_width=16, text_layers=1, text_heads=2)

    def weights(name: str, seed: int) -> torch.Tensor:
        torch.rand(1)  # what ran before decides nothing
        run = tmp_path / name
        encoder = wd.pretrain_text_encoder(run, sizes, Tokenizer(), CAPTIONS, 1, seed)  # pyright: ignore
        return torch.cat([value.flatten() for value in encoder.state_dict().values()])

    first = weights("first", 1)
    assert torch.equal(first, weights("again", 1))
    assert not torch.equal(first, weights("other", 2))


def test_a_missing_text_encoder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist: run `python tools/tiny_model train`"):
        wd.load_text_encoder(tmp_path, Sizes())
