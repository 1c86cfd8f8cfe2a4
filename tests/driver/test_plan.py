"""From recipe and workflow to jobs: what they hold, and what their ids depend on."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from manyshot.core.errors import InputError
from manyshot.driver.plan import Plan
from manyshot.driver.prepare import explain_plan, find_workflow, prepare
from manyshot.driver.recipe import parse_recipe
from manyshot.driver.workflow.catalogue import Catalogue
from PIL import Image

OBJECT_INFO = Path(__file__).parents[1] / "data" / "object_info.json"

GRAPH = {
    "1": {"class_type": "ManyshotClassPrompts", "inputs": {
        "classes": "cat: fluffy cat\ndog", "templates": "a photo of a {class_name}",
        "contexts": "", "lists": "", "negative": "blur", "images_per_class": 3, "seed": 5}},
    "2": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "a.safetensors"}},
    "3": {"class_type": "CLIPTextEncode", "_meta": {"title": "Positive"},
          "inputs": {"clip": ["2", 1], "text": ["1", 0]}},
    "4": {"class_type": "CLIPTextEncode", "_meta": {"title": "Negative"},
          "inputs": {"clip": ["2", 1], "text": ["1", 1]}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}},
    "6": {"class_type": "KSampler", "inputs": {
        "model": ["2", 0], "positive": ["3", 0], "negative": ["4", 0], "latent_image": ["5", 0],
        "seed": ["1", 3], "steps": 20, "cfg": 4.0, "sampler_name": "euler", "scheduler": "normal",
        "denoise": 1.0}},
    "7": {"class_type": "VAEDecode", "inputs": {"samples": ["6", 0], "vae": ["2", 2]}},
    "8": {"class_type": "SaveImage", "inputs": {"images": ["7", 0], "filename_prefix": "x"}},
    "9": {"class_type": "PreviewImage", "inputs": {"images": ["7", 0]}},
}  # fmt: skip


@pytest.fixture
def plan_of(tmp_path):
    def make(graph: dict | None = None, **recipe) -> Plan:
        path = tmp_path / "graph.json"
        path.write_text(json.dumps(graph or GRAPH))
        given = {"workflow": str(path), "output": str(tmp_path / "out"), **recipe}
        return prepare(parse_recipe(given, "r.yaml"), None)

    return make


def test_what_the_recipe_leaves_open_the_class_prompts_node_says(plan_of):
    jobs = list(plan_of())
    assert [(j.class_name, j.label, j.first_index) for j in jobs] == [
        ("cat", 0, 0), ("dog", 1, 0), ("cat", 0, 1), ("dog", 1, 1), ("cat", 0, 2), ("dog", 1, 2),
    ]  # fmt: skip
    assert {(j.prompt, j.negative) for j in jobs} == {
        ("a photo of a fluffy cat", "blur"),
        ("a photo of a dog", "blur"),
    }


def test_the_recipe_wins_over_the_node(plan_of):
    jobs = list(
        plan_of(classes=["x"], images_per_class=1, prompts={"templates": ["{class_name}!"]})
    )
    assert [(j.prompt, j.negative) for j in jobs] == [("x!", "")]


def test_a_prompt_matrix_is_a_template_for_each_combination(plan_of):
    prompts = {"templates": ["a {class_name}|{red|red}|at night", "{class_name}"], "matrix": True}
    jobs = list(plan_of(classes=["dog"], images_per_class=5, prompts=prompts))
    assert [job.prompt for job in jobs] == [
        "a dog", "a dog, red", "a dog, at night", "a dog, red, at night", "dog",
    ]  # fmt: skip
    assert len({job.seed for job in jobs}) == 5


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("{class_name}|__tint__", "Template 2, .* there is no list named 'tint'"),
        ("{class_name}" + "|b" * 13, "13 optional parts, which make 8,192 prompts"),
    ],
)
def test_a_wrong_prompt_matrix(plan_of, template, sentence):
    with pytest.raises(InputError, match=sentence):
        plan_of(prompts={"templates": [template], "matrix": True})


def test_the_graph_holds_the_jobs_values(plan_of):
    plan = plan_of(bind={"KSampler.steps": 7, "Negative.text": "$class_name"}, transport="view")
    job = next(iter(plan))
    graph = plan.graphs.graph(job, "0123")
    assert "1" not in graph
    assert "9" not in graph
    assert graph["3"]["inputs"]["text"] == job.prompt
    assert graph["4"]["inputs"]["text"] == "cat"
    assert graph["6"]["inputs"]["seed"] == job.seed
    assert graph["6"]["inputs"]["steps"] == 7
    assert graph["8"]["inputs"]["filename_prefix"] == "manyshot/012/0123"


def test_over_the_websocket_nothing_is_saved_on_the_server(plan_of):
    plan = plan_of()
    graph = plan.graphs.graph(next(iter(plan)), "0123")
    assert {node["class_type"] for node in graph.values()} & {"SaveImage", "PreviewImage"} == set()
    assert graph["8"] == {"class_type": "SaveImageWebsocket", "inputs": {"images": ["7", 0]}}


@pytest.mark.parametrize(
    "same",
    [
        {"transport": "view"},
        {"servers": ["http://other:1"]},
        {"retries": {"node": 9}},
        {"bind": {"KSampler.steps": 20}},
        {"bind": {"SaveImage.filename_prefix": "elsewhere"}},
        {"images_per_class": 9},
        {"classes": {"new": "", "dog": "", "cat": "fluffy cat"}},
    ],
)
def test_ids_do_not_depend_on_what_changes_no_pixel(plan_of, same):
    assert {job.id for job in plan_of()} <= {job.id for job in plan_of(**same)}


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 6},
        {"bind": {"KSampler.steps": 21}},
        {"bind": {"KSampler.cfg": 4.5}},
        {"batch_size": 2},
        {"prompts": {"templates": ["photo of a {class_name}"], "negative": "blur"}},
        {"prompts": {"templates": ["a photo of a {class_name}"], "negative": "blurry"}},
        {"sweep": {"KSampler.cfg": [3.0, 5.0]}},
    ],
)
def test_ids_depend_on_what_changes_pixels(plan_of, other):
    assert not {job.id for job in plan_of()} & {job.id for job in plan_of(**other)}


def test_ids_are_names_of_128_bits_and_all_different(plan_of):
    ids = [job.id for job in plan_of(images_per_class=200)]
    assert len(set(ids)) == 400
    assert all(len(i) == 32 and set(i) <= set("0123456789abcdef") for i in ids)


@pytest.mark.parametrize(
    ("images", "batch", "templates", "sentence"),
    [
        (4, 4, 2, "those of 'cat' use 1 of 2 templates"),
        (8, 4, 3, "those of 'cat' use 2 of 3 templates"),
        (8, 4, 2, ""),
        (4, 1, 8, ""),
    ],
)
def test_templates_that_no_batch_uses_are_named(plan_of, images, batch, templates, sentence):
    texts = [f"a {{class_name}} {number}" for number in range(templates)]
    plan = plan_of(
        batch_size=batch, images_per_class=images, classes=["cat"], prompts={"templates": texts}
    )
    used = {job.prompt for job in plan}
    assert len(used) == min(templates, images // batch)
    notes = "".join(note for note in explain_plan(plan) if "share one prompt" in note)
    assert bool(notes) == bool(sentence)
    assert sentence in notes


def test_a_batch_is_one_job_and_the_last_keeps_the_rest(plan_of):
    plan = plan_of(batch_size=4, images_per_class=10, classes=["cat"])
    jobs = list(plan)
    assert len(plan) == 3
    assert [(j.first_index, j.images, j.keep) for j in jobs] == [(0, 4, 4), (4, 4, 4), (8, 4, 2)]
    assert plan.graphs.graph(jobs[0], "n")["5"]["inputs"]["batch_size"] == 4


def test_a_sweep_makes_every_combination_with_the_same_seeds(plan_of):
    plan = plan_of(sweep={"KSampler.cfg": [3.0, 5.0], "KSampler.steps": [5, 9]}, images_per_class=1)
    jobs = list(plan)
    assert len(plan) == len(jobs) == 8
    assert {tuple(j.sweep.values()) for j in jobs} == {(3.0, 5), (3.0, 9), (5.0, 5), (5.0, 9)}
    assert len({j.seed for j in jobs}) == 2
    assert plan.graphs.graph(jobs[-1], "n")["6"]["inputs"]["cfg"] == 5.0


def test_pictures_are_taken_in_turn_from_the_class_folder(plan_of, tmp_path):
    for name in ("cat/a", "cat/b", "dog/c"):
        path = tmp_path / "photos" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4), len(name) * 20 + ord(name[-1])).save(path)
    graph = {**GRAPH, "5": {"class_type": "LoadImage", "inputs": {"image": "x.png"}}}
    graph["6"] = {**GRAPH["6"], "inputs": {**GRAPH["6"]["inputs"], "latent_image": ["5", 0]}}
    plan = plan_of(graph, bind={"LoadImage.image": {"folder": str(tmp_path / "photos")}})
    jobs = list(plan)
    taken = [Path(j.pictures["LoadImage.image"]).stem for j in jobs if j.class_name == "cat"]
    assert taken == ["a", "b", "a"]
    assert {Path(j.pictures["LoadImage.image"]).stem for j in jobs if j.label} == {"c"}
    value = plan.graphs.graph(jobs[0], "n")["5"]["inputs"]["image"]
    assert value == f"manyshot/{next(iter(plan.graphs.uploads(jobs[0])))}"


@pytest.mark.parametrize(
    ("recipe", "sentence"),
    [
        ({"bind": {"KSampler.sed": 3}}, "no input 'sed'. Did you mean 'seed'?"),
        ({"bind": {"KSamplr.seed": 3}}, "Did you mean 'KSampler'?"),
        ({"bind": {"CLIPTextEncode.text": "x"}}, "fits 2 nodes"),
        ({"bind": {"KSampler.seed": "$sed"}}, "no job field '$sed'. Did you mean 'seed'?"),
        (
            {"bind": {"KSampler.cfg": 3.0}, "sweep": {"KSampler.cfg": [1.0]}},
            "both 'bind' and 'sweep'",
        ),
        ({"classes": "nowhere.txt"}, "The class file nowhere.txt does not exist"),
        ({"prompts": {"templates": ["a {b"]}}, "Template 1"),
        ({"prompts": {"templates": ["a cat"]}}, "has no {class_name}"),
        ({"bind": {"KSampler.seed": {"file": "nowhere.png"}}}, "no picture at nowhere.png"),
        ({"bind": {"KSampler.seed": {"folder": "nowhere"}}}, "There is no folder nowhere"),
    ],
)
def test_what_does_not_fit_gets_a_sentence(plan_of, recipe, sentence):
    with pytest.raises(InputError) as caught:
        list(plan_of(**recipe))
    assert sentence in str(caught.value)


def without_class_prompts() -> dict:
    graph = json.loads(json.dumps(GRAPH))
    del graph["1"]
    graph["3"]["inputs"]["text"] = graph["4"]["inputs"]["text"] = "a cat"
    graph["6"]["inputs"]["seed"] = 1
    return graph


@pytest.mark.parametrize(
    ("bind", "sentence"),
    [
        ({}, "Nothing in graph.json takes the prompt"),
        ({"KSampler.seed": "$seed"}, "Nothing in graph.json takes the prompt"),
        ({"Positive.text": "$class_name"}, "Nothing in graph.json takes the seed"),
    ],
)
def test_a_recipe_that_would_make_equal_images_is_refused(plan_of, bind, sentence):
    with pytest.raises(InputError, match=sentence):
        plan_of(without_class_prompts(), classes=["a", "b"], bind=bind)


def test_a_workflow_without_our_nodes_needs_classes(plan_of):
    with pytest.raises(InputError, match="The recipe names no classes"):
        plan_of(without_class_prompts())


@pytest.mark.parametrize("name", ["class_prompts", "class_prompts_sd15"])
def test_workflows_that_manyshot_brings_are_found_by_name(name):
    assert find_workflow(name).is_file()


def test_a_wrong_workflow_name_gets_the_nearest():
    with pytest.raises(InputError, match="Did you mean 'class_prompts'"):
        find_workflow("class_promts")


@pytest.mark.parametrize(
    ("bind", "groups"),
    [({}, 1), ({"CheckpointLoaderSimple.ckpt_name": "$class_name"}, 2)],
)
def test_jobs_share_a_group_when_they_load_the_same(tmp_path, bind, groups):
    catalogue = Catalogue.from_json(json.loads(OBJECT_INFO.read_text(encoding="utf-8")))
    (tmp_path / "graph.json").write_text(json.dumps(GRAPH))
    given = {"workflow": str(tmp_path / "graph.json"), "output": "out", "bind": bind}
    jobs = list(prepare(parse_recipe(given, "r.yaml"), catalogue))
    of_class = {(job.class_name, job.group) for job in jobs}
    assert len({job.group for job in jobs}) == groups
    assert len(of_class) == 2


def test_fingerprints_tell_plans_apart(plan_of):
    assert plan_of().fingerprint() == plan_of(servers=["http://b:1"]).fingerprint()
    assert plan_of().fingerprint() != plan_of(seed=9).fingerprint()


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    classes=st.lists(
        st.text("abcdefgh", min_size=1, max_size=6), min_size=1, max_size=6, unique=True
    ),
    images=st.integers(1, 30),
    batch=st.integers(1, 7),
)
def test_the_plan_makes_just_the_images_asked_for(plan_of, classes, images, batch):
    plan = plan_of(classes=classes, images_per_class=images, batch_size=batch)
    jobs = list(plan)
    assert len(jobs) == len(plan)
    for name in classes:
        kept = [i for j in jobs if j.class_name == name
                for i in range(j.first_index, j.first_index + j.keep)]  # fmt: skip
        assert kept == list(range(images))


def test_batches_draw_every_template(tmp_path: Path) -> None:
    recipe = {
        "workflow": "class_prompts",
        "output": str(tmp_path / "out"),
        "classes": ["cat"],
        "images_per_class": 8,
        "batch_size": 2,
        "prompts": {"templates": ["a photo of a {class_name}", "a drawing of a {class_name}"]},
    }
    jobs = list(prepare(parse_recipe(recipe, "recipe"), None))
    assert [job.prompt for job in jobs] == ["a photo of a cat", "a drawing of a cat"] * 2
    assert [job.first_index for job in jobs] == [0, 2, 4, 6]
