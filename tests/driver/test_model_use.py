"""Model files that decide a folder's images: replaced ones are refused, foreign ones are named."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from manyshot.core import cache
from manyshot.core.cache import hash_file_once
from manyshot.core.errors import InputError
from manyshot.core.files import hash_file
from manyshot.core.records import FOREIGN, MANIFEST, read_foreign_models
from manyshot.driver.dataset import write_manifest
from manyshot.driver.ledger import Done, Ledger
from manyshot.driver.model_use import (
    check_replaced,
    collect_hashes,
    explain_unhashed,
    find_foreign_models,
    remember_models,
    unsure_files,
)
from manyshot.driver.plan import Plan
from manyshot.driver.prepare import prepare
from manyshot.driver.preview import preview_lines
from manyshot.driver.recipe import Recipe, parse_recipe
from manyshot.driver.targets.comfyui.models import model_facts

from ..support.subject_files import subject, write_subjects
from ..support.subject_graphs import BIND, GRAPH

BOUND = {key: value for key, value in BIND.items() if value != "$subject"}


def recipe(folder: Path, node: str = "LoraLoader", lora: str = "", **changes: Any) -> Recipe:
    graph = deepcopy(GRAPH)
    graph["2"]["class_type"], graph["2"]["inputs"]["lora_name"] = node, lora
    (folder / "graph.json").write_text(json.dumps(graph))
    data = {
        "workflow": str(folder / "graph.json"),
        "output": str(folder / "out"),
        "classes": ["cat"],
        "bind": BOUND,
        "images_per_class": 1,
        **changes,
    }
    return parse_recipe(data, "r.yaml")


def plan(folder: Path, **changes: Any) -> Plan:
    return prepare(recipe(folder, **changes), None)


def prompts(template: str, **more: Any) -> dict[str, Any]:
    return {"prompts": {"templates": [template], **more}}


def for_webui(template: str) -> dict[str, Any]:
    """What a WebUI draws by itself."""
    servers = ["webui+http://127.0.0.1:7860"]
    return {
        "workflow": None,
        "webui": {"checkpoint": "base"},
        "bind": {},
        "servers": servers,
        **prompts(template),
    }


FOUND: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"lora": "pug.safetensors"}, ["pug.safetensors"]),
    ({"node": "LoraLoaderModelOnly", "lora": "sub/pug.pt"}, ["sub/pug.pt"]),
    (prompts("embedding:pug-x, {class_name}"), ["embeddings/pug-x"]),
    (prompts("(embedding:sub/pug.pt:1.2) {class_name}"), ["embeddings/sub/pug.pt"]),
    (prompts("{class_name}", negative="embedding:bad"), ["embeddings/bad"]),
    (prompts("{class_name} __x__", lists={"x": ["embedding:a", "b"]}), ["embeddings/a"]),
    ({"classes": {"cat": "embedding:cat"}}, ["embeddings/cat"]),
    (for_webui("<lora:Some Pug:0.8> {class_name}"), ["loras/Some Pug"]),
    (for_webui("<hypernet:art:1> {class_name}"), ["hypernetworks/art"]),
    ({"sweep": {"LoRA.lora_name": ["a.pt", "b.pt"]}}, ["a.pt", "b.pt"]),
]


@pytest.mark.parametrize(("changes", "names"), FOUND)
def test_what_learned_from_nobody_knows_what_is_named(
    changes: dict[str, Any], names: list[str], tmp_path: Path
) -> None:
    found = plan(tmp_path, **changes)
    assert find_foreign_models(found) == names
    write_manifest(tmp_path / "out", found, [])
    assert read_foreign_models(tmp_path / "out") == tuple(names)
    words, *_ = preview_lines(recipe(tmp_path, **changes), False, 1)
    assert ("what it was trained on is unknown" in " ".join(words)) == bool(names)


def test_subjects_of_the_recipe_are_known(tmp_path: Path) -> None:
    write_subjects(tmp_path / "s" / "a.safetensors", subject("cat"))
    bind = {"subjects": str(tmp_path / "s"), "bind": BIND}
    assert find_foreign_models(plan(tmp_path, **bind)) == []
    both = plan(tmp_path, **bind, **prompts("{subject} embedding:style"))
    assert find_foreign_models(both) == ["embeddings/style"]


@pytest.fixture
def done(tmp_path: Path) -> Plan:
    """A plan of which the one image is made."""
    found = plan(tmp_path, lora="pug.safetensors")
    ledger = Ledger(tmp_path / "out")
    list(ledger.read_plan(found))
    ledger.take_plan(found.fingerprint())
    ledger.mark_done([Done(next(iter(found)).id, 1, 0, "a", 1.0)])
    ledger.close()
    return found


def facts(**models: str) -> list[dict[str, Any]]:
    listed = [{"name": f"{n}.safetensors", "sha256": value} for n, value in models.items()]
    return [{"name": "embedded", "models": listed}]


def check(plan: Plan, servers: list[dict[str, Any]]) -> None:
    ledger = Ledger(plan.recipe.output)
    try:
        remember_models(ledger, check_replaced(plan, ledger, servers))
    finally:
        ledger.close()


def test_a_model_that_was_replaced_is_refused_and_told(done: Plan) -> None:
    check(done, facts(pug="1", base="2"))
    check(done, facts(pug="1", base="2"))
    check(done, [{"name": "embedded", "problem": "away"}])  # what was known stays known
    with pytest.raises(InputError) as caught:
        check(done, facts(pug="other", base="2"))
    assert str(caught.value) == (
        f"pug.safetensors was replaced since {done.recipe.output} was started: the images "
        "there (1) were drawn with the old file. Restore it, or choose another output."
    )
    check(done, facts(pug="1", base="2"))


def test_a_folder_of_an_earlier_version_is_compared_by_its_manifest(done: Plan) -> None:
    write_manifest(done.recipe.output, done, facts(pug="1"))
    with pytest.raises(InputError, match=r"pug\.safetensors was replaced"):
        check(done, facts(pug="other"))
    (done.recipe.output / MANIFEST).write_text("[" * 50_000)
    check(done, facts(pug="other"))


def test_nothing_drawn_is_nothing_lost(tmp_path: Path) -> None:
    found = plan(tmp_path, lora="pug.safetensors")
    check(found, facts(pug="1"))
    check(found, facts(pug="other"))


def test_servers_with_different_files_of_one_name_are_refused(done: Plan) -> None:
    with pytest.raises(InputError, match=r"different files named pug\.safetensors"):
        check(done, [*facts(pug="1"), *facts(pug="other")])


class Told:
    """A server that shows these files: name -> (folder, bytes, what they say of themselves)."""

    def __init__(self, **files: tuple[str, int, dict[str, str]]) -> None:
        self.files = {f"{name}.safetensors": facts for name, facts in files.items()}

    def model_sizes(self, folder: str) -> dict[str, int]:
        return {name: size for name, (kind, size, _) in self.files.items() if kind == folder}

    def model_metadata(self, name: str, folder: str | None = None) -> dict[str, str]:
        kind, _, metadata = self.files[name]
        return metadata if kind == folder else {}


def on(name: str, found: Plan, server: Any) -> dict[str, Any]:
    return {"name": name, "models": model_facts(found, server, [])}


BASE = ("checkpoints", 100, {"modelspec.hash_sha256": "a"})


@pytest.mark.parametrize(
    ("lora", "other", "refused", "unsure"),
    [
        (("loras", 9, {"a": "1"}), ("loras", 9, {"a": "1"}), False, []),
        (("loras", 9, {"a": "1"}), ("loras", 9, {"a": "2"}), True, []),
        (("loras", 9, {}), ("loras", 8, {}), True, []),
        (("loras", 9, {}), ("loras", 9, {}), False, ["pug.safetensors"]),
        (("loras", 9, {}), ("loras", 9, {"a": "1"}), False, ["pug.safetensors"]),
        (("nowhere", 9, {}), ("nowhere", 8, {}), False, ["pug.safetensors"]),
    ],
)
def test_files_of_two_servers_are_compared_by_what_these_tell(
    tmp_path: Path, lora: Any, other: Any, refused: bool, unsure: list[str]
) -> None:
    found = plan(tmp_path, lora="pug.safetensors")
    servers = [
        on("a", found, Told(pug=lora, sd15=BASE)),
        on("b", found, Told(pug=other, sd15=BASE)),
    ]
    if refused:
        with pytest.raises(InputError, match=r"different files named pug\.safetensors"):
            collect_hashes(servers)
        return
    collect_hashes(servers)
    assert unsure_files(servers) == unsure
    assert unsure_files(servers[:1]) == []
    write_manifest(tmp_path / "out", found, servers)
    content = json.loads((tmp_path / "out" / MANIFEST).read_text())
    assert content.get("models_not_compared", []) == unsure


def test_files_on_this_machine_are_known_by_content(tmp_path: Path) -> None:
    found = plan(tmp_path, lora="pug.safetensors", **prompts("embedding:x {class_name}"))
    contents_by_name = {"loras/pug": b"1", "embeddings/x": b"2", "checkpoints/sd15": b"3"}
    paths = {name: tmp_path / "models" / f"{name}.safetensors" for name in contents_by_name}
    for name, data in contents_by_name.items():
        paths[name].parent.mkdir(parents=True)
        paths[name].write_bytes(data)

    def contents() -> dict[str, str]:
        models = model_facts(found, None, [tmp_path / "models"])  # pyright: ignore
        return {one["name"]: one["sha256"] for one in models}

    before = contents()
    assert sorted(before) == ["embeddings/x", "pug.safetensors", "sd15.safetensors"]
    paths["checkpoints/sd15"].write_bytes(b"retrained")
    after = contents()
    assert [name for name in before if before[name] != after[name]] == ["sd15.safetensors"]


def test_a_large_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MANYSHOT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "SMALL", 0)
    path, read = tmp_path / "model", []
    monkeypatch.setattr(cache, "hash_file", lambda p: read.append(p) or hash_file(p))
    path.write_bytes(b"one")
    assert hash_file_once(path) == hash_file_once(path) == hash_file(path)
    assert read == [path]
    path.write_bytes(b"other")
    assert hash_file_once(path) == hash_file(path)
    assert read == [path, path]


def test_measurements_say_that_it_is_not_known(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from manyshot.trainer.measure.caveats import notes_on_foreign

    (tmp_path / MANIFEST).write_text(json.dumps({FOREIGN: ["pug.safetensors"]}))
    [said] = notes_on_foreign([tmp_path, tmp_path / "none"])
    assert said.startswith(
        f"{tmp_path} was drawn with pug.safetensors: what those were trained on is"
    )


def test_files_of_unknown_content_have_a_note_and_a_sentence(done: Plan) -> None:
    models = [
        {"name": "loras/x"},
        {"name": "pug.safetensors", "bytes": "7"},
        {"name": "base.safetensors", "sha256": "1", "bytes": "9"},
    ]
    servers = [{"name": "http://far:8188", "models": models}, {"name": "away", "problem": "?"}]
    write_manifest(done.recipe.output, done, servers)
    for _ in range(2):  # what was read back is written the same
        manifest = json.loads((done.recipe.output / MANIFEST).read_text())
        notes = {m["name"]: m.get("note") for m in manifest["servers"][0]["models"]}
        by_name = "known by its name, and its size at most: its content could not be read"
        assert notes == {"loras/x": by_name, "pug.safetensors": by_name, "base.safetensors": None}
        assert collect_hashes(manifest["servers"]) == collect_hashes(servers)
        write_manifest(done.recipe.output, done, manifest["servers"])
    (sentence,) = explain_unhashed(servers)
    assert sentence.startswith(
        "http://far:8188 does not report the content of loras/x, pug.safetensors: "
    )
