"""What nothing of a workflow takes is in no record, is told before the run, and tells no images
apart."""

from pathlib import Path
from typing import Any

import pytest
from manyshot.core.errors import InputError
from manyshot.core.records import read_records
from manyshot.driver.dataset import write_metadata
from manyshot.driver.ledger import Done, Ledger
from manyshot.driver.prepare import explain_plan, prepare
from manyshot.driver.preview import preview_lines
from manyshot.driver.recipe import parse_recipe
from manyshot.driver.take_over import take_over
from manyshot.driver.targets.webui.requests import find_requests

from ..support.planned_runs import GRAPH, NEGATIVE, PROMPT, SEED, plan, recipe

LABELLED = {**GRAPH, "9": {"class_type": "ManyshotSaveLabelled", "inputs": {
    "images": ["6", 0], "class_name": "", "folder": "a", "name": "", "delivery": "folder",
    "prompt": "", "negative": "", "seed": 0}}}  # fmt: skip


@pytest.mark.parametrize(
    ("bind", "fields"),
    [
        (PROMPT | SEED | NEGATIVE, {"prompt", "seed", "negative"}),
        (PROMPT | SEED, {"prompt", "seed"}),
        ({"Positive.text": "$prompt, sharp"} | SEED, {"prompt", "seed"}),
    ],
)
@pytest.mark.parametrize("graph", [GRAPH, LABELLED], ids=["Save Image", "Save Labelled"])
def test_records_hold_what_was_drawn_with(
    tmp_path: Path, bind: dict[str, str], fields: set[str], graph: Any
) -> None:
    assert plan(tmp_path, bind, graph).bound.effective_fields == fields


SHARP = {"Positive.text": "$prompt, $$5 sharp"}
HTTP = "webui+http://localhost:7860"


@pytest.mark.parametrize(
    ("bind", "sweep", "drawn"),
    [
        (PROMPT, {}, ("a cat", None)),
        (SHARP, {}, ("a cat, $5 sharp", None)),
        (SHARP | {"Negative.text": "$negative, $class_name"}, {},
         ("a cat, $5 sharp", "blurry, cat")),
        ({"Positive.text": "$class_name", "Negative.text": "no $prompt"}, {}, ("no a cat", None)),
        (PROMPT | {"Negative.text": "$negative, not $prompt"}, {},
         ("a cat", "blurry, not a cat")),
        (PROMPT | {"Negative.text": "$prompt, bad"}, {}, ("a cat\na cat, bad", None)),
        (SHARP | {"SaveImage.filename_prefix": "$prompt"}, {}, ("a cat, $5 sharp", None)),
        ({}, {"Positive.text": ["$prompt, red", "b"]}, ("a cat, red", None)),
        ({}, {"Positive.text": ["b", "$prompt, red"]}, (None, None)),
    ],
)  # fmt: skip
def test_records_and_plan_hold_the_texts_that_are_drawn(
    tmp_path: Path, bind: dict[str, str], sweep: dict[str, list[str]], drawn: tuple[str | None, ...]
) -> None:
    wanted = recipe(tmp_path, bind | SEED, sweep=sweep)
    _, jobs = preview_lines(wanted, False, 1)
    assert [words[:2] for _, words in jobs] == [drawn]
    made = prepare(wanted, None)
    out = tmp_path / "out"
    ledger = Ledger(out)
    try:
        take_over(out, made, ["cat", "dog"], ledger)
        ledger.mark_done([Done(jobs[0][0].id, 1, 0, "server", 1.0, None, None)])
        write_metadata(out, ledger, made)
    finally:
        ledger.close()
    (record,) = read_records(out)
    assert (record.prompt, record.negative, record.seed) == jobs[0][1]


