"""The prompt language, and what PromptSet promises about order, seeds and independence."""

import contextlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manyshot.core.errors import InputError
from manyshot.core.lines import (
    content_lines,
    read_classes,
    read_lists,
    read_names,
    read_words,
    without_comments,
)
from manyshot.core.prompts import MAX_SEED, PromptSet
from manyshot.core.webui_prompt import Language
from manyshot.core.wildcards import literal

PLAIN = "{class_name}"
LISTS = {"colour": ["red", "2::blue", "light __tint__"], "tint": ["green", "{pink|grey}"]}

TINTS = ("green", "pink", "grey")

# Text that has no sign of the language in it.
words = st.text(st.characters(codec="utf-8", exclude_characters="{}|\\_$:"), min_size=1)
names = st.text("abcdefgh", min_size=1, max_size=6)
seeds = st.integers(0, 2**64 - 1)


def prompts(template: str, count: int = 200, **more) -> Counter[str]:
    made = PromptSet(["cat"], [template], lists=LISTS, **more)
    return Counter(made.at("cat", index, 0).prompt for index in range(count))


@pytest.mark.parametrize(
    ("template", "possible"),
    [
        ("a {class_name}", {"a cat"}),
        ("{red|blue}", {"red", "blue"}),
        ("{a|{b|c}}d", {"ad", "bd", "cd"}),
        ("{a {class_name}|the {class_name}}", {"a cat", "the cat"}),
        ("{|big }cat", {"cat", "big cat"}),
        ("{2::a|0::b}", {"a"}),
        ("{2$$a|b}", {"a,b", "b,a"}),
        ("{2$$ and $$a|b}", {"a and b", "b and a"}),
        ("{-2$$a|b}", {"a", "b", "a,b", "b,a"}),
        ("{2-$$a|b}", {"a,b", "b,a"}),
        ("{0-1$$a|b}", {"", "a", "b"}),
        ("{1$$a}", {"a"}),
        ("__colour__", {"red", "blue", "light green", "light pink", "light grey"}),
        ("__tint____tint__", {a + b for a in TINTS for b in TINTS}),
        (r"\{a\|b\} \_\_x__ \\", {r"{a|b} __x__ " + "\\"}),
        (r"(fur:1.2) \(b\) [x:y:0.5] a_b 50% $5 C# x|y", None),
        ("embedding:thing <lora:x:0.8> 1::2", None),
        ("snake__case and ____", None),
    ],
)
def test_the_language(template: str, possible: set[str] | None) -> None:
    assert set(prompts(template)) == (possible or {template})


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("a {red|blue cat", "Template 1, character 3: this { is never closed (in 'a {red|blue"),
        ("a } b", "Template 1, character 3: this } closes nothing"),
        ("{clas_name}", "{clas_name} is neither a choice nor a known word (in '{clas_name}'). Did"),
        ("{}", "{} is neither a choice nor a known word"),
        ("__color__", "there is no list named 'color' (in '__color__'). Did you mean 'colour'?"),
        ("{3$$a|b}", "3 options wanted, 2 possible"),
        ("{2-1$$a|b}", "1 options wanted, 2 possible"),
        ("{0::a|0::b}", "1 options wanted, 0 possible"),
        ("${x=1|2}", "variables ${…} are not supported"),
        ("{" * 5000, "braces are nested more than 20 deep"),
        ("{context}", "Template 1 has {context}, but there are no contexts."),
    ],
)
def test_wrong_text_is_named_with_its_place(template: str, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        prompts(template)
    assert sentence in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("lists", "sentence"),
    [
        ({"a": ["__b__"], "b": ["x", "__a__"]}, "The list 'a' refers to itself: a -> b -> a."),
        ({"a": []}, "The list 'a' is empty."),
        ({"a": ["x", "{y"]}, "List 'a', value 2, character 1: this { is never closed"),
        ({"a": ["__b__"]}, "there is no list named 'b'"),
        ({"a": ["{1000$$x|y}"]}, "1000 options wanted"),
        (
            {"a": ["__b__" * 9], "b": ["__c__" * 9], "c": ["__d__" * 9], "d": ["long " * 9]},
            "List 'a', value 1 can grow to more than 20,000 characters.",
        ),
        (
            {"a": ["__l0__"]} | {f"l{i}": [f"__l{i + 1}__"] for i in range(900)},
            "More than 8 lists refer to each other: a -> …",
        ),
    ],
)
def test_wrong_lists(lists: dict[str, list[str]], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        PromptSet(["cat"], ["__a__ {class_name}"], lists=lists)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("classes", "templates", "contexts", "sentence"),
    [
        ([], [PLAIN], [], "No class is given."),
        (["cat", "Cat"], [PLAIN], [], "The classes 'cat' and 'Cat' differ only in case"),
        (["cat", "cat"], [PLAIN], [], "The class 'cat' is listed twice."),
        (["é", "e\u0301"], [PLAIN], [], "look the same"),
        (["../x"], [PLAIN], [], "The class name '../x' cannot be used as a file name"),
        (["cat", "dog"], ["{a|{classes}}", "x"], [], "Template 2 has no {class_name}"),
        ({"cat": "a {b"}, [PLAIN], [], "Class 'cat', character 3: this { is never closed"),
        (["cat"], [], [], "No template is given."),
        (["cat"], [PLAIN], ["on grass"], "no template has {context}"),
        (["cat", "dog"], [PLAIN, "x"], [], "Template 2 has no {class_name}"),
    ],
)
def test_wrong_sets(classes, templates: list[str], contexts: list[str], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        PromptSet(classes, templates, contexts)
    assert sentence in str(caught.value)


def test_weights_are_kept() -> None:
    counts = prompts("{3::a|1::b}", 4000)
    assert 0.72 < counts["a"] / 4000 < 0.78  # 0.75 with a spread of 0.007


def test_classes_may_have_other_words() -> None:
    made = PromptSet({"crane": "a {tall|grey} crane bird", "my__cat": ""}, [PLAIN])
    assert made.at("crane", 0, 0).prompt in ("a tall crane bird", "a grey crane bird")
    assert made.at("my__cat", 0, 0).prompt == "my__cat"


def test_a_subject_is_what_the_class_is_called() -> None:
    classes = {"cat": "{red|blue} cat", "dog": ""}
    made = PromptSet(classes, ["{subject} or {class_name}"], negative="{subject} toy")
    for index in range(8):
        words = made.at("cat", index, 0).prompt.split(" or ")
        assert words[0] == words[1]
        assert made.at("cat", index, 0).negative == f"{words[0]} toy"


@given(st.text("a_{}|\\:$", min_size=1))
def test_a_literal_text_is_read_as_it_is(text: str) -> None:
    assert PromptSet({"cat": literal(text)}, [PLAIN]).at("cat", 0, 0).prompt == text


def test_the_negative_speaks_the_language() -> None:
    made = PromptSet(["cat"], [PLAIN], negative="{class_name} toy, __tint__", lists=LISTS)
    assert made.at("cat", 1, 0).negative.startswith("cat toy, ")


def test_an_unknown_class_is_refused() -> None:
    with pytest.raises(InputError, match="There is no class 'cats'. Did you mean 'cat'?"):
        PromptSet(["cat", "dog"], [PLAIN]).at("cats", 0, 0)


@pytest.mark.parametrize(
    ("class_name", "shown", "said"),
    [
        ("cat", (), "tabby cat"),
        ("cat", ("cat",), "tabby cat"),
        ("cat", ("cat", "dog"), "tabby cat and dog"),
        ("cat", ("dog", "cat", "my__tree"), "dog, tabby cat and my__tree"),
        ("all", ("grass", "{sky}"), "short grass and {sky}"),
        ("all", (), "all"),
    ],
)
def test_the_classes_that_a_mask_shows(class_name: str, shown: tuple[str, ...], said: str) -> None:
    classes, words = {"cat": "tabby cat", "all": ""}, {"grass": "short grass", "cat": "not this"}
    made = PromptSet(classes, ["{classes}"], negative="no {classes}", words=words)
    row = made.at(class_name, 0, 0, shown)
    assert (row.prompt, row.negative, row.class_name) == (said, f"no {said}", class_name)


def test_the_own_class_has_one_word_in_a_prompt() -> None:
    made = PromptSet({"cat": "{red|blue|grey} cat"}, ["{class_name}, {classes}"])
    rows = [made.at("cat", index, 0, ("dog", "cat")).prompt.split(", ") for index in range(20)]
    assert all(both == f"dog and {own}" for own, both in rows)
    assert len({own for own, _ in rows}) == 3


@given(st.lists(names, max_size=4, unique=True), st.integers(0, 99), seeds)
def test_what_a_mask_shows_changes_nothing_but_its_slot(
    shown: list[str], index: int, seed: int
) -> None:
    made = PromptSet(["cat", "dog"], ["a {class_name} {context}", "a {subject}"], ["in", "out"])
    assert made.at("dog", index, seed, shown) == made.at("dog", index, seed)


def test_values_are_fixed_for_all_time() -> None:
    """A dataset must be makeable again from its recipe: never change these."""
    made = PromptSet(["cat"], ["{a|b|c} {class_name} __colour__"], lists=LISTS)
    assert [made.at("cat", index, 7)[1::2] for index in range(3)] == [
        ("c cat blue", 237740173474804),
        ("a cat blue", 516487332596126),
        ("c cat red", 708370371397388),
    ]


@given(words)
def test_plain_text_is_left_alone(text: str) -> None:
    assert PromptSet(["cat"], [text]).at("cat", 0, 0).prompt == text


@given(st.text("{}|$_:-12ab \\", max_size=40) | st.text(max_size=40))
def test_any_text_gives_a_prompt_or_a_sentence(text: str) -> None:
    with contextlib.suppress(InputError):
        assert isinstance(PromptSet(["cat"], [text], lists=LISTS).at("cat", 0, 0).prompt, str)


@given(st.text(max_size=40))
def test_escaped_text_is_itself(text: str) -> None:
    escaped = "".join("\\" + sign if sign in "{}|_\\" else sign for sign in text)
    assert PromptSet(["cat"], [escaped]).at("cat", 0, 0).prompt == text


@given(
    st.lists(names, min_size=1, max_size=5, unique=True),
    st.integers(1, 20),
    st.integers(1, 20),
    seeds,
)
def test_adding_classes_or_images_changes_no_other(
    classes: list[str], few: int, more: int, seed: int
) -> None:
    template = "{class_name} {a|b|c} __colour__"
    alone = list(PromptSet(classes[:1], [template], lists=LISTS).expand(few, seed))
    together = PromptSet([*reversed(classes)], [template], lists=LISTS).expand(few + more, seed)
    assert [made for made in together if made.class_name == classes[0]][:few] == alone


@given(st.integers(1, 7), st.integers(1, 7), st.integers(0, 50))
def test_every_pair_of_template_and_context_comes_once(t: int, c: int, rounds: int) -> None:
    made = PromptSet(["cat"], [f"t{i} {{context}}" for i in range(t)], [f"c{i}" for i in range(c)])
    first = rounds * t * c
    pairs = Counter(made.at("cat", index, 0).prompt for index in range(first, first + t * c))
    assert pairs == Counter(f"t{i} c{k}" for i in range(t) for k in range(c))


@given(seeds, seeds)
def test_seeds_are_in_range_and_differ(one: int, other: int) -> None:
    made = PromptSet(["cat", "dog"], [PLAIN])
    found = [row.seed for row in made.expand(50, one)]
    assert all(0 <= seed <= MAX_SEED for seed in found)
    assert len(set(found)) == 100
    if one != other:
        assert not set(found) & {row.seed for row in made.expand(50, other)}


@pytest.mark.parametrize(
    ("text", "classes"),
    [
        (
            "cat\n\n  dog  \n# no\ncrane: a crane bird\n",
            {"cat": "", "dog": "", "crane": "a crane bird"},
        ),
        ("x: {2::a|b}", {"x": "{2::a|b}"}),
    ],
)
def test_class_lines(text: str, classes: dict[str, str]) -> None:
    assert read_classes(text) == classes


@pytest.mark.parametrize(
    "text", ["cat, dog, bird", "cat\ndog, bird", "tench, Tinca tinca: a tench"]
)
def test_several_classes_in_a_line_are_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"names several classes.*Write one class per line"):
        read_classes(text)


