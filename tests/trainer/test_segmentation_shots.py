"""The pairs of a measurement laid out, and known again in what is made from them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("torchmetrics")
pytest.importorskip("segmentation_models_pytorch")

from manyshot.core.data.labelled_image import label_mask
from manyshot.core.data.reader import read_folder
from manyshot.core.errors import InputError
from manyshot.core.masks.label_mask import IGNORE, LabelMask
from manyshot.core.masks.labelled_png import encode_png, read_labels
from manyshot.core.masks.read import PETS
from manyshot.core.pets import FOLDER
from manyshot.core.records import METADATA, Record
from manyshot.trainer.measure.arms import Arm
from manyshot.trainer.measure.draws import draw_shots
from manyshot.trainer.measure.material import make_table, read_data
from manyshot.trainer.measure.measure_recipe import Data, MeasureRecipe
from manyshot.trainer.measure.origins import origins
from manyshot.trainer.measure.photos import lay_out_shots
from manyshot.trainer.measure.segmentation.pair_cache import read_store
from manyshot.trainer.measure.segmentation.pair_data import Pair, resolve_code, synthetic_pairs
from manyshot.trainer.measure.sources import Dataset
from PIL import Image

from ..support.segmentation_shapes import disc, save_pairs

SPECIES = {"Abyssinian": "cat", "Beagle": "dog"}


def recipe(data: Data, folder: Path) -> MeasureRecipe:
    return MeasureRecipe(
        task="segmentation",
        data=data,
        arms=[Arm(add="real")],
        shots=[1, 2],
        draws=2,
        output=folder / "out",
    )


def pets(folder: Path) -> Path:
    """Oxford-IIIT Pet with two breeds, four pairs of each in either part."""
    lists: dict[str, list[str]] = {"trainval": [], "test": []}
    for number in range(16):
        breed, part = list(SPECIES)[number % 2], list(lists)[number // 2 % 2]
        kind = 1 if SPECIES[breed] == "cat" else 2
        image, mask = disc(number)
        name = f"{breed}_{number}"
        lists[part].append(f"{name} {number % 2 + 1} {kind} 1\n")
        trimap = np.select([mask == 1, mask == IGNORE], [1, 3], 2).astype(np.uint8)
        places = (("images", image, "jpg"), ("annotations/trimaps", trimap, "png"))
        for part_folder, pixels, suffix in places:
            path = folder / FOLDER / part_folder / f"{name}.{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    for part, lines in lists.items():
        (folder / FOLDER / "annotations" / f"{part}.txt").write_text("".join(lines))
    return folder


def made_from(folder: Path, rows: Sequence[tuple[str, list[Path]]]) -> Path:
    """A dataset folder: for each row a class and the photos that its image was made from."""
    records: list[Record] = []
    for number, (class_name, sources) in enumerate(rows):
        image, mask = disc(700 + number)
        files = [f"{part}/{class_name}/{number}.png" for part in ("images", "masks")]
        for name in files:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / files[0])
        named = LabelMask(mask, ("background", SPECIES.get(class_name, "cat")))
        (folder / files[1]).write_bytes(encode_png(named))
        records.append(
            Record(
                file_name=files[0],
                class_name=class_name,
                label=0,
                mask_file_name=files[1],
                source_image=str(sources[0]) if sources else None,
                source_images=tuple(map(str, sources)) if len(sources) > 1 else (),
            )
        )
    (folder / METADATA).write_text("".join(record.line() for record in records))
    return folder


@pytest.mark.parametrize("by_class", [True, False])
def test_pets_are_laid_out_by_breed_with_masks_of_their_species(
    tmp_path: Path, by_class: bool
) -> None:
    data = Data(kind="pets", path=pets(tmp_path / "pets"), by_class=by_class)
    count = lay_out_shots(recipe(data, tmp_path), tmp_path / "shots")
    found = read_folder(tmp_path / "shots")
    assert len(found) == count
    assert {pair.class_name for pair in found} <= set(SPECIES)
    for pair in found:
        mask = label_mask(pair)
        number = int(pair.image.stem.split("_")[1])
        assert mask.classes == ("background", SPECIES[pair.class_name])
        assert (mask.labels == disc(number)[1]).all()


def _without_an_object(folder: Path) -> Path:
    """Pairs of two classes, of which those of `kind1` show background alone."""
    save_pairs(folder, 8, classes=2)
    for path in (folder / "masks" / "kind1").iterdir():
        Image.fromarray(np.zeros_like(np.asarray(Image.open(path)))).save(path)
    return folder


def test_a_pair_without_an_object_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    given = recipe(Data(path=_without_an_object(tmp_path / "data")), tmp_path)
    assert lay_out_shots(given, tmp_path / "shots") == len(read_folder(tmp_path / "shots"))
    assert {pair.class_name for pair in read_folder(tmp_path / "shots")} == {"kind0"}
    assert "is left out: its mask shows no object" in caplog.text


def test_no_pair_with_an_object_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    save_pairs(folder, 8, classes=2)
    for path in (folder / "masks").rglob("*.png"):
        Image.fromarray(np.zeros_like(np.asarray(Image.open(path)))).save(path)
    (folder / "palette.yaml").write_text("classes: {background: 0, object: 1}")
    with pytest.raises(InputError, match="there is nothing to copy"):
        lay_out_shots(recipe(Data(path=folder), tmp_path), tmp_path / "shots")


def test_a_mask_of_another_size_than_its_upright_photo_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    save_pairs(folder, 8, classes=2)
    turned = Image.Exif()
    turned[0x112] = 6
    for path in (folder / "images").rglob("*.*"):
        Image.open(path).convert("RGB").crop((0, 0, 32, 24)).save(path, exif=turned)
    for path in (folder / "masks").rglob("*.png"):
        labels = np.asarray(Image.open(path))[:24]
        Image.fromarray(labels).save(path)
    with pytest.raises(InputError, match="32x24 pixels and its image 24x32"):
        lay_out_shots(recipe(Data(path=folder), tmp_path), tmp_path / "shots")


def test_trimaps_without_a_pet_are_not_drawn_from(tmp_path: Path) -> None:
    path = pets(tmp_path / "pets")
    before = read_data(Data(kind="pets", path=path), "segmentation")
    blank = path / FOLDER / "annotations" / "trimaps" / f"{before.real[0].name}.png"
    Image.fromarray(np.full((32, 32), 3, np.uint8)).save(blank)
    found = read_data(Data(kind="pets", path=path), "segmentation")
    assert [pair.name for pair in found.real] == [pair.name for pair in before.real[1:]]
    assert "1 trimaps of trainval show no pet" in found.description


def test_each_draw_has_a_folder_of_pairs(tmp_path: Path) -> None:
    data = Data(kind="pets", path=pets(tmp_path / "pets"))
    count = lay_out_shots(recipe(data, tmp_path), tmp_path / "shots", each_draw=True)
    folders = sorted(path.name for path in (tmp_path / "shots").iterdir())
    assert folders == ["1-0", "1-1", "2-0", "2-1"]
    found = [len(read_folder(tmp_path / "shots" / name)) for name in folders]
    assert (found, count) == ([2, 2, 4, 4], 12)


@pytest.mark.parametrize("by_class", [True, False])
@pytest.mark.parametrize("gone", [True, False])
def test_photos_are_known_again_by_content_or_by_name_in_their_class(
    tmp_path: Path, by_class: bool, gone: bool
) -> None:
    """The photos of both classes have the same names, as photos of single folders often have."""
    for kind in ("kind0", "kind1"):
        save_pairs(tmp_path / kind, 4, first=40 if kind == "kind1" else 0)
        for part in ("images", "masks"):
            (tmp_path / "real" / part).mkdir(parents=True, exist_ok=True)
            (tmp_path / kind / part).rename(tmp_path / "real" / part / kind)
    data = read_data(Data(path=tmp_path / "real", by_class=by_class), "segmentation")
    photos = (*data.real, *data.test)
    sources = [Path("gone") / one.path.name if gone else one.path for one in photos]
    rows = [(one.own_class, [path]) for one, path in zip(photos, sources, strict=True)]
    made = synthetic_pairs(
        Data(path=tmp_path, by_class=by_class), made_from(tmp_path / "made", rows), data
    )
    found = origins(data, made)
    assert found is not None
    assert found[:, 0].tolist() == list(range(len(photos)))


def test_what_is_made_from_laid_out_photos_is_known_by_content(tmp_path: Path) -> None:
    given = Data(kind="pets", path=pets(tmp_path / "pets"), by_class=False)
    lay_out_shots(recipe(given, tmp_path), tmp_path / "shots")
    laid_out = read_folder(tmp_path / "shots")
    rows = [(pair.class_name, [pair.image]) for pair in laid_out]
    data = read_data(given, "segmentation")
    made = synthetic_pairs(given, made_from(tmp_path / "made", rows), data)
    table = make_table(data, made)
    draws = [draw_shots(table, 2, number).shots for number in range(2)]
    assert table.source is not None
    assert set(table.source[table.synthetic, 0]) == set(np.concatenate(draws))
    fitting = [table.comes_only_from(table.synthetic, shots).sum() for shots in draws]
    assert fitting == [2, 2]


@pytest.mark.parametrize("gone", [True, False])
def test_a_composed_scene_belongs_only_to_draws_that_hold_all_its_photos(
    tmp_path: Path, gone: bool
) -> None:
    given = Data(kind="pets", path=pets(tmp_path / "pets"))
    data = read_data(given, "segmentation")
    cats, dogs = ([one for one in data.real if one.class_name == name] for name in SPECIES)
    paths = [cats[0].path, dogs[0].path]
    sources = [Path("gone") / path.name for path in paths] if gone else paths
    folder = made_from(tmp_path / "made", [("Abyssinian", sources), ("Beagle", [])])
    table = make_table(data, synthetic_pairs(given, folder, data))
    scene = table.synthetic[:1]
    photos = np.array([data.real.index(cats[0]), data.real.index(dogs[0])])
    assert table.comes_only_from(scene, photos).all()
    assert not table.comes_only_from(scene, photos[:1]).any()
    assert not table.comes_only_from(scene, photos[1:]).any()


def code_and_pairs(folder: Path, names: Sequence[tuple[str, str]]) -> Dataset:
    """A pair folder of masks that name their classes, and its dataset."""
    for number, classes in enumerate(names):
        image, mask = disc(number)
        for part in ("images", "masks"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / "images" / f"{number}.png")
        (folder / "masks" / f"{number}.png").write_bytes(encode_png(LabelMask(mask, classes)))
    return read_data(Data(path=folder, test_share=0.5), "segmentation")


def test_masks_that_name_their_classes_need_no_palette(tmp_path: Path) -> None:
    both = [("background", "dog"), ("background", "cat")] * 2
    data = code_and_pairs(tmp_path, both)
    pairs = [one for one in (*data.real, *data.test) if isinstance(one, Pair)]
    code = resolve_code(Data(path=tmp_path), pairs)
    assert code.classes[0] == "background"
    assert set(code.classes) == {"background", "cat", "dog"}
    masks = read_store(pairs, code, 32, lambda what, done, of: None)[1]
    for pair, mask in zip(pairs, masks, strict=True):
        number = int(pair.path.stem)
        assert set(np.unique(mask)) == {0, code.classes.index(both[number][1]), IGNORE}
        assert ((mask == 0) == (disc(number)[1] == 0)).all()


def test_species_are_pets_where_trimaps_are_learned_from(tmp_path: Path) -> None:
    image, mask = disc(3)
    for species in ("cat", "dog"):
        path = tmp_path / f"{species}.png"
        path.write_bytes(encode_png(LabelMask(mask, ("background", species))))
        assert (read_labels(path, PETS) == mask).all()
    path.write_bytes(encode_png(LabelMask(mask, ("background", "bird"))))
    with pytest.raises(InputError, match=r"dog\.png shows 'bird', which is not a class here"):
        read_labels(path, PETS)
