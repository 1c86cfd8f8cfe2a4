r"""The WebUI's prompt language. Expected values named "WebUI" are what its own code gives: the
examples of its documentation, and others that were run through it (1.10)."""

import pytest
from manyshot.core.errors import InputError
from manyshot.core.webui_prompt.attention import chunks, parse_weights
from manyshot.core.webui_prompt.edits import MAX_DEPTH, read_phrase
from manyshot.core.webui_prompt.from_comfy import comfy_text
from manyshot.core.webui_prompt.matrix import matrix
from manyshot.core.webui_prompt.networks import Lora, loras
from manyshot.core.webui_prompt.read import parse
from manyshot.core.webui_prompt.steps import Counting, runs, schedule, texts_by_step
from manyshot.core.webui_prompt.values import (
    Network,
    Part,
)
from manyshot.core.webui_prompt.write import write, write_phrase

# The WebUI's documented examples of attention.
ATTENTION = [
    ("normal text", [("normal text", 1.0)]),
    ("an (important) word", [("an ", 1.0), ("important", 1.1), (" word", 1.0)]),
    ("(unbalanced", [("unbalanced", 1.1)]),
    (r"\(literal\]", [("(literal]", 1.0)]),
    ("(unnecessary)(parens)", [("unnecessaryparens", 1.1)]),
    (
        "a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).",
        [
            ("a ", 1.0),
            ("house", 1.5730000000000004),
            (" ", 1.1),
            ("on", 1.0),
            (" a ", 1.1),
            ("hill", 0.55),
            (", sun, ", 1.1),
            ("sky", 1.4641000000000006),
            (".", 1.1),
        ],
    ),
]
# Others, run through the WebUI's code.
ATTENTION += [
    ("", [("", 1.0)]),
    ("[x]", [("x", 1 / 1.1)]),
    ("(x:1.3)", [("x", 1.3)]),
    ("( x : 1.3 )", [(" x ", 1.3)]),
    ("(x:-1)", [("x", -1.0)]),
    ("(x:abc)", [("x:abc", 1.1)]),
    ("(x:1e1)", [("x:1e1", 1.1)]),
    ("x:1.3)", [("x:1.3)", 1.0)]),
    ("x) y]", [("x) y]", 1.0)]),
    ("([x)]", [("x", 1.1 * (1 / 1.1))]),
    ("[x:1.3]", [("x:1.3", 1 / 1.1)]),
    (r"\\(x\\)", [("\\", 1.0), ("x\\", 1.1)]),
    (r"a\b\ c", [("ab c", 1.0)]),
    ("a \n BREAK b", [("a", 1.0), ("BREAK", -1.0), ("b", 1.0)]),
    ("aBREAK", [("aBREAK", 1.0)]),
    ("(a BREAK b:1.3)", [("a", 1.3), ("BREAK", -1.3), ("b", 1.3)]),
]


@pytest.mark.parametrize(("text", "expected"), ATTENTION)
def test_attention_is_the_webuis(text: str, expected: list[tuple[str, float]]) -> None:
    assert list(parse_weights(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a BREAK b", [["a"], ["b"]]),
        ("BREAK a", [[], ["a"]]),
        ("a BREAK BREAK b", [["a"], [], ["b"]]),
        ("a BREAK ", [["a"]]),
        ("", [[]]),
        ("(a:2) b BREAK c", [["a", " b"], ["c"]]),
    ],
)
def test_break_begins_a_chunk(text: str, expected: list[list[str]]) -> None:
    assert [[piece.text for piece in chunk] for chunk in chunks(text)] == expected


@pytest.mark.parametrize("text", ["(wait:...)", "(x:1.2.3)", "(x:.)"])
def test_weights_that_the_webui_cannot_draw(text: str) -> None:
    with pytest.raises(InputError, match="not a number"):
        parse_weights(text)


def test_weights_stay_finite() -> None:
    with pytest.raises(InputError, match="infinity"):
        parse_weights("(" * 9000 + "x")