@pytest.mark.parametrize(
    ("fields", "drawn"),
    [
        ({}, ("a cat", "blurry")),
        ({"prompt": "$prompt, sharp"}, ("a cat, sharp", "blurry")),
        ({"prompt": "a dog"}, (None, "blurry")),
        ({"negative_prompt": "ugly, $$5"}, ("a cat", None)),
    ],
)
def test_fields_of_a_webui_replace_the_jobs_words(
    tmp_path: Path, fields: dict[str, str], drawn: tuple[str | None, ...]
) -> None:
    prompts = {"templates": ["a {class_name}"], "negative": "blurry"}
    data = {
        "output": str(tmp_path / "out"), "classes": ["cat"], "images_per_class": 2,
        "prompts": prompts, "servers": [HTTP], "webui": {"checkpoint": "tiny", "fields": fields},
    }  # fmt: skip
    made = prepare(parse_recipe(data, "test"), None)
    job = next(iter(made))
    assert made.bound.trace_inputs(job)[:2] == drawn
    sent = find_requests(made).request(job).payload
    texts = (sent["prompt"], sent["negative_prompt"])
    assert all(text in (None, there) for text, there in zip(drawn, texts, strict=True))
    assert not any("$$" in text for text in texts)


def test_webuis_and_graphs_record_what_both_draw_with(tmp_path: Path) -> None:
    for bind, negative in ((PROMPT | SEED | NEGATIVE, "blurry"), (PROMPT | SEED, None)):
        made = plan(tmp_path, bind, servers=[HTTP])
        drawn = made.bound.trace_inputs(next(iter(made)))
        assert drawn[:2] == ("a cat", negative)
        assert ("negative" in made.bound.effective_fields) is (negative is not None)


@pytest.mark.parametrize("graph", [GRAPH, LABELLED], ids=["Save Image", "Save Labelled"])
def test_an_unbound_negative_is_told(tmp_path: Path, graph: Any) -> None:
    (sentence,) = explain_plan(plan(tmp_path, PROMPT | SEED, graph))
    assert (
        "takes the negative: the images are drawn without it, and their records leave it empty"
        in sentence
    )
    assert "'Node.text': $negative" in sentence
    assert sentence in preview_lines(recipe(tmp_path, PROMPT | SEED, graph), False, 1)[0]
    assert not list(explain_plan(plan(tmp_path, PROMPT | SEED | NEGATIVE, graph)))


@pytest.mark.parametrize("graph", [GRAPH, LABELLED], ids=["Save Image", "Save Labelled"])
def test_jobs_that_no_seed_tells_apart_are_refused_beforehand(tmp_path: Path, graph: Any) -> None:
    with pytest.raises(InputError, match=r"14 of the 16 jobs equal another one.*bind the seed"):
        plan(tmp_path, PROMPT, graph)
    one = plan(tmp_path, PROMPT, graph, images_per_class=1)
    assert "takes the seed" in " ".join(explain_plan(one))


def test_templates_may_tell_images_apart_without_a_seed(tmp_path: Path) -> None:
    prompts = {"templates": [f"a {{class_name}} {n}" for n in range(8)]}
    assert len(plan(tmp_path, PROMPT, prompts=prompts)) == 16


def test_equal_values_of_a_sweep_are_refused_without_a_seed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'KSampler.cfg' has 2.0 and 2, one value: keep one"):
        plan(tmp_path, PROMPT, images_per_class=1, sweep={"KSampler.cfg": [2.0, 2]})


def test_the_model_files_of_every_class_are_looked_at(tmp_path: Path) -> None:
    bind = PROMPT | SEED | {"CheckpointLoaderSimple.ckpt_name": "${class_name}.safetensors"}
    made = plan(tmp_path, bind)
    names = {made.graphs.graph(j, "n")["1"]["inputs"]["ckpt_name"] for j in made.samples()}
    assert names == {"cat.safetensors", "dog.safetensors"}


def test_two_save_nodes_are_told_apart_by_a_key_that_there_is(tmp_path: Path) -> None:
    graph = {**GRAPH, "10": GRAPH["9"]}
    with pytest.raises(InputError, match="such as save: '@9'"):
        plan(tmp_path, PROMPT | SEED, graph)
    assert plan(tmp_path, PROMPT | SEED, graph, save="@9").graphs.save_nodes == ("9",)


def test_a_workflow_that_repeats_its_latents_has_a_key_of_its_own(tmp_path: Path) -> None:
    before = plan(tmp_path, PROMPT | SEED)
    made = plan(tmp_path, PROMPT | SEED, images_per_job=3)
    assert [(j.images, j.keep) for j in made if j.label == 0] == [(3, 3), (3, 3), (3, 2)]
    assert next(iter(made)).id == next(iter(before)).id
    assert made.fingerprint() != before.fingerprint()
