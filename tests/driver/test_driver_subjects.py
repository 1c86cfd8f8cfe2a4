"""Recipes with subjects: which file and word a class gets, what jobs are called, in which order
they come, and what a server must have."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from manyshot.core.errors import InputError
from manyshot.core.files import hash_file
from manyshot.core.records import read_records
from manyshot.core.subject_file import KEY
from manyshot.core.tiny_files import TINY_MODEL
from manyshot.driver.dispatch import Dispatch, real_clock
from manyshot.driver.embedded import EmbeddedServer
from manyshot.driver.http import Refused
from manyshot.driver.ledger import Ledger
from manyshot.driver.plan import Plan
from manyshot.driver.prepare import prepare
from manyshot.driver.recipe import Recipe, Retries, parse_recipe
from manyshot.driver.subjects import server_files
from manyshot.driver.targets.comfyui.check_jobs import check_subjects, preflight
from manyshot.driver.workflow.catalogue import Catalogue

from ..support.fault_runs import drive
from ..support.subject_files import subject, write_subjects
from ..support.subject_graphs import BIND, GRAPH

OBJECT_INFO = Path(__file__).parents[1] / "data" / "object_info.json"


@pytest.fixture
def recipe_of(tmp_path):
    def make(**changes: Any) -> Recipe:
        graph = tmp_path / "graph.json"
        graph.write_text(json.dumps(changes.pop("graph", GRAPH)))
        given = {"workflow": str(graph), "output": str(tmp_path / "out"), "bind": BIND}
        given |= {"subjects": str(tmp_path / "subjects"), "images_per_class": 2, **changes}
        return parse_recipe(given, "r.yaml")

    return make


@pytest.fixture
def plan_of(recipe_of):
    return lambda **changes: prepare(recipe_of(**changes), None)


@pytest.fixture
def folder(tmp_path) -> Path:
    """Two files, one of them with two subjects."""
    write_subjects(tmp_path / "subjects" / "a.safetensors", subject("cat"), subject("dog"))
    write_subjects(tmp_path / "subjects" / "b.safetensors", subject("pug", contexts=("in rain",)))
    return tmp_path / "subjects"


def test_the_subjects_classes_are_the_classes_and_their_words_stand_in_prompts(plan_of, folder):
    jobs = [job for job in plan_of() if job.first_index == 0]
    assert [(j.class_name, j.label, j.prompt, j.subject, j.token) for j in jobs] == [
        ("cat", 0, "a photo of a cat-m1 dog", "a.safetensors", "cat-m1"),
        ("dog", 1, "a photo of a dog-m1 dog", "a.safetensors", "dog-m1"),
        ("pug", 2, "a photo of a pug-m1 dog", "b.safetensors", "pug-m1"),
    ]


def test_the_recipes_classes_choose_among_the_subjects(plan_of, folder):
    plan = plan_of(classes={"pug": "fat pug", "dog": ""})
    found = {(job.class_name, job.label, job.prompt) for job in plan}
    assert found == {("pug", 0, "a photo of a pug-m1 dog"), ("dog", 1, "a photo of a dog-m1 dog")}


@pytest.mark.parametrize(
    ("file", "class_name", "token"),
    [("a.safetensors", "cat", "cat-m1"), ("b.safetensors", "any class", "pug-m1")],
)
def test_a_class_can_name_its_file(plan_of, folder, file, class_name, token):
    """In a file of several it is the one of that class, and the only one of others."""
    jobs = list(plan_of(subjects={class_name: str(folder / file)}))
    assert {(j.class_name, j.token) for j in jobs} == {(class_name, token)}


def test_words_are_read_as_they_are(plan_of, tmp_path):
    write_subjects(tmp_path / "s.safetensors", subject("cat", word="x__cat__ {a|b} \\ dog"))
    job = next(iter(plan_of(subjects=str(tmp_path / "s.safetensors"))))
    assert job.prompt == "a photo of a x__cat__ {a|b} \\ dog"


def test_contexts_nobody_gives_are_those_of_all_captions(plan_of, folder):
    template = {"templates": ["{subject}, {context}"]}
    prompts = [j.prompt for j in plan_of(prompts=template, images_per_class=3) if not j.label]
    contexts = ["on cat grass", "on dog grass", "in rain"]
    assert prompts == [f"cat-m1 dog, {context}" for context in contexts]
    given = {**template, "contexts": ["at night"]}
    assert {j.prompt.split(", ")[1] for j in plan_of(prompts=given)} == {"at night"}
    assert next(iter(plan_of())).prompt == "a photo of a cat-m1 dog"


def ids(plan: Plan) -> list[str]:
    return [job.id for job in plan]


def test_ids_follow_the_content_of_a_subjects_file_and_not_its_name(plan_of, tmp_path):
    path = tmp_path / "s" / "a.safetensors"
    write_subjects(path, subject("cat"))
    before = ids(plan_of(subjects=str(path)))
    fingerprint = plan_of(subjects=str(path)).fingerprint()
    renamed = tmp_path / "s" / "b.safetensors"
    shutil.copy(path, renamed)
    assert ids(plan_of(subjects=str(renamed))) == before
    write_subjects(path, subject("cat"), weight=1.0)
    assert not set(ids(plan_of(subjects=str(path)))) & set(before)
    assert plan_of(subjects=str(path)).fingerprint() != fingerprint


def test_an_embedding_needs_no_binding_and_is_called_as_its_token(plan_of, recipe_of, tmp_path):
    path = tmp_path / "renamed.safetensors"
    learned = subject("cat", word="embedding:cat-m1")
    bare = {k: v for k, v in BIND.items() if "LoRA" not in k}
    write_subjects(path, learned, method="textual_inversion")
    changes = {"subjects": str(path), "bind": bare}
    before = ids(plan_of(**changes))
    assert server_files(recipe_of(**changes)) == {"embeddings/cat-m1.safetensors": path}
    assert next(iter(plan_of(**changes))).prompt == "a photo of a embedding:cat-m1"
    write_subjects(path, learned, method="textual_inversion", weight=1.0)
    assert not set(ids(plan_of(**changes))) & set(before)


def test_our_own_node_binds_itself_and_keeps_its_values_without_subjects(plan_of, folder):
    node = {"class_type": "ManyshotSubject", "inputs": {
        "model": ["1", 0], "clip": ["1", 1], "subject": "z.safetensors", "token": "z"}}  # fmt: skip
    bare = {k: v for k, v in BIND.items() if "LoRA" not in k}
    plan = plan_of(graph={**GRAPH, "2": node}, bind=bare)
    found = [plan.graphs.graph(job, "n")["2"]["inputs"] for job in plan.samples()]
    assert [(i["subject"], i["token"]) for i in found] == [
        ("a.safetensors", "cat-m1"),
        ("a.safetensors", "dog-m1"),
        ("b.safetensors", "pug-m1"),
    ]
    alone = plan_of(graph={**GRAPH, "2": node}, bind=bare, subjects=None, classes=["cat"])
    assert alone.graphs.graph(next(iter(alone)), "n")["2"]["inputs"]["token"] == "z"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"subjects": "{}/c.safetensors"}, "There is no subject file at"),
        ({"subjects": "{}/aa.safetensors"}, "Did you mean 'a.safetensors'?"),
        ({"subjects": "{}/empty"}, "has no subject files; they end in .safetensors"),
        ({"subjects": "{}/notes.txt"}, "is not a .safetensors file"),
        ({"subjects": {"pig": "{}/a.safetensors"}}, "has no subject for the class 'pig'; it has"),
        ({"subjects": {"../x": "{}/a.safetensors"}}, "cannot be used as a file name"),
        ({"subjects": {}}, "No class is given."),
        ({"classes": ["cats"]}, "no subject for the class 'cats'; there are subjects for cat, dog"),
        ({"bind": {"LoRA.lora_name": "x", **dict(list(BIND.items())[1:])}}, "loads the subjects"),
        ({"subjects": None, "classes": ["cat"]}, "$subject, but the recipe names no 'subjects'"),
    ],
)  # fmt: skip
def test_what_does_not_fit_gets_a_sentence(plan_of, folder, changes, sentence):
    (folder / "notes.txt").write_text("x")
    (folder / "empty").mkdir()
    given = json.loads(json.dumps(changes).replace("{}/", f"{folder}/"))
    with pytest.raises(InputError) as caught:
        plan_of(**given)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"method": "dreambooth"}, "must share one method and one base"),
        ({"base_digest": "c" * 64}, "must share one method and one base"),
    ],
)
def test_files_of_two_kinds_are_refused(plan_of, folder, other, sentence):
    write_subjects(folder / "c.safetensors", subject("cow"), **other)
    with pytest.raises(InputError, match=sentence):
        plan_of()


def test_two_subjects_of_a_class_and_two_files_of_a_name_are_refused(plan_of, folder, tmp_path):
    other = tmp_path / "more" / "a.safetensors"
    write_subjects(other, subject("cow"))
    with pytest.raises(InputError, match=r"a server would know both as loras/a\.safetensors"):
        plan_of(subjects={"cat": str(folder / "a.safetensors"), "cow": str(other)})
    write_subjects(folder / "c.safetensors", subject("cat"))
    with pytest.raises(InputError, match="The class 'cat' has two subjects"):
        plan_of()


@pytest.fixture
def catalogue() -> Catalogue:
    """A server with the files of `many`."""
    info = json.loads(OBJECT_INFO.read_text(encoding="utf-8"))
    info["LoraLoader"]["input"]["required"]["lora_name"][0] += [f"{n}.safetensors" for n in "abcd"]
    return Catalogue.from_json(info)


@pytest.fixture
def many(tmp_path) -> Path:
    """Four files of a subject each."""
    for name in "abcd":
        write_subjects(tmp_path / "subjects" / f"{name}.safetensors", subject(name))
    return tmp_path / "subjects"


def test_a_server_loads_each_subject_once(recipe_of, many, catalogue, tmp_path):
    """The plan takes the classes in turn, the server gets them file by file."""
    plan = prepare(recipe_of(images_per_class=12), catalogue)
    assert changes([job.subject for job in plan]) == 47
    ledger = Ledger(tmp_path / "out")
    list(ledger.read_plan(plan))
    ledger.take_plan(plan.fingerprint())
    dispatch = Dispatch(ledger, Retries(), real_clock)
    taken = []
    while job := dispatch.take("one", 0):
        taken.append(job.subject)
        dispatch.finish(job)
    ledger.close()
    assert len(taken) == 48
    assert changes(taken) == 3


def changes(names: list[str | None]) -> int:
    return sum(a != b for a, b in pairwise(names))


def test_a_server_without_the_file_is_told_where_it_belongs(recipe_of, many, catalogue):
    write_subjects(many / "e.safetensors", subject("e"))
    plan = prepare(recipe_of(), catalogue)
    with pytest.raises(InputError) as caught:
        preflight(plan, catalogue, "http://gpu:8188")
    assert f"Copy {many}/e.safetensors to models/loras/e.safetensors of that server" in str(
        caught.value
    )


class Shown:
    """A server that shows the headers it is given."""

    def __init__(self, headers: dict[str, dict[str, str]]) -> None:
        self.headers = headers

    def model_metadata(self, name: str, folder: str | None = None) -> dict[str, str]:
        if name not in self.headers:
            raise Refused("not found", 404, {})
        return self.headers[name]


@pytest.mark.parametrize(
    ("step", "sentence"),
    [(40, None), (30, "has a different "), (None, "has no a.safetensors in models/loras")],
)
def test_a_server_must_have_the_same_file(plan_of, tmp_path, step, sentence):
    facts = write_subjects(tmp_path / "subjects" / "a.safetensors", subject("cat"))
    headers = {"a.safetensors": replace(facts, step=step).metadata()} if step else {}
    assert not step or KEY in headers["a.safetensors"]
    if sentence is None:
        check_subjects(plan_of(), "gpu", Shown(headers), [])  # pyright: ignore
        return
    with pytest.raises(InputError, match=sentence):
        check_subjects(plan_of(), "gpu", Shown(headers), [])  # pyright: ignore


def test_subjects_on_another_base_are_refused_where_it_is_known(plan_of, tmp_path):
    models = tmp_path / "models"
    base = models / "checkpoints" / "sd15.safetensors"
    base.parent.mkdir(parents=True)
    base.write_bytes(b"base")
    path = tmp_path / "subjects" / "a.safetensors"
    facts = write_subjects(path, subject("cat"))
    server = Shown({"a.safetensors": facts.metadata()})
    with pytest.raises(InputError, match=r"was trained on tiny, but .* draws with sd15"):
        check_subjects(plan_of(), "gpu", server, [models])  # pyright: ignore
    check_subjects(plan_of(), "gpu", server, [])  # pyright: ignore
    check_subjects(plan_of(any_base=True), "gpu", server, [models])  # pyright: ignore
    facts = write_subjects(path, subject("cat"), base_digest=hash_file(base))
    check_subjects(plan_of(), "gpu", Shown({path.name: facts.metadata()}), [models])  # pyright: ignore


@pytest.fixture
def loras(comfyui: EmbeddedServer) -> Iterator[Path]:
    """The server's folder of LoRAs, left as it was."""
    folder = comfyui.folder / "models" / "loras"
    before = set(folder.iterdir())
    yield folder
    for path in set(folder.iterdir()) - before:
        path.unlink()


