"""The saved workflows are tidy: no node lies over another, and each stands in one group."""

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

WORKFLOWS = Path(__file__).parents[1] / "workflows"
TITLE = 30  # pixels of a node's title, above its place
Box = tuple[float, float, float, float]


def box(node: dict[str, Any]) -> Box:
    (x, y), (width, height) = node["pos"], node["size"]
    return x, y - TITLE, x + width, y + height


def overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def within(one: Box, other: Box) -> bool:
    return other[0] <= one[0] and other[1] <= one[1] and one[2] <= other[2] and one[3] <= other[3]


@pytest.mark.parametrize("path", sorted(WORKFLOWS.glob("*.json")), ids=lambda path: path.stem)
def test_nodes_stand_apart_in_their_groups(path: Path) -> None:
    canvas = json.loads(path.read_text(encoding="utf-8"))
    groups = [
        (x, y, x + width, y + height)
        for x, y, width, height in (group["bounding"] for group in canvas["groups"])
    ]
    assert not any(overlap(*pair) for pair in combinations(groups, 2))
    for one, other in combinations(canvas["nodes"], 2):
        assert not overlap(box(one), box(other)), (one["title"], other["title"])
    for node in canvas["nodes"]:
        if node["type"] != "MarkdownNote":
            assert sum(within(box(node), group) for group in groups) == 1, node["title"]
