"""Job fields inside of texts, and texts that a node would not understand."""

import json
from typing import Any

import pytest
from manyshot.core.errors import InputError
from manyshot.core.webui_prompt.read import webui_syntax
from manyshot.driver.field_text import field_names, fill, is_field
from manyshot.driver.plan import Plan
from manyshot.driver.prepare import prepare
from manyshot.driver.recipe import parse_recipe

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
VALUES = {"prompt": "a cat", "class_name": "cat", "seed": 7, "index": 0}


@pytest.fixture
def plan_of(tmp_path):
    def make(graph: dict[str, Any] = GRAPH, **recipe: Any) -> Plan:
        path = tmp_path / "graph.json"
        path.write_text(json.dumps(graph))
        given = {"workflow": str(path), "output": str(tmp_path / "out"), **recipe}
        return prepare(parse_recipe(given, "r.yaml"), None)

    return make


def drawn(plan: Plan, node_id: str, name: str = "text") -> list[Any]:
    return [plan.graphs.graph(job, "n" * 36)[node_id]["inputs"][name] for job in plan]


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("$prompt", "a cat"),
        ("$seed", 7),
        ("$prompt, masterpiece", "a cat, masterpiece"),
        ("$class_name.safetensors", "cat.safetensors"),
        ("${class_name}s $index", "cats 0"),
        ("bad $class_name", "bad cat"),
        ("$5, US$ 3, a $", "$5, US$ 3, a $"),
        ("$$prompt", "$prompt"),
        ("a $$prompt $prompt", "a $prompt a cat"),
        ("$$5", "$5"),
        ("", ""),
        (3, 3),
        (False, False),
    ],
)
def test_fields_are_filled_in(text, filled):
    assert fill(text, VALUES.__getitem__) == filled
    assert type(fill(text, VALUES.__getitem__)) is type(filled)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("$promt", "here: there is no job field '$promt'. Did you mean 'prompt'?"),
        ("a $class_nam!", "no job field '$class_nam'. Did you mean 'class_name'?"),
        ("$class_names", "(Write '$$class_names' for the literal text.)"),
        ("a ${HOME}", "there is no job field '$HOME'."),
        ("folder/$image", "here: $image is a picture and must stand alone."),
    ],
)
def test_a_wrong_field_gets_a_sentence(text, sentence):
    with pytest.raises(InputError) as caught:
        field_names(text, "here")
    assert sentence in str(caught.value)


def test_one_field_alone_is_a_field():
    assert is_field("$prompt")
    assert is_field("${prompt}")
    assert not any(map(is_field, ["$prompt ", "$$prompt", "prompt", "$prompt$seed"]))


def test_bound_texts_and_sweeps_hold_fields(plan_of):
    plan = plan_of(
        classes=["cat", "dog"],
        images_per_class=1,
        bind={"Positive.text": "$prompt, masterpiece", "Negative.text": "bad $class_name, $$5"},
        sweep={"CheckpointLoaderSimple.ckpt_name": ["$class_name.safetensors", "b"]},
    )
    assert drawn(plan, "3")[:2] == [
        "a photo of a cat, masterpiece",
        "a photo of a dog, masterpiece",
    ]
    assert drawn(plan, "4")[:2] == ["bad cat, $5", "bad dog, $5"]
    assert drawn(plan, "2", "ckpt_name") == ["cat.safetensors", "dog.safetensors", "b", "b"]
    assert len({job.id for job in plan}) == 4


def test_a_field_in_a_text_tells_images_apart(plan_of):
    graph = json.loads(json.dumps(GRAPH))
    del graph["1"]
    graph["3"]["inputs"]["text"], graph["4"]["inputs"]["text"] = "x", ""
    graph["6"]["inputs"]["seed"] = 0
    given = {"classes": ["cat", "dog"], "images_per_class": 2}
    plan = plan_of(graph, **given, bind={"Positive.text": "$prompt, no. $index"})
    assert drawn(plan, "3")[2] == "a photo of a cat, no. 1"
    with pytest.raises(InputError, match="takes the prompt"):
        plan_of(graph, **given, bind={"Positive.text": "$$prompt"})


@pytest.mark.parametrize(
    ("recipe", "sentence"),
    [
        ({"bind": {"Positive.text": False}}, "YAML reads false there. Quote"),
        ({"bind": {"Positive.text": 750}}, "Quote it, as in '750'."),
        (
            {"sweep": {"Positive.text": ["a", True]}},
            "sweep 'Positive.text': the input takes",
        ),
        ({"bind": {"Positive.text": "a $clas_name"}}, "Did you mean 'class_name'?"),
        ({"sweep": {"Positive.text": ["a $clas_name"]}}, "Did you mean 'class_name'?"),
        ({"sweep": {"Positive.text": ["$image"]}}, "$image is a picture. Bind it instead."),
        ({"bind": {"Positive.text": "$prompt of $file_name"}}, "the recipe names no 'pairs'"),
        ({"bind": {"Positive.text": "$prompt $token"}}, "the recipe names no 'subjects'"),
    ],
)
def test_what_is_no_text_is_refused(plan_of, recipe, sentence):
    with pytest.raises(InputError) as caught:
        plan_of(classes=["cat"], images_per_class=1, **recipe)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a cat <lora:x:0.8>", "<lora:x:0.8>"),
        ("a BREAK b", "BREAK"),
        ("a cat AND a dog", "AND"),
        ("[cat:dog:0.5]", "[cat:dog:0.5]"),
        ("a [dog:10]", "[dog:10]"),
        ("[a|b] x", "[a|b]"),
        ("[{a|b}:{class_name}:0.5]", "[{a|b}:{class_name}:0.5]"),
        ("a (cat:1.2), [V] dog, black and white, breaks, a <b>", None),
        ("{a|b} [at noon]", None),
    ],
)
def test_the_webuis_syntax_is_known(text, found):
    assert webui_syntax(text) == found