def test_words_with_commas_come_behind_a_colon() -> None:
    with pytest.raises(InputError, match="as in 'tench: tench, Tinca tinca'"):
        read_classes("tench, Tinca tinca")
    assert read_classes("tench: tench, Tinca tinca") == {"tench": "tench, Tinca tinca"}


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (" in the snow\nx ", [" in the snow", "x "]),
        ("\ufeffcat\r\n\tdog\r\n", ["cat", "\tdog"]),
        ("\n \n  # no\n\u00a0a\u00a0", ["\u00a0a\u00a0"]),
    ],
)
def test_lines_stay_as_written(text: str, lines: list[str]) -> None:
    assert content_lines(text) == lines


def test_names_have_no_spaces_around_them() -> None:
    assert read_names(" cat\t\ndog ") == ["cat", "dog"]
    assert read_classes("\ufeffcat\r\n dog \r\n") == {"cat": "", "dog": ""}


def test_comments_are_no_words() -> None:
    assert without_comments("blurry \n  # not this\n\nugly") == "blurry \n\nugly"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("__animals/*__", "animals/*"),
        ("__no list__", "no list"),
        ("a __~c__", "~c"),
        ("__@c__", "@c"),
        ("__c(x=y)__", "c(x=y)"),
        ("{__c__|__d*__}", "d*"),
    ],
)
def test_wildcards_of_elsewhere_are_refused(text: str, name: str) -> None:
    with pytest.raises(InputError) as caught:
        PromptSet(["cat"], [text], lists={"c": ["red"]})
    assert f"there is no list named {name!r}" in str(caught.value)
    assert "Name a list alone, without ~, @ or ()" in str(caught.value)


