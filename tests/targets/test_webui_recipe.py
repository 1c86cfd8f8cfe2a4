"""Recipes for WebUIs: what becomes of subjects, labelled photos, pictures and sweeps in requests,
and what job ids follow from."""

from base64 import b64decode
from io import BytesIO
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from manyshot.core.errors import InputError
from manyshot.driver.plan import Plan
from manyshot.driver.prepare import prepare
from manyshot.driver.recipe import parse_recipe
from manyshot.driver.targets.webui.requests import find_requests
from PIL import Image

from ..support.pair_folders import TALL, WIDE, write_pairs
from ..support.subject_files import subject, write_subjects

WEBUI = {"checkpoint": "tiny", "width": 64, "height": 64}


def plan_of(webui: dict[str, Any] | None, **more: Any) -> Plan:
    data: dict[str, Any] = {"output": "out", "webui": webui, "images_per_class": 2, "seed": 0}
    if "workflow" not in more:
        data["servers"] = ["webui+http://127.0.0.1:1"]
    if "subjects" not in more and "pairs" not in more:
        data["classes"] = ["cat", "dog"]
    return prepare(parse_recipe({**data, **more}, "r.yaml"), None)


def payloads(plan: Plan) -> list[dict[str, Any]]:
    return [
        dict(find_requests(plan).request(job, plan.bound.render_inputs(job)).payload)
        for job in plan
    ]


def opened(text: str) -> Image.Image:
    return Image.open(BytesIO(b64decode(text)))


def test_prompts_and_seeds_are_those_of_every_backend() -> None:
    prompts = {"templates": ["a {big|small} {class_name}"]}
    alone = plan_of(WEBUI, prompts=prompts)
    graph = plan_of(None, workflow="class_prompts", batch_size=1, prompts=prompts)
    assert [(j.prompt, j.seed) for j in alone] == [(j.prompt, j.seed) for j in graph]
    assert [p["seed"] for p in payloads(alone)] == [job.seed for job in alone]


def test_a_webui_among_the_servers_changes_no_id() -> None:
    """What is read of the workflow follows from it; what the recipe says does not."""
    both = ["embedded", "webui+http://127.0.0.1:1"]
    plain = [job.id for job in plan_of(None, workflow="class_prompts")]
    assert [job.id for job in plan_of(None, workflow="class_prompts", servers=both)] == plain
    told = [job.id for job in plan_of({"mask_blur": 8}, workflow="class_prompts", servers=both)]
    assert set(told).isdisjoint(plain)


@pytest.mark.parametrize(
    "change",
    [{"steps": 21}, {"cfg_scale": 5.0}, {"vae": "x"}, {"loras": [{"name": "x"}]},
     {"hires": {"scale": 1.5}}, {"options": {"eta_noise_seed_delta": 31337}},
     {"fields": {"s_churn": 1.0}}, {"checkpoint": "other"}],
)  # fmt: skip
def test_whatever_decides_pixels_decides_ids(change: dict[str, Any]) -> None:
    before, after = plan_of(WEBUI), plan_of({**WEBUI, **change})
    assert {job.id for job in before}.isdisjoint(job.id for job in after)
    assert before.fingerprint() != after.fingerprint()


def test_jobs_of_one_checkpoint_and_vae_are_one_group() -> None:
    sweep = {"webui.checkpoint": ["tiny", "other"], "webui.steps": [4, 5]}
    groups = {(job.sweep["webui.checkpoint"], job.group) for job in plan_of(WEBUI, sweep=sweep)}
    assert len(groups) == len({group for _, group in groups}) == 2


def test_a_sweep_sets_what_it_names() -> None:
    webui = {**WEBUI, "loras": [{"name": "flower"}]}
    sweep = {"webui.cfg_scale": [2.0, 7.0], "webui.loras.0.weight": [0.5]}
    found = payloads(plan_of(webui, sweep=sweep))
    assert {payload["cfg_scale"] for payload in found} == {2.0, 7.0}
    assert all(payload["prompt"].endswith("<lora:flower:0.5>") for payload in found)