@pytest.mark.parametrize(
    ("recipe", "sentence"),
    [
        ({"prompts": {"templates": ["a {class_name} <lora:x:1>"]}}, "'<lora:x:1>' in template 1"),
        ({"prompts": {"negative": "bad AND worse"}}, "Or write 'and', if you mean the word."),
        ({"prompts": {"templates": ["a {class_name}, __c__"], "lists": {"c": ["[a:b:0.5]"]}}},
         "'[a:b:0.5]' in the list 'c' is WebUI syntax, which this node reads as plain words"),
        ({"classes": {"cat": "a cat BREAK"}}, "'BREAK' in the words of 'cat'"),
        ({"bind": {"Positive.text": "$prompt <lora:x:1>"}}, "in the text of 'bind'"),
        ({"bind": {"Negative.text": "bad BREAK"}}, "'BREAK' in the text of 'bind'"),
        ({"sweep": {"Positive.text": ["$prompt", "[a|b]"]}}, "'[a|b]' in the sweep of"),
    ],
)  # fmt: skip
def test_syntax_that_a_node_reads_as_words_is_refused(plan_of, recipe, sentence):
    with pytest.raises(InputError) as caught:
        plan_of(**recipe)
    assert sentence in str(caught.value)
    assert "Replace the node with WebUI Prompt." in str(caught.value)


WORKFLOWS_OWN = [
    ("a cat <lora:x:1>", "'<lora:x:1>' in the workflow's own text is WebUI syntax"),
    ("a cat BREAK a dog", "Or write 'break', if you mean the word."),
    ("a cat AND a dog", "'AND' in the workflow's own text"),
    ("a [cat:dog:0.5]", "'[cat:dog:0.5]' in the workflow's own text"),
    (
        "a {red|blue} cat",
        "'{red|blue}' in the workflow's own text is a choice that ComfyUI's front end",
    ),
]


@pytest.mark.parametrize(("text", "sentence"), WORKFLOWS_OWN)
@pytest.mark.parametrize("passed_on", [False, True])
def test_what_the_workflow_itself_says_is_looked_at(plan_of, text, sentence, passed_on):
    graph = json.loads(json.dumps(GRAPH))
    graph["4"]["inputs"]["text"] = ["44", 0] if passed_on else text
    if passed_on:
        graph["44"] = {"class_type": "PrimitiveStringMultiline", "inputs": {"value": text}}
    with pytest.raises(InputError) as caught:
        plan_of(graph, classes=["cat"], images_per_class=1, bind={"Positive.text": "$prompt"})
    assert sentence in str(caught.value)


def test_what_is_bound_in_its_place_is_not(plan_of):
    graph = json.loads(json.dumps(GRAPH))
    graph["4"]["inputs"]["text"] = "a {red|blue} BREAK"
    both = {"Positive.text": "$prompt", "Negative.text": "$negative"}
    assert len(plan_of(graph, classes=["cat"], images_per_class=1, bind=both)) == 1


@pytest.mark.parametrize("key", ["bind", "sweep"])
def test_choices_work_under_prompts_alone(plan_of, key):
    text = "no {red|blue} cat"
    with pytest.raises(InputError, match="its server does not: it would be used literally"):
        plan_of(**{key: {"Negative.text": text if key == "bind" else [text]}})


@pytest.mark.parametrize("text", ["a {class_name}", "$prompt {context}"])
def test_slots_of_templates_work_in_templates_alone(plan_of, text):
    with pytest.raises(InputError, match=r"would be used literally.*Write \$class_name"):
        plan_of(bind={"Positive.text": text, "Negative.text": "$prompt"})


def test_the_node_webui_prompt_takes_it(plan_of):
    graph = json.loads(json.dumps(GRAPH))
    graph["3"]["class_type"] = graph["4"]["class_type"] = "ManyshotWebUIPrompt"
    prompts = {"templates": ["a {class_name} <lora:x:1>"], "negative": "a BREAK b"}
    plan = plan_of(graph, classes=["cat [x]"], images_per_class=1, prompts=prompts)
    assert drawn(plan, "3") == [r"a cat \[x\] <lora:x:1>"]


def test_a_class_name_is_escaped_in_prompts_alone(plan_of):
    plan = plan_of(
        classes=["crane (bird)"],
        images_per_class=1,
        bind={"Negative.text": "no $class_name", "SaveImage.filename_prefix": "$class_name"},
    )
    (job,) = plan
    assert (job.class_name, job.prompt) == ("crane (bird)", r"a photo of a crane \(bird\)")
    assert drawn(plan, "4") == [r"no crane \(bird\)"]
