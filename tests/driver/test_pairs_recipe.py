"""Recipes whose jobs are made from labelled photos: which photo, which scene, which id."""

import io
import json
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from manyshot import recipes
from manyshot.core.data.labelled_image import read_pair
from manyshot.core.data.reader import read_folder
from manyshot.core.errors import InputError
from manyshot.core.masks.ade20k import ade20k_colours
from manyshot.core.masks.control import draw_control
from manyshot.core.masks.label_mask import LabelMask
from manyshot.core.masks.labelled_png import encode_png
from manyshot.core.masks.scene import augment_scene
from manyshot.core.masks.variation import Variation
from manyshot.core.palettes import COLOURS
from manyshot.driver.job import Job
from manyshot.driver.plan import Plan
from manyshot.driver.prepare import prepare
from manyshot.driver.recipe import parse_recipe, read_recipe
from PIL import Image

from ..support.pair_folders import TALL, WIDE, write_pair, write_pairs

GRAPH = {
    "1": {"class_type": "LoadImage", "_meta": {"title": "Picture"}, "inputs": {"image": "x.png"}},
    "2": {"class_type": "CLIPTextEncode", "_meta": {"title": "Positive"},
          "inputs": {"clip": ["9", 1], "text": ""}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 48, "batch_size": 1}},
    "6": {"class_type": "KSampler", "inputs": {"latent_image": ["5", 0], "seed": 1,
          "positive": ["2", 0], "image": ["1", 0]}},
    "8": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "x"}},
}  # fmt: skip
BIND = {"Picture.image": "$control", "Positive.text": "$prompt", "KSampler.seed": "$seed"}
LABELLED = {
    **GRAPH,
    "1": {"class_type": "ManyshotLoadLabelled", "inputs": {
        "folder": "pairs", "layout": "auto", "first": 0, "count": 1, "times": 1}},
    "2": {"class_type": "CLIPTextEncode", "inputs": {"clip": ["9", 1], "text": ["3", 0]}},
    "3": {"class_type": "ManyshotMaskPrompts", "inputs": {
        "mask": ["1", 1], "mask_classes": ["1", 2], "class_name": ["1", 3], "seed": 3,
        "templates": "{classes} called {class_name}", "contexts": "", "lists": "",
        "negative": "", "words": "cat: fluffy cat"}},
    "6": {"class_type": "KSampler", "inputs": {"latent_image": ["5", 0], "seed": ["3", 3],
          "positive": ["2", 0], "image": ["1", 0], "mask": ["1", 1]}},
    "8": {"class_type": "ManyshotSaveLabelled", "inputs": {
        "images": ["6", 0], "masks": ["1", 1], "mask_classes": ["1", 2], "class_name": ["3", 2],
        "prompt": ["3", 0], "negative": ["3", 1], "seed": ["3", 3], "name": ["1", 4],
        "folder": "x", "delivery": "folder"}},
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_pairs(tmp_path / "pairs")


@pytest.fixture
def plan_of(tmp_path: Path, folder: Path):
    def make(pairs: dict | None = None, graph: dict = GRAPH, with_pairs=True, **recipe) -> Plan:
        path = tmp_path / "graph.json"
        path.write_text(json.dumps(graph))
        bind = {"bind": BIND} if graph is GRAPH else {}
        given = {"workflow": str(path), "output": str(tmp_path / "out"), "images_per_class": 3}
        data = {**given, **bind, "pairs": {"folder": str(folder), **(pairs or {})}, **recipe}
        if not with_pairs:
            del data["pairs"]
        return prepare(parse_recipe(data, "r.yaml"), None)

    return make


def made(plan: Plan, job: Job, field: str) -> np.ndarray:
    found = plan.graphs.render_inputs(job)
    assert found is not None
    return np.asarray(Image.open(io.BytesIO(found.files[field])))


def grey_values(picture: np.ndarray) -> np.ndarray:
    """The one channel of a picture (height, width, 3) whose channels are equal."""
    assert (picture == picture[:, :, :1]).all()
    return picture[:, :, 0]


def test_classes_are_those_of_the_pairs_and_photos_take_turns(plan_of) -> None:
    jobs = list(plan_of())
    assert [(job.class_name, job.label, job.pairs) for job in jobs] == [
        ("Beagle", 0, ["Beagle/b0.png"]), ("Persian", 1, ["Persian/p0.png"]),
        ("Beagle", 0, ["Beagle/b1.png"]), ("Persian", 1, ["Persian/p1.png"]),
        ("Beagle", 0, ["Beagle/b0.png"]), ("Persian", 1, ["Persian/p0.png"]),
    ]  # fmt: skip


def test_a_value_is_one_class_in_all_masks_of_a_run(plan_of, folder: Path) -> None:
    (folder / "palette.yaml").unlink()
    for path in folder.glob("masks/*/*.png"):
        labels = np.asarray(Image.open(path))
        own = {"Persian": "cat", "Beagle": "dog"}[path.parent.name]
        small = np.where(labels == 2, 1, labels).astype(np.uint8)
        path.write_bytes(encode_png(LabelMask(small, ("background", own))))
    plan = plan_of()
    masks = [plan.graphs.render_inputs(job).mask for job in plan]
    assert {mask.classes for mask in masks} == {("background", "dog", "cat")}
    assert {mask.visible_classes() for mask in masks} == {("dog",), ("cat",)}


def test_batches_take_turns_too(plan_of) -> None:
    jobs = list(plan_of(batch_size=2, images_per_class=6, classes=["Persian"]))
    assert [job.pairs[0][-6:-4] for job in jobs] == ["p0", "p1", "p0"]


def test_a_scene_is_the_photo_varied_by_the_jobs_seed(plan_of, folder: Path) -> None:
    plan = plan_of({"vary": True, "border": 2})
    for job in plan:
        [pair] = [pair for pair in read_folder(folder) if pair.name == job.pairs[0]]
        wanted, _ = augment_scene(read_pair(pair), Variation(cover=True), job.seed, (48, 64), 2)
        found = plan.graphs.render_inputs(job)
        assert found is not None
        assert found.mask is not None
        assert (found.mask.labels == wanted.mask.labels).all()
        assert (made(plan, job, "control") == draw_control(wanted.mask)).all()


@pytest.mark.parametrize("vary", [None, False])
def test_without_vary_the_mask_is_fitted_as_it_is(plan_of, vary) -> None:
    plan = plan_of({"vary": vary, "size": [WIDE, TALL]})
    job = next(job for job in plan if job.class_name == "Persian")
    control = made(plan, job, "control")
    assert control.shape == (TALL, WIDE, 3)
    places = {"cat": (12, 10), "background": (0, 0), "border": (9, 7)}
    assert {name: tuple(control[place]) for name, place in places.items()} == {
        name: COLOURS[name] for name in places
    }


def test_every_picture_shows_the_same_scene(plan_of) -> None:
    graph = {**GRAPH, "8": {"class_type": "SaveImage", "inputs": {"filename_prefix": "x"}}}
    for number, field in enumerate(("image", "mask", "control", "labels")):
        graph[f"2{number}"] = {"class_type": "LoadImage", "inputs": {"image": ""}}
        graph["8"]["inputs"][field] = [f"2{number}", 0]
    fields = ("image", "mask", "control", "labels")
    bind = {f"@2{n}.image": f"${name}" for n, name in enumerate(fields)}
    plan = plan_of({"vary": True, "size": [48, 48]}, graph, bind=bind)
    for job in plan:
        shapes = {made(plan, job, name).shape for name in fields}
        assert shapes == {(48, 48, 3)}  # in colour: grey PNG come as other values on some servers
        labels, objects = (grey_values(made(plan, job, name)) for name in ("labels", "mask"))
        assert ((objects == 255) == (labels > 0)).all()
        coloured = made(plan, job, "control")
        assert ((coloured == COLOURS["border"]).all(axis=2) == (labels == 255)).all()


@pytest.mark.parametrize(
    ("controlnet", "pairs", "said"),
    [
        ("manyshot-tiny-segmentation.safetensors", {}, ()),
        ("manyshot-tiny-segmentation.safetensors", {"table": {"cat": "#123456"}}, ("cat #123456",)),
        ("control_v11p_sd15_seg_fp16.safetensors", {}, ("ADE20K", "cat #ff6000, dog #0060ff")),
        ("control_v11p_sd15_seg_fp16.safetensors", {"colours": "ade20k"}, ()),
    ],
)
def test_colours_that_the_controlnet_does_not_know_are_warned_of(
    plan_of, caplog, controlnet, pairs, said
) -> None:
    loader = {"class_type": "ControlNetLoader", "inputs": {"control_net_name": controlnet}}
    graph = {**GRAPH, "7": loader, "6": {**GRAPH["6"], "inputs": GRAPH["6"]["inputs"] | {
        "control_net": ["7", 0]}}}  # fmt: skip
    plan_of(pairs, graph, bind=BIND)
    assert [words in caplog.text for words in said] == [True] * len(said)
    assert said or "ControlNet" not in caplog.text


def test_colours_of_ade20k_by_the_table(plan_of) -> None:
    plan = plan_of({"colours": "ade20k", "table": {"dog": "#010203", "cat": "sofa"}})
    for job in plan:
        shown = {tuple(colour) for colour in made(plan, job, "control").reshape(-1, 3)}
        own = (1, 2, 3) if job.class_name == "Beagle" else ade20k_colours()["sofa"]
        assert shown == {(0, 0, 0), own}


def test_composed_scenes_show_the_objects_of_several_photos(plan_of) -> None:
    plan = plan_of({"compose": 3, "vary": True, "size": [96, 96]}, images_per_class=8)
    shown = set()
    for job in plan:
        assert len(set(job.pairs)) == 3
        found = plan.graphs.render_inputs(job)
        assert found is not None
        assert found.mask is not None
        shown.add(found.mask.visible_classes())
    assert ("cat", "dog") in shown


@pytest.mark.parametrize(
    "other",
    [
        {"vary": True},
        {"vary": {"rotate": 3}},
        {"border": 1},
        {"size": [64, 64]},
        {"colours": "ade20k"},
        {"table": {"cat": "#123456"}},
        {"compose": 2},
    ],
)
def test_ids_follow_from_the_settings(plan_of, other) -> None:
    assert not {job.id for job in plan_of()} & {job.id for job in plan_of(other)}
    assert plan_of().fingerprint() != plan_of(other).fingerprint()


def test_ids_follow_from_the_content_of_photos_and_masks_alone(plan_of, folder: Path) -> None:
    before = {job.pairs[0]: job.id for job in plan_of(images_per_class=2)}
    for path in folder.rglob("*.png"):
        path.touch()
    assert {job.pairs[0]: job.id for job in plan_of(images_per_class=2)} == before
    write_pair(folder, "Persian/p1", 1, 9)
    after = {job.pairs[0]: job.id for job in plan_of(images_per_class=2)}
    assert {name for name in after if after[name] != before[name]} == {"Persian/p1.png"}


def test_nothing_is_drawn_for_a_plan(plan_of, monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("drawn")

    monkeypatch.setattr("manyshot.driver.pairs.labelled_photos.build_scene", fail)
    assert len(list(plan_of({"vary": True}, images_per_class=50))) == 100


def test_load_labelled_becomes_stock_nodes_with_the_jobs_values(plan_of) -> None:
    plan = plan_of({"vary": True}, LABELLED)
    job = next(job for job in plan if job.class_name == "Persian")
    found = plan.graphs.render_inputs(job)
    assert found is not None
    graph = plan.graphs.graph(job, "n", found)
    assert {node["class_type"] for node in graph.values()}.isdisjoint(
        {"ManyshotLoadLabelled", "ManyshotMaskPrompts"}
    )
    assert graph["1"] == {
        "class_type": "LoadImage",
        "inputs": {"image": f"manyshot/{found.name('image')}"},
    }
    masks = graph[graph["6"]["inputs"]["mask"][0]]
    assert masks["class_type"] == "LoadImageMask"
    assert masks["inputs"] == {"image": f"manyshot/{found.name('labels')}", "channel": "red"}
    saved = graph["8"]["inputs"]
    assert saved["mask_classes"] == "background\ncat\ndog"
    assert (saved["class_name"], saved["name"]) == ("Persian", job.id)
    assert saved["prompt"] == graph["2"]["inputs"]["text"] == "fluffy cat called Persian"
    assert set(plan.graphs.uploads(job, found)) == {found.name("image"), found.name("labels")}


def test_masks_that_the_server_varies_are_not_written_here(plan_of) -> None:
    inputs = {"mask": ["1", 1], "mask_classes": ["1", 2], "seed": 0, "width": 64, "height": 64}
    graph = {**LABELLED, "4": {"class_type": "ManyshotVaryMask", "inputs": inputs}}
    graph["6"] = {**graph["6"], "inputs": {**graph["6"]["inputs"], "mask": ["4", 0]}}
    plan = plan_of({}, graph)
    job = next(iter(plan))
    found = plan.graphs.render_inputs(job)
    assert found is not None
    assert found.mask is None
    assert plan.graphs.graph(job, "n", found)["4"]["inputs"]["seed"] == job.seed
    assert made(plan, job, "image").shape == (TALL, WIDE, 3)


@pytest.mark.parametrize(
    ("pairs", "recipe", "sentence"),
    [
        ({"folder": "nowhere"}, {}, "There is no folder nowhere"),
        ({"layout": "paris"}, {}, "'pairs.layout'"),
        ({"colors": "own"}, {}, "Unknown key 'pairs.colors'. Did you mean 'colours'?"),
        ({"vary": {"rotat": 3}}, {}, "Did you mean 'rotate'?"),
        ({"vary": {"scale": [2, 1]}}, {}, "scale from <= to"),
        ({"table": {"cta": "#123456"}}, {}, "no class of the masks is 'cta'. Did you mean 'cat'"),
        ({"table": {"cat": "#12345"}}, {}, "'#12345' is neither a colour"),
        ({"colours": "ade20k", "table": {"cat": "sofaa"}}, {}, "Did you mean 'sofa'"),
        ({}, {"classes": ["Persan"]}, "no photo of 'Persan'. Did you mean 'Persian'"),
        ({}, {"bind": {}}, "takes a picture of 'pairs'. Bind one"),
        ({}, {"bind": {"Picture.image": "$contrl"}}, "Did you mean 'control'"),
        ({}, {"with_pairs": False}, "takes $control, but the recipe names no 'pairs'"),
        ({}, {"with_pairs": False, "graph": LABELLED}, "Add 'pairs: {folder: …}' to the recipe"),
    ],
)
def test_what_does_not_fit_gets_a_sentence(plan_of, pairs, recipe, sentence) -> None:
    with pytest.raises(InputError) as caught:
        plan_of(pairs, **{"classes": ["Persian"], **recipe})
    assert sentence in str(caught.value)


@pytest.mark.parametrize("name", ["pets_pairs", "pets_keep_object", "sd15_pairs"])
def test_recipes_that_manyshot_brings_fit_their_workflows(name: str, folder: Path) -> None:
    recipe = read_recipe(Path(str(files(recipes))) / f"{name}.yaml")
    assert recipe.pairs is not None
    pairs = recipe.pairs.model_copy(update={"folder": folder})
    plan = prepare(recipe.model_copy(update={"pairs": pairs, "classes": None}), None)
    job = next(iter(plan))
    found = plan.graphs.render_inputs(job)
    assert found is not None
    assert plan.graphs.graph(job, "n", found)
    assert plan.graphs.scenes is not None
    assert (found.mask is None) == plan.graphs.scenes.moved


def test_compose_nodes_are_the_drivers_own_work(plan_of) -> None:
    graph = {**LABELLED, "4": {"class_type": "ManyshotComposeMasks", "inputs": {"mask": ["1", 1]}}}
    graph["6"] = {**graph["6"], "inputs": {**graph["6"]["inputs"], "mask": ["4", 0]}}
    with pytest.raises(InputError, match="set 'pairs.compose' in the recipe"):
        plan_of({}, graph)


def spoil_size(folder: Path) -> None:
    Image.new("L", (8, 8), 1).save(folder / "masks/Persian/p1.png")


def spoil_value(folder: Path) -> None:
    Image.new("L", (WIDE, TALL), 7).save(folder / "masks/Persian/p1.png")


def spoil_colour(folder: Path) -> None:
    Image.new("RGB", (WIDE, TALL), (1, 2, 3)).save(folder / "masks/Persian/p1.png")


def spoil_empty(folder: Path) -> None:
    Image.new("L", (WIDE, TALL), 0).save(folder / "masks/Persian/p1.png")


def spoil_depth(folder: Path) -> None:
    Image.fromarray(np.full((TALL, WIDE), 300, np.uint16)).save(folder / "masks/Persian/p1.png")


def spoil_file(folder: Path) -> None:
    (folder / "masks/Persian/p1.png").write_bytes(b"no picture")


def spoil_photo(folder: Path) -> None:
    (folder / "images/Persian/p1.png").write_bytes(b"no picture")


def spoil_missing(folder: Path) -> None:
    (folder / "masks/Persian/p1.png").unlink()


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (spoil_size, "has 8x8 pixels and its image 40x32"),
        (spoil_value, "has 7 in row 0, column 0, which is not a class"),
        (spoil_colour, "#010203 in row 0, column 0, which is not a class"),
        (spoil_empty, "is empty: it shows only background"),
        (spoil_depth, "has 300 in row 0"),
        (spoil_file, "cannot be read"),
        (spoil_photo, "cannot be read"),
        (spoil_missing, "has no mask"),
    ],
)
def test_every_pair_is_checked_before_anything_is_queued(
    plan_of, folder: Path, spoil, sentence: str
) -> None:
    spoil(folder)
    with pytest.raises(InputError) as caught:
        plan_of()
    assert sentence in str(caught.value)
    assert "p1.png" in str(caught.value)


def test_empty_masks_are_left_out_when_asked_for(plan_of, folder: Path) -> None:
    spoil_empty(folder)
    jobs = list(plan_of({"skip_empty": True}, classes=["Persian"]))
    assert [job.pairs for job in jobs] == [["Persian/p0.png"]] * 3
    Image.new("L", (WIDE, TALL), 0).save(folder / "masks/Persian/p0.png")
    with pytest.raises(InputError, match="All masks of 'Persian' in .* are empty"):
        plan_of({"skip_empty": True})


def test_photos_without_masks_do_for_workflows_that_need_none(plan_of, tmp_path: Path) -> None:
    for name in ("cat/a", "dog/b"):
        path = tmp_path / "photos" / f"{name}.png"
        path.parent.mkdir(parents=True)
        Image.new("RGB", (WIDE, TALL)).save(path)
    pairs = {"folder": str(tmp_path / "photos"), "vary": True}
    plan = plan_of(pairs, bind={**BIND, "Picture.image": "$image"})
    found = plan.graphs.render_inputs(next(iter(plan)))
    assert found is not None
    assert found.mask is None
    with pytest.raises(InputError, match="has no mask, and the workflow needs one"):
        plan_of(pairs)