# The WebUI's documented examples of prompt editing, with 10 steps.
SCHEDULES: list[tuple[str, list[tuple[int, str]]]] = [
    ("test", [(10, "test")]),
    ("a [b:3]", [(3, "a "), (10, "a b")]),
    ("a [b: 3]", [(3, "a "), (10, "a b")]),
    ("a [[[b]]:2]", [(2, "a "), (10, "a [[b]]")]),
    ("[(a:2):3]", [(3, ""), (10, "(a:2)")]),
    ("a [b : c : 1] d", [(1, "a b  d"), (10, "a  c  d")]),
    ("a[b:[c:d:2]:1]e", [(1, "abe"), (2, "ace"), (10, "ade")]),
    ("a [unbalanced", [(10, "a [unbalanced")]),
    ("a [b:.5] c", [(5, "a  c"), (10, "a b c")]),
    ("((a][:b:c [d:3]", [(3, "((a][:b:c "), (10, "((a][:b:c d")]),
    ("[a|(b:1.1)]", [(k, "(b:1.1)" if k % 2 == 0 else "a") for k in range(1, 11)]),
    ("[fe|]male", [(k, "male" if k % 2 == 0 else "female") for k in range(1, 11)]),
    ("[fe|||]male", [(k, "female" if k % 4 == 1 else "male") for k in range(1, 11)]),
]
# Others, run through the WebUI's code.
SCHEDULES += [
    ("a [{b|d{:.5] c", [(10, "a [{b|d{:.5] c")]),  # its examples hope for (5, "a  c") one day
    ("a|b [c:3]", [(10, "a|b [c:3]")]),
    ("[a|(b|c)]", [(10, "[a|(b|c)]")]),
    ("a [b:3] \\", [(10, "a [b:3] \\")]),
    (r"\[a:b:3]", [(10, r"\[a:b:3]")]),
    ("[a:b:c:3]", [(10, "[a:b:c:3]")]),
    ("(x [a:b:c:3] [d:e:2])", [(2, "(x [a:b:c:3] d)"), (10, "(x [a:b:c:3] e)")]),
    ("(a:[1.2:1.5:5])", [(5, "(a:1.2)"), (10, "(a:1.5)")]),
    ("[a::3]", [(3, "a"), (10, "")]),
    ("[a:b:+3]", [(3, "a"), (10, "b")]),
    ("[b:-1]", [(10, "b")]),
    ("[b:0.05]", [(10, "b")]),
    ("[b:1e-1]", [(10, "b")]),
    ("[b:1.0]", [(10, "")]),
    ("[b:1]", [(1, ""), (10, "b")]),
    ("[b:99]", [(10, "")]),
    ("[b:.29] ", [(2, " "), (10, "b ")]),
    ("x [] [:] [::] ()", [(10, "x [] [:] [::] ()")]),
]


@pytest.mark.parametrize(("text", "expected"), SCHEDULES)
def test_schedules_are_the_webuis(text: str, expected: list[tuple[int, str]]) -> None:
    assert list(schedule(read_phrase(text), 10)) == expected


@pytest.mark.parametrize(
    ("text", "counting", "expected"),
    [
        ("a [b:.5] c", Counting(base_steps=10), [(10, "a b c")]),  # documented
        ("a [b:1.5] c", Counting(base_steps=10), [(5, "a  c"), (10, "a b c")]),  # documented
        ("a [b:13] c", Counting(base_steps=10), [(3, "a  c"), (10, "a b c")]),
        ("[b:1.0]", Counting(old=True), [(1, ""), (10, "b")]),
        ("[b:2.7]", Counting(old=True), [(2, ""), (10, "b")]),
    ],
)
def test_hires_fix_and_old_counting(
    text: str, counting: Counting, expected: list[tuple[int, str]]
) -> None:
    assert list(schedule(read_phrase(text), 10, counting)) == expected


def test_the_documented_landscape() -> None:
    text = (
        "fantasy landscape with a [mountain:lake:0.25] and [an oak:a christmas tree:0.75]"
        "[ in foreground::0.6][: in background:0.25] [shoddy:masterful:0.5]"
    )
    head = "fantasy landscape with a "
    assert list(schedule(read_phrase(text), 100)) == [
        (25, head + "mountain and an oak in foreground shoddy"),
        (50, head + "lake and an oak in foreground in background shoddy"),
        (60, head + "lake and an oak in foreground in background masterful"),
        (75, head + "lake and an oak in background masterful"),
        (100, head + "lake and a christmas tree in background masterful"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a:b:0.5]", "aaabb"),  # the WebUI's samplers count from 0: int(2.5) = 2, and one more
        ("[a|b]", "aabab"),
        ("a", "aaaaa"),
        ("[a:b:0]", "bbbbb"),
    ],
)
def test_words_as_they_are_drawn(text: str, expected: str) -> None:
    assert "".join(texts_by_step(schedule(read_phrase(text), 5), 5)) == expected


def test_runs() -> None:
    assert list(runs(["a", "a", "b", "a"])) == [(2, "a"), (3, "b"), (4, "a")]