@pytest.mark.parametrize(
    ("sweep", "words"),
    [
        ({"webui.stepz": [1]}, "no 'webui.stepz'. Did you mean 'steps'"),
        ({"webui.steps": ["many"]}, "webui.steps cannot be 'many'"),
        ({"webui.width": [65]}, "webui.width cannot be 65: Input should be a multiple of 8"),
        ({"KSampler.steps": [1]}, "has no workflow"),
    ],
)
def test_a_wrong_sweep(sweep: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as caught:
        plan_of(WEBUI, sweep=sweep)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("webui", "more", "words"),
    [
        ({"width": 64}, {}, "write 'webui.checkpoint'"),
        (WEBUI, {"bind": {"A.b": 1}}, "'bind' names 'A.b', but the recipe has no workflow"),
        ({**WEBUI, "init_image": "$image"}, {}, "takes $image, but the recipe names no 'pairs'"),
        ({**WEBUI, "init_image": "$imag"}, {}, "no job field '$imag'. Did you mean 'image'"),
        ({**WEBUI, "init_image": "@A.image"}, {}, "'@A.image' names no address"),
        (WEBUI, {"servers": ["embedded"]}, "the server 'embedded' is not a WebUI"),
    ],
)
def test_a_wrong_recipe(webui: dict[str, Any], more: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as caught:
        plan_of(webui, **more)
    assert words in str(caught.value)


def test_a_lora_subject_is_called_behind_the_prompt(tmp_path: Path) -> None:
    path = tmp_path / "pets.safetensors"
    write_subjects(path, subject("rex"), subject("bob"))
    plan = plan_of({**WEBUI, "subject_weight": 0.8}, subjects=str(path))
    requests = [find_requests(plan).request(job) for job in plan]
    assert requests[0].prompt == "a photo of a rex-m1 dog <lora:pets:0.8>"
    assert {request.loras for request in requests} == {("pets",)}


def test_an_embedding_is_called_by_its_bare_name(tmp_path: Path) -> None:
    path = tmp_path / "rex.safetensors"
    word = "embedding:rex-m1"
    write_subjects(path, subject("rex", word=word), method="textual_inversion")
    plan = plan_of(WEBUI, subjects=str(path))
    request = find_requests(plan).request(next(iter(plan)))
    assert (request.prompt, request.embeddings) == ("a photo of a rex-m1", ("rex-m1",))


def test_a_dreambooth_subject_is_the_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "rex-model.safetensors"
    write_subjects(path, subject("rex"), method="dreambooth")
    plan = plan_of({"width": 64, "height": 64}, subjects=str(path))
    request = find_requests(plan).request(next(iter(plan)))
    assert request.payload["override_settings"]["sd_model_checkpoint"] == "rex-model.safetensors"


def test_a_subject_counts_by_its_content_and_not_by_its_name(tmp_path: Path) -> None:
    for name, weight in (("a", 0.0), ("c", 1.0)):
        write_subjects(tmp_path / f"{name}.safetensors", subject("rex"), weight=weight)
    copyfile(tmp_path / "a.safetensors", tmp_path / "b.safetensors")
    ids = {
        name: [job.id for job in plan_of(WEBUI, subjects=str(tmp_path / f"{name}.safetensors"))]
        for name in "abc"
    }
    assert ids["a"] == ids["b"] != ids["c"]


def test_labelled_photos_as_start_mask_and_control(tmp_path: Path) -> None:
    folder = write_pairs(tmp_path / "pairs")
    webui = {
        **WEBUI,
        "init_image": "$image",
        "mask": "$mask",
        "controlnet": [{"model": "seg", "image": "$control"}],
    }
    plan = plan_of(webui, pairs={"folder": str(folder)})
    for job in plan:
        made = plan.bound.render_inputs(job)
        assert made is not None
        assert made.mask is not None
        request = find_requests(plan).request(job, made)
        [unit] = request.payload["alwayson_scripts"]["controlnet"]["args"]
        sent = [request.payload["init_images"][0], request.payload["mask"], unit["image"]]
        assert [opened(text).size for text in sent] == [(64, 64)] * 3
        assert [b64decode(text) for text in sent] == [
            made.files[name] for name in ("image", "mask", "control")
        ]
        assert (request.endpoint, request.units) == ("img2img", (made.files["control"],))
        assert unit["enabled"] is True


def test_photos_keep_the_size_that_pairs_says(tmp_path: Path) -> None:
    folder = write_pairs(tmp_path / "pairs")
    webui = {"checkpoint": "tiny", "init_image": "$image"}
    plan = plan_of(webui, pairs={"folder": str(folder), "size": [WIDE, TALL]})
    job = next(iter(plan))
    request = find_requests(plan).request(job, plan.bound.render_inputs(job))
    assert request.size == (WIDE, TALL)


def test_a_mask_without_white_is_refused(tmp_path: Path) -> None:
    black, photo = tmp_path / "black.png", tmp_path / "photo.png"
    Image.new("L", (64, 64)).save(black)
    Image.new("RGB", (64, 64), "red").save(photo)
    webui = {**WEBUI, "init_image": {"file": str(photo)}, "mask": {"file": str(black)}}
    plan = plan_of(webui)
    with pytest.raises(InputError, match="entirely black"):
        find_requests(plan).request(next(iter(plan)))


def test_pictures_of_a_folder_take_turns(tmp_path: Path) -> None:
    for name, colour in (("a", "red"), ("b", "blue")):
        Image.new("RGB", (64, 64), colour).save(tmp_path / f"{name}.png")
    plan = plan_of({**WEBUI, "init_image": {"folder": str(tmp_path)}}, classes=["cat"])
    found = [opened(payload["init_images"][0]).getpixel((0, 0)) for payload in payloads(plan)]
    assert found == [(255, 0, 0), (0, 0, 255)]
    before = [job.id for job in plan]
    Image.new("RGB", (64, 64), "green").save(tmp_path / "b.png")
    after = [job.id for job in plan_of({**WEBUI, "init_image": {"folder": str(tmp_path)}},
                                       classes=["cat"])]  # fmt: skip
    assert before[0] == after[0]


def test_a_picture_that_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    Image.new("RGB", (64, 64)).save(path)
    plan = plan_of({**WEBUI, "init_image": {"file": str(path)}})
    jobs = list(plan)
    path.unlink()
    with pytest.raises(InputError, match="x.png cannot be read"):
        find_requests(plan).request(jobs[0])


def test_only_the_masked_part_comes_back_in_the_photos_own_size(tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    Image.new("RGB", (100, 70), "white").save(photo)
    webui = {**WEBUI, "init_image": {"file": str(photo)}, "mask": {"file": str(photo)}}
    jobs = plan_of(webui), plan_of({**webui, "only_masked": True})
    sizes = [find_requests(plan).request(next(iter(plan))).size for plan in jobs]
    assert sizes == [(64, 64), (100, 70)]


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("a (cat:1.2)", "a (cat:1.2)"),
        ("a cat AND NOT a dog", "a cat AND a dog :-1.0"),
        ("a cat <lora:x:0.5>", "a cat <lora:x:0.5>"),
    ],
)
def test_prompts_are_the_webuis_own(text: str, sent: str) -> None:
    plan = plan_of(WEBUI, prompts={"templates": [text]}, classes=["cat"])
    found = payloads(plan)[0]["prompt"]
    assert " ".join(found.split()) == sent