def test_a_list_may_have_spaces_in_its_name() -> None:
    made = PromptSet(["cat"], [r"__my list__ \_\_~c\_\_"], lists={"my list": ["red"]})
    assert made.at("cat", 0, 0).prompt == "red __~c__"


@pytest.mark.parametrize(
    ("name", "language", "prompt"),
    [
        ("crane (bird)", "comfyui", r"a crane \(bird\)"),
        ("crane (bird)", "webui", r"a crane \(bird\)"),
        ("cat [x]", "comfyui", "a cat [x]"),
        ("cat [x]", "webui", r"a cat \[x\]"),
        ("R AND D", "webui", "a R and D"),
        ("C#", "comfyui", "a C#"),
        ("cat", "comfyui", "a cat"),
    ],
)
def test_a_class_name_weights_nothing(name: str, language: Language, prompt: str) -> None:
    made = PromptSet([name], ["a {class_name}"], language=language)
    row = made.at(name, 0, 0)
    assert (row.class_name, row.prompt) == (name, prompt)
    shown = PromptSet(["dog"], ["a {classes}"], language=language).at("dog", 0, 0, [name])
    assert shown.prompt == prompt


def test_the_words_of_a_class_are_a_prompt() -> None:
    made = PromptSet({"crane": "a (crane:1.2)"}, ["{class_name}"])
    assert made.at("crane", 0, 0).prompt == "a (crane:1.2)"


