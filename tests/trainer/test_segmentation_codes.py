"""Real and synthetic masks of different codes in one measurement: by name, or refused."""

from pathlib import Path

import numpy as np
import pytest
from manyshot.core.errors import InputError
from manyshot.trainer.measure.measure_recipe import Data
from manyshot.trainer.measure.segmentation.pair_cache import read_store
from manyshot.trainer.measure.segmentation.pair_data import (
    Pair,
    pair_data,
    resolve_code,
    synthetic_pairs,
    with_codes,
)
from PIL import Image


def folder(path: Path, value: int) -> Path:
    labels = np.zeros((32, 32), np.uint8)
    labels[8:20, 8:24] = value
    rng = np.random.default_rng(value)
    for name in ("0", "1", "2", "3"):
        photo = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)  # no two of them are copies
        for kind, pixels, suffix in (("images", photo, ".jpg"), ("masks", labels, ".png")):
            (path / kind).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path / kind / (name + suffix))
    return path


@pytest.mark.parametrize(
    ("real_palette", "synthetic_palette", "said"),
    [
        (None, None, "show 'object' .* do not have: background, class 1"),
        (None, "classes: {background: 0, class 1: 255}", None),
        (
            "{classes: {background: 0, object: 1}, ignore: 255}",
            None,
            "shows an object: the values are",
        ),
        ("classes: {background: 0, object: [1, 255]}", None, None),
        ("classes: {background: 0, object: 1}", "threshold: 128", None),
    ],
)
def test_codes_that_differ_go_by_name_or_are_refused(
    tmp_path: Path, real_palette: str | None, synthetic_palette: str | None, said: str | None
) -> None:
    real, synthetic = folder(tmp_path / "real", 1), folder(tmp_path / "synthetic", 255)
    for place, text in ((real, real_palette), (synthetic, synthetic_palette)):
        if text:
            (place / "palette.yaml").write_text(text)
    data = Data(path=real, test_share=0.5)
    found = pair_data(data)
    pairs = [one for one in (*found.real, *found.test) if isinstance(one, Pair)]
    code = resolve_code(data, pairs)
    others = [one for one in synthetic_pairs(data, synthetic, found) if isinstance(one, Pair)]
    if said:
        with pytest.raises(InputError, match=said):
            with_codes(data, others, code)
        return
    read = with_codes(data, others, code)
    masks = read_store([*pairs, *read], code, 32, lambda what, done, of: None)[1]
    assert (masks == masks[0]).all()
    assert set(np.unique(masks)) == {0, 1}
