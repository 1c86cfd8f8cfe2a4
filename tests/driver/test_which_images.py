"""Which images a recipe asks for: tables of prompts, values by class, sweeps, lists in files."""

import json
from pathlib import Path
from typing import Any

import pytest
from manyshot.core.errors import InputError
from manyshot.driver.job import Job
from manyshot.driver.plan import Plan
from manyshot.driver.prepare import prepare
from manyshot.driver.preview import preview_run
from manyshot.driver.recipe import Recipe, parse_recipe
from PIL import Image

GRAPH: dict[str, Any] = {
    "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "m.safetensors"}},
    "2": {"class_type": "CLIPTextEncode", "inputs": {"clip": ["1", 1], "text": "x"},
          "_meta": {"title": "Positive"}},
    "3": {"class_type": "CLIPTextEncode", "inputs": {"clip": ["1", 1], "text": ""},
          "_meta": {"title": "Negative"}},
    "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}},
    "5": {"class_type": "KSampler", "inputs": {
        "model": ["1", 0], "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0],
        "seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal",
        "denoise": 1.0}},
    "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
    "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "x"}},
}  # fmt: skip
BIND = {"Positive.text": "$prompt", "Negative.text": "$negative", "KSampler.seed": "$seed"}


def recipe(folder: Path, bind: dict[str, Any] | None = None, **keys: Any) -> Recipe:
    (folder / "g.json").write_text(json.dumps(GRAPH))
    keys = {"classes": ["cat", "dog"]} | keys
    data = {"workflow": str(folder / "g.json"), "output": str(folder / "out"), **keys}
    return parse_recipe({**data, "bind": BIND | (bind or {})}, "r.yaml")


def plan(folder: Path, bind: dict[str, Any] | None = None, **keys: Any) -> Plan:
    return prepare(recipe(folder, bind, **keys), None)


def inputs(planned: Plan, job: Job, node: str = "5") -> dict[str, Any]:
    return planned.graphs.graph(job, "n" * 36)[node]["inputs"]


def counts(planned: Plan) -> dict[str, int]:
    names = [job.class_name for job in planned for _ in range(job.keep)]
    return {name: names.count(name) for name in dict.fromkeys(names)}


def table(folder: Path, text: str, name: str = "prompts.csv") -> Any:
    (folder / name).write_text(text, encoding="utf-8")
    return {"prompts": {"file": str(folder / name)}, "classes": None}


def test_a_row_is_an_image(tmp_path: Path) -> None:
    text = "class_name,prompt,negative,seed\ncat,a black cat,blurry,7\ndog,a dog,,\ncat,a cat,,\n"
    planned = plan(tmp_path, **table(tmp_path, text))
    jobs = {job.prompt: job for job in planned}
    assert [job.class_name for job in planned] == ["cat", "dog", "cat"]
    assert (jobs["a black cat"].seed, jobs["a black cat"].negative) == (7, "blurry")
    assert jobs["a dog"].negative == ""
    assert inputs(planned, jobs["a dog"], "2")["text"] == "a dog"
    assert len(planned) == 3


def test_a_row_may_ask_for_several_images(tmp_path: Path) -> None:
    text = "class_name,prompt,seed,images\ncat,a cat,7,3\ndog,a dog,,2\n"
    planned = plan(tmp_path, **table(tmp_path, text))
    assert counts(planned) == {"cat": 3, "dog": 2}
    assert [job.seed for job in planned if job.class_name == "cat"] == [7, 8, 9]


def test_columns_are_job_fields(tmp_path: Path) -> None:
    text = "class_name,prompt,steps,model,id\ncat,a cat,12,a,x-1\ndog,a dog,30,b,x-2\n"
    bind = {"KSampler.steps": "$steps", "CheckpointLoaderSimple.ckpt_name": "$model.safetensors"}
    planned = plan(tmp_path, bind, **table(tmp_path, text))
    cat, dog = planned
    assert inputs(planned, cat)["steps"] == 12
    assert inputs(planned, dog, "1")["ckpt_name"] == "b.safetensors"
    assert cat.fields == {"steps": 12, "model": "a", "id": "x-1"}
    assert Job.from_json(cat.to_json()) == cat


def test_json_lines_say_the_same_as_csv(tmp_path: Path) -> None:
    lines = [{"class_name": "cat", "prompt": "a, cat", "steps": 9},
             {"class_name": "dog", "prompt": "a dog", "steps": None}]  # fmt: skip
    text = "\n".join(map(json.dumps, lines))
    of_json = plan(tmp_path, **table(tmp_path, text, "p.jsonl"))
    csv = 'class_name,prompt,steps\ncat,"a, cat",9\ndog,a dog,\n'
    of_csv = plan(tmp_path, **table(tmp_path, csv))
    assert [job.id for job in of_json] == [job.id for job in of_csv]


