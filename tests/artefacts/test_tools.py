"""What counts as a placeholder name, a participle, a circle of imports."""

import ast

import house
import placeholder_names
import pytest
from placeholder_names import bindings, complaints, is_placeholder

SOURCE = """
def area(box, wanted, *, left=0):
    found = [one for one in box]
    with open(box) as file, file as (kept, label):
        left, top = box
    for known in found:
        found = known
    match box:
        case [part, *others] as thing:
            pass
    return lambda own: own

class Row:
    drawn: int
    _made = 1

def rest(left):
    return (count := left)
"""


def test_placeholders_are_bindings_of_every_form() -> None:
    names = [b.name for b in bindings(ast.parse(SOURCE)) if is_placeholder(b)]
    assert sorted(names) == sorted(
        ["wanted", "found", "one", "kept", "known", "part", "others", "thing", "own", "drawn",
         "_made", "left"]
    )  # fmt: skip


def test_a_file_may_not_have_more_than_its_baseline() -> None:
    places = {"a.py": [b for b in bindings(ast.parse("found = known = 1")) if is_placeholder(b)]}
    assert list(complaints(places, {"a.py": 2})) == []
    [sentence] = complaints(places, {"a.py": 1})
    assert sentence.startswith("a.py:1: 2 placeholder names (found x1, known x1), 1 allowed.")


def test_the_product_has_no_more_than_the_baseline() -> None:
    assert placeholder_names.main() == 0


@pytest.mark.parametrize(
    ("name", "participle", "x_of"),
    [
        ("taken_over", True, False),
        ("_cached_features", True, False),
        ("drawn_of", True, False),
        ("places_of", False, True),
        ("read_rows", False, False),
        ("seed_everything", False, False),
        ("adopt", False, False),
    ],
)
def test_names_of_functions(name: str, participle: bool, x_of: bool) -> None:
    assert (house.is_participle(name), house.is_x_of(name)) == (participle, x_of)


def test_chains_and_circles() -> None:
    graph = {"a": {"b", "c"}, "b": {"c"}, "c": {"d"}, "d": set()}
    assert house.longest_chain(graph) == ["a", "b", "c", "d"]
    assert house.reachable(graph, "b") == {"c", "d"}
    assert house.circles(graph) == 0
    assert house.circles({**graph, "d": {"b"}}) == 3


def test_the_product_has_no_circles_of_imports() -> None:
    assert house.circles(house.import_graph(house.at_import)) == 0