def test_what_a_language_cannot_say_needs_words() -> None:
    with pytest.raises(InputError, match="Choose other words for the class 'C#'"):
        PromptSet(["C#"], ["a {class_name}"], language="webui")


def test_spaces_of_contexts_and_words_are_kept() -> None:
    made = PromptSet(
        ["cat"], ["a {class_name}{context}__end__"], [" in the snow"], "", {"end": [" !"]}
    )
    assert made.at("cat", 0, 0).prompt == "a cat in the snow !"


def test_word_lines() -> None:
    assert read_words("a: x: y\n# no\n b c : {1|2}") == {"a": "x: y", "b c": "{1|2}"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a", "The line 'a' is not of the form"),
        (": x", "not of the form"),
        ("a:", "not of the form"),
        ("a: x\na: y", "The words for 'a' are given twice."),
    ],
)
def test_wrong_word_lines(text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        read_words(text)


def test_list_lines() -> None:
    text = "colour: red, {light, dark|pale} blue,\n# no\nx: {2$$, $$a|b}"
    assert read_lists(text) == {"colour": ["red", "{light, dark|pale} blue"], "x": ["{2$$, $$a|b}"]}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("colour red, blue", "The line 'colour red, blue' is not of the form"),
        ("colour:", "is not of the form"),
        ("a: x\na: y", "There are two lists named 'a'."),
    ],
)
def test_wrong_list_lines(text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        read_lists(text)


@pytest.mark.parametrize(
    ("templates", "contexts", "step"),
    [
        (2, 0, 2),
        (2, 4, 4),
        (3, 0, 6),
        (1, 4, 8),
        (1, 4, 16),
        (4, 6, 2),
        (2, 3, 3),
        (5, 7, 35),
    ],
)
def test_every_template_and_context_has_its_turn_in_batches(
    templates: int, contexts: int, step: int
) -> None:
    slot = " {context}" if contexts else ""
    made = PromptSet(
        ["cat"],
        [f"t{n} {{class_name}}{slot}" for n in range(templates)],
        [f"c{n}" for n in range(contexts)],
    )
    jobs = range(0, step * templates * max(1, contexts) ** 2, step)
    words = {word for n in jobs for word in made.at("cat", n, 0, step=step).prompt.split()}
    expected = {f"t{n}" for n in range(templates)} | {f"c{n}" for n in range(contexts)}
    assert words - {"cat"} == expected


@pytest.mark.parametrize(("templates", "contexts", "step"), [(3, 0, 2), (1, 4, 4), (3, 2, 2)])
def test_batches_that_reach_every_template_keep_their_prompts(
    templates: int, contexts: int, step: int
) -> None:
    slot = " {context}" if contexts else ""
    made = PromptSet(
        ["cat"],
        [f"t{n} {{class_name}}{slot}" for n in range(templates)],
        [f"c{n}" for n in range(contexts)],
    )
    for index in range(0, 20 * step, step):
        assert made.at("cat", index, 0, step=step) == made.at("cat", index, 0)