def test_other_rows_and_their_order_change_no_image(tmp_path: Path) -> None:
    rows = ["cat,a cat", "dog,a dog", "cat,a black cat", "cat,a cat"]
    header = "class_name,prompt\n"
    ids = {job.id for job in plan(tmp_path, **table(tmp_path, header + "\n".join(rows)))}
    more = [*reversed(rows), "dog,a new dog"]
    assert ids < {job.id for job in plan(tmp_path, **table(tmp_path, header + "\n".join(more)))}
    assert len(ids) == 4


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "class_name,promt\ncat,x\n",
            "has no column 'prompt'. Name one so: its columns",
        ),
        ("class_name,prompt\ncat\n", "row 2: 1 cell, but the header names 2 columns"),
        ("class_name,prompt\n,a cat\n", "row 2: the cell 'class_name' is empty"),
        ("class_name,prompt\ncat,\n", "row 2: the cell 'prompt' is empty"),
        ("class_name,prompt,seed\ncat,x,-1\n", "row 2: 'seed' is '-1', but must be a whole"),
        ("class_name,prompt,images\ncat,x,0\n", "row 2: 'images' is '0', but must be a whole"),
        ("class_name,prompt\n", "has no rows below its header"),
        ("", "has no column 'class_name'"),
        ("class_name,prompt,prompt\ncat,a,b\n", "two columns named 'prompt'"),
        ("class_name,prompt,my colour\ncat,a,b\n", "'my colour' of"),
        ("class_name,prompt,index\ncat,a,b\n", "the name of a job field that every recipe has"),
        ("class_name,prompt\ncat,a <lora:x:1> cat\n", "'<lora:x:1>' in row 2 is WebUI syntax"),
        ('class_name,prompt\ncat,"a\n', "row "),
    ],
)
def test_a_wrong_table_names_the_row(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        plan(tmp_path, **table(tmp_path, text))
    assert sentence in str(caught.value)
    assert "prompts.csv" in str(caught.value) or "row 2" in str(caught.value)


def test_a_class_that_the_recipe_does_not_name(tmp_path: Path) -> None:
    keys = {**table(tmp_path, "class_name,prompt\ncat,x\ndgo,y\n"), "classes": ["cat", "dog"]}
    with pytest.raises(InputError, match=r"row 3: there is no class 'dgo'.*Did you mean 'dog'"):
        plan(tmp_path, **keys)


def test_an_unknown_column_is_named(tmp_path: Path) -> None:
    keys = table(tmp_path, "class_name,prompt,steps\ncat,x,3\n")
    with pytest.raises(InputError, match=r"no job field '\$stepz'. Did you mean 'steps'"):
        plan(tmp_path, {"KSampler.steps": "$stepz"}, **keys)


def test_batches_take_whole_rows(tmp_path: Path) -> None:
    keys = table(tmp_path, "class_name,prompt,images\ncat,x,4\ndog,y,3\n")
    with pytest.raises(InputError, match="row 3: 3 images, but each job makes 4"):
        plan(tmp_path, batch_size=4, **keys)


def test_a_table_says_how_many_images_there_are(tmp_path: Path) -> None:
    keys = table(tmp_path, "class_name,prompt\ncat,x\n")
    with pytest.raises(InputError, match="'prompts.file' says how many images there are"):
        recipe(tmp_path, images_per_class=3, **keys)


def test_counts_by_class(tmp_path: Path) -> None:
    planned = plan(tmp_path, images_per_class={"cat": 5, "dog": 2})
    assert counts(planned) == {"cat": 5, "dog": 2}
    assert len(planned) == 7
    even = {job.id for job in plan(tmp_path, images_per_class=5)}
    assert {job.id for job in planned} < even


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"cat": 5}, "'images_per_class' has no value for the class 'dog'. Add it."),
        ({"cat": 5, "dog": 1, "brid": 2}, "'images_per_class': there is no class 'brid'"),
        ({"cat": 0, "dog": 1}, "'images_per_class.cat': must be greater than or equal to 1"),
    ],
)
def test_wrong_counts(tmp_path: Path, given: dict[str, int], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        plan(tmp_path, images_per_class=given)
    assert sentence in str(caught.value)


def photos(folder: Path, **number: int) -> Path:
    for name, count in number.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for index in range(count):
            Image.new("RGB", (8, 8), (index, 0, 0)).save(folder / name / f"{index}.png")
    return folder


def test_photos_are_topped_up(tmp_path: Path) -> None:
    folder = photos(tmp_path / "photos", cat=3, dog=1)
    planned = plan(tmp_path, images_per_class=4, top_up=str(folder))
    assert counts(planned) == {"cat": 1, "dog": 3}
    with pytest.raises(InputError, match="Every class has its images already"):
        plan(tmp_path, images_per_class=1, top_up=str(folder))
    with pytest.raises(InputError, match="has no folder named as a class"):
        plan(tmp_path, images_per_class=1, top_up=str(photos(tmp_path / "p", bird=1)))


def test_values_by_class(tmp_path: Path) -> None:
    bind = {"CheckpointLoaderSimple.ckpt_name": {"cat": "a.safetensors", "dog": "b.safetensors"},
            "KSampler.steps": {"cat": 10, "dog": 20},
            "Negative.text": {"cat": "$negative, dog", "dog": "cat"}}  # fmt: skip
    planned = plan(tmp_path, bind, prompts={"negative": "blurry"}, images_per_class=1)
    cat, dog = planned
    assert inputs(planned, cat, "1")["ckpt_name"] == "a.safetensors"
    assert inputs(planned, dog, "1")["ckpt_name"] == "b.safetensors"
    assert [inputs(planned, job)["steps"] for job in (cat, dog)] == [10, 20]
    assert planned.bound.trace_inputs(cat).negative == "blurry, dog"
    files = {inputs(planned, job, "1")["ckpt_name"] for job in planned.samples()}
    assert files == {"a.safetensors", "b.safetensors"}


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({"cat": 1}, "bind 'KSampler.steps' has no value for the class 'dog'. Add it."),
        ({"cat": 1, "dog": 2, "dig": 3}, "bind 'KSampler.steps': there is no class 'dig'"),
        ({"cat": 1, "dog": "$sed"}, "there is no job field '$sed'"),
    ],
)
def test_wrong_values_by_class(tmp_path: Path, value: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        plan(tmp_path, {"KSampler.steps": value})
    assert sentence in str(caught.value)


def test_prompts_by_class(tmp_path: Path) -> None:
    prompts = {
        "templates": ["a photo of a {class_name}, {context}"],
        "contexts": ["on grass", "on a sofa"],
        "per_class": {"dog": {"templates": ["my dog rex"], "negative": "cat"}},
    }
    planned = plan(tmp_path, prompts=prompts, images_per_class=2)
    shared = plan(tmp_path, prompts={**prompts, "per_class": {}}, images_per_class=2)
    assert {job.prompt for job in planned if job.class_name == "dog"} == {"my dog rex"}
    assert {job.negative for job in planned if job.class_name == "dog"} == {"cat"}
    cats = [[job.id for job in each if job.class_name == "cat"] for each in (planned, shared)]
    assert cats[0] == cats[1]
    wrong = {**prompts, "per_class": {"dgo": {"negative": "x"}}}
    with pytest.raises(InputError, match=r"'prompts.per_class': there is no class 'dgo'"):
        plan(tmp_path, prompts=wrong)


def test_ranges_and_coupled_lists(tmp_path: Path) -> None:
    sweep = {
        "KSampler.denoise": {"from": 0.2, "to": 0.6, "step": 0.2},
        "zip": {"KSampler.steps": [10, 20], "KSampler.cfg": [3, 7.5]},
    }
    planned = plan(tmp_path, sweep=sweep, images_per_class=2)
    jobs = list(planned)
    assert len(planned) == len(jobs) == 2 * 2 * 6
    pairs = {(job.sweep["KSampler.steps"], job.sweep["KSampler.cfg"]) for job in jobs}
    assert pairs == {(10, 3), (20, 7.5)}
    assert {job.sweep["KSampler.denoise"] for job in jobs} == {0.2, 0.4, 0.6}
    view = preview_run(recipe(tmp_path, sweep=sweep, images_per_class=2), False, 0)
    assert view.lines[0].startswith(
        "24 jobs: 2 classes x 2 images x 6 combinations (KSampler.denoise 0.2, 0.4, 0.6; "
        "KSampler.steps with KSampler.cfg 10/3, 20/7.5), 1 a job."
    )


@pytest.mark.parametrize(
    ("sweep", "sentence"),
    [
        ({"K.a": {"from": 1}}, "'K.a': a range needs 'from' and 'to'"),
        ({"K.a": {"from": 1, "to": 2, "step": 0}}, "must be numbers, step not 0"),
        ({"K.a": {"from": 1, "to": 9e9}}, "not 1 to 10,000"),
        ({"K.a": {"from": 2, "to": 1}}, "the range has 0 values"),
        ({"K.a": {"from": "x", "to": 1}}, "must be numbers"),
        ({"zip": {"K.a": [1, 2], "K.b": [1]}}, "equally long: K.a has 2, K.b has 1"),
        ({"zip": {"K.a": [1, 2]}}, "'zip' takes two addresses or more"),
        ({"K.a": [1], "zip": {"K.a": [1], "K.b": [1]}}, "'K.a' appears twice; keep one"),
        (
            {"zip": {"K.a": [1, 2, 1.0], "K.b": [3, 4, 3]}},
            "values 1 and 3 of the lists below 'zip' are the same combination, 1.0/3: keep one",
        ),
        ({"K.a": [7, 7.0]}, "'K.a' has 7 and 7.0, one value: keep one"),
    ],
)
def test_wrong_sweeps(tmp_path: Path, sweep: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        recipe(tmp_path, sweep=sweep)
    assert sentence in str(caught.value)


def test_true_and_one_are_two_values(tmp_path: Path) -> None:
    assert recipe(tmp_path, sweep={"K.a": [True, 1]}).sweep == {"K.a": [True, 1]}


def test_word_lists_in_files(tmp_path: Path) -> None:
    words = tmp_path / "animals"
    (words / "wild").mkdir(parents=True)
    (words / "pets.txt").write_text("# tame\ntabby\n\n")
    (words / "wild" / "big.txt").write_text("lion\ntiger\n")
    (tmp_path / "colours.txt").write_text("red\nblue\n")
    lists = {"animals": str(words), "colour": str(tmp_path / "colours.txt")}
    templates = ["a __colour__ {class_name} like a __animals/*__"]
    prompts = {"lists": lists, "templates": templates}
    drawn = {job.prompt for job in plan(tmp_path, prompts=prompts, images_per_class=40)}
    assert any("tabby" in text for text in drawn)
    assert any("tiger" in text for text in drawn)
    assert all("red" in text or "blue" in text for text in drawn)
    one = {**prompts, "templates": ["{class_name} __animals/wild/big__"]}
    assert {job.prompt for job in plan(tmp_path, prompts=one, images_per_class=40)} == {
        f"{name} {animal}" for name in ("cat", "dog") for animal in ("lion", "tiger")
    }


@pytest.mark.parametrize(
    ("path", "sentence"),
    [("none.txt", "There is no file or folder"), ("empty.txt", "has no words"),
     ("bare", "has no .txt files")],
)  # fmt: skip
def test_wrong_word_lists(tmp_path: Path, path: str, sentence: str) -> None:
    (tmp_path / "empty.txt").write_text("# nothing\n")
    (tmp_path / "bare").mkdir()
    prompts = {"lists": {"x": str(tmp_path / path)}, "templates": ["{class_name} __x__"]}
    with pytest.raises(InputError) as caught:
        plan(tmp_path, prompts=prompts)
    assert sentence in str(caught.value)


def test_every_photo_once(tmp_path: Path) -> None:
    graph_with_photo = dict(GRAPH)
    folder = photos(tmp_path / "photos", cat=3, dog=1)
    loader = {"class_type": "LoadImage", "inputs": {"image": "x.png"}}
    encode = {"class_type": "VAEEncode", "inputs": {"pixels": ["8", 0], "vae": ["1", 2]}}
    graph_with_photo |= {"8": loader, "4": encode}
    (tmp_path / "photo.json").write_text(json.dumps(graph_with_photo))
    bind = {"LoadImage.image": {"folder": str(folder), "each": "once"}}
    made = recipe(tmp_path, bind).model_copy(update={"workflow": str(tmp_path / "photo.json")})
    planned = prepare(made, None)
    taken = [job.pictures["LoadImage.image"] for job in planned]
    assert sorted(taken) == sorted(map(str, folder.rglob("*.png")))
    assert preview_run(made, False, 0).lines[0].startswith("4 jobs: 4 images (cat 3, dog 1), ")
    with pytest.raises(InputError, match="takes every photo once"):
        recipe(tmp_path, bind, images_per_class=2)
    with pytest.raises(InputError, match="'each' is for a 'folder'"):
        recipe(tmp_path, {"LoadImage.image": {"file": "x.png", "each": "once"}})