PARTS = [
    ("a cat", [("a cat", 1.0)]),
    ("a AND b", [("a", 1.0), ("b", 1.0)]),
    ("a cat :1.2 AND a dog :-0.5", [("a cat", 1.2), ("a dog", -0.5)]),
    ("a:1. AND b: +.5 AND c :0", [("a", 1.0), ("b", 0.5), ("c", 0.0)]),
    ("a cat:1.2", [("a cat", 1.2)]),
    ("a :2 :1", [("a :2", 1.0)]),
    ("a :1e3", [("a :1e3", 1.0)]),
    ("(a AND b:1.2)", [("(a", 1.0), ("b:1.2)", 1.0)]),
    ("bANDb and BRAND", [("bANDb and BRAND", 1.0)]),
    ("AND a", [("", 1.0), ("a", 1.0)]),
    ("a AND NOT b", [("a", 1.0), ("b", -1.0)]),
    ("a AND NOT b :0.5", [("a", 1.0), ("b", -0.5)]),
    ("NOT a AND NOTa", [("NOT a", 1.0), ("NOTa", 1.0)]),
    ("a # b AND c\nd", [("a \nd", 1.0)]),
]


@pytest.mark.parametrize(("text", "expected"), PARTS)
def test_parts_and_their_weights(text: str, expected: list[tuple[str, float]]) -> None:
    found = parse(text)
    assert [(write_phrase(part.phrase), part.weight) for part in found.parts] == expected


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("<lora:x>", Lora("x", 1.0, 1.0)),
        ("<lora:x:0.8>", Lora("x", 0.8, 0.8)),
        ("<lyco:x:0.8:-0.5>", Lora("x", 0.8, -0.5)),
        ("<lora:x:te=0.2:unet=0.3>", Lora("x", 0.2, 0.3)),
        ("<lora:x:0.8:unet=0>", Lora("x", 0.8, 0.0)),
        ("<lora:x:0.8:0.5:dyn=4>", Lora("x", 0.8, 0.5)),
    ],
)
def test_loras(tag: str, expected: Lora) -> None:
    found = parse(f"a {tag}cat<hypernet:h:0.5>")
    assert loras(found.networks) == (expected,)
    assert found.parts == (Part(("a cat",)),)
    assert found.networks[1] == Network("hypernet", ("h", "0.5"))


@pytest.mark.parametrize("strength", ["strong", "nan", "inf", "101", ""])
def test_a_lora_whose_strength_is_no_number(strength: str) -> None:
    with pytest.raises(InputError, match=r"<lora:x:.*> has the strength .* as in <lora:x:0.8>"):
        loras(parse(f"a <lora:x:{strength}>").networks)


def test_matrix_is_the_webuis() -> None:
    head = "a busy city street in a modern city"
    assert matrix(f"{head}|illustration|cinematic lighting") == (  # documented
        head,
        f"{head}, illustration",
        f"{head}, cinematic lighting",
        f"{head}, illustration, cinematic lighting",
    )
    assert matrix("a| ,b, |c") == ("a", "a, b", "a, c", "a, b, c")
    assert matrix("a") == ("a",)


def test_what_does_not_part_a_matrix() -> None:
    """Choices of the template language, and signs meant literally."""
    assert matrix(r"a {b|{c|d}} \{|e\|f") == (r"a {b|{c|d}} \{", r"a {b|{c|d}} \{, e\|f")
    assert matrix("a}|b") == ("a}", "a}, b")


def test_a_matrix_has_an_end() -> None:
    with pytest.raises(InputError, match=r"13 optional parts, which make 8,192"):
        matrix("a" + "|b" * 13)


def test_edits_cannot_be_nested_without_end() -> None:
    text = "a"
    for _ in range(MAX_DEPTH):
        text = f"[{text}:1]"
    assert schedule(read_phrase(text), 3)[-1] == (3, "a")
    with pytest.raises(InputError, match="nests"):
        read_phrase(f"([{text}:1])")


@pytest.mark.parametrize("text", ["(" * 20_000, "[" * 20_000, ":" * 20_000, "[a:1]" * 4_000])
def test_long_prompts_are_read_in_no_time(text: str) -> None:
    assert write(parse(text)) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a cat", "a cat"),
        ("a, [b] cat: x", f"a, (b:{1 / 1.1!r}) cat: x"),
        ("((x))", "(x:1.2100000000000002)"),
        (r"\(x\) \[y\]", r"\(x\) [y]"),
        (r"a\\(b)", r"(a\:1.0)(b:1.1)"),
        ("(a:b:2)", "(a:b:2.0)"),
    ],
)
def test_attention_for_comfyui(text: str, expected: str) -> None:
    assert comfy_text(parse_weights(text)) == expected