@pytest.mark.server
def test_a_run_with_subjects_on_a_server_and_what_is_kept_of_them(
    recipe_of, tmp_path, comfyui: EmbeddedServer, loras: Path
):
    graph = json.loads(json.dumps(GRAPH))
    graph["1"]["inputs"]["ckpt_name"] = TINY_MODEL.name
    base = hash_file(TINY_MODEL)
    for name in ("ca", "do"):
        path = tmp_path / "subjects" / f"test-{name}.safetensors"
        write_subjects(path, subject(name), base_digest=base)
    recipe = recipe_of(graph=graph, images_per_class=1, servers=[comfyui.url])
    with pytest.raises(InputError, match=r"to models/loras/test-ca\.safetensors of that server"):
        drive(recipe)
    for path in (tmp_path / "subjects").iterdir():
        shutil.copy(path, loras)
    assert drive(recipe).exit_code == 0
    records = list(read_records(recipe.output))
    assert [(r.class_name, r.subject) for r in records] == [("ca", "ca-m1"), ("do", "do-m1")]
    kept = json.loads((recipe.output / "manyshot.json").read_text())["subjects"]
    assert [entry["classes"] for entry in kept] == [{"ca": "ca-m1"}, {"do": "do-m1"}]
    assert kept[0]["subjects"][0]["photos"] == [f"{'ca':0<64}"]
    assert kept[0]["sha256"] == hash_file(tmp_path / "subjects" / "test-ca.safetensors")
    write_subjects(tmp_path / "subjects" / "test-ca.safetensors", subject("ca", noun="cat"))
    write_subjects(tmp_path / "subjects" / "test-do.safetensors", subject("do", noun="cat"))
    with pytest.raises(InputError, match="has a different "):
        drive(recipe)
