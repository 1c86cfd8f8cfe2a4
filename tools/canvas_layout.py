"""Places the nodes of a saved graph so that none covers another, in ComfyUI's classic renderer and
in "Nodes 2.0", whose nodes are taller.

Groups stand in a row, from left to right as before, and the nodes of a group in its columns, from
top to bottom as before: what was laid out once stays as it is.
"""

import copy
import math
from itertools import groupby
from typing import Any

Graph = dict[str, Any]
Node = dict[str, Any]

TITLE = 30  # pixels of a node's title, above its place
GAP = 56  # from a node to the next one's place: its title, and room for a line of warnings
COLUMN_GAP, GROUP_GAP, PADDING = 50, 20, 20
HEAD = 70  # from the top of a group to its first node's place
NOTE_TOP, NOTE_MARGIN = 20, 50
NOTE_LINE, NOTE_SPACE = 28, 22  # pixels of a line of a heading, and below a heading
NOTE_LETTER = 11  # pixels of its width
VIEW = (1480, 740)  # pixels of a window that show the whole graph
READABLE = 0.6  # the scale below which the classic renderer writes no text
BARS = (70, 120)  # pixels of the window's bars, on the left and above

HEIGHTS = {  # without the title: what Nodes 2.0 (front ends 1.32 to 1.58) needs, or more to read
    "CLIPTextEncode": 100,
    "Canny": 92,
    "CheckpointLoaderSimple": 108,
    "ControlNetApplyAdvanced": 200,
    "ControlNetLoader": 66,
    "EmptyLatentImage": 122,
    "GetImageSize": 126,
    "ImageBatch": 58,
    "ImageCompositeMasked": 160,
    "KSampler": 274,
    "LoadImage": 404,
    "ManyshotClassPrompts": 640,
    "ManyshotContactSheet": 400,
    "ManyshotControlNet": 284,
    "ManyshotLoadLabelled": 292,
    "ManyshotMaskOf": 236,
    "ManyshotMaskPrompts": 560,
    "ManyshotMaskToControl": 180,
    "ManyshotMixedStrengths": 124,
    "ManyshotSaveLabelled": 440,
    "ManyshotSubject": 236,
    "ManyshotSubjectPrompts": 500,
    "ManyshotTrainSubject": 600,
    "ManyshotVaryMask": 484,
    "ManyshotWebUIPrompt": 264,
    "PreviewImage": 260,
    "SetLatentNoiseMask": 58,
    "VAEDecode": 58,
    "VAEEncode": 58,
}
WIDTHS = {"ManyshotContactSheet": 460}  # what shows pictures
STRETCHED = {  # at the bottom of a column they reach down to the others' end
    "ManyshotClassPrompts",
    "ManyshotContactSheet",
    "ManyshotMaskPrompts",
    "ManyshotSaveLabelled",
    "ManyshotSubjectPrompts",
    "PreviewImage",
}


def lay_out(graph: Graph) -> Graph:
    """A copy of the graph with new places and sizes; KeyError: a type without a height."""
    graph = copy.deepcopy(graph)
    groups = sorted(graph["groups"], key=lambda group: group["bounding"][0])
    rows = [_columns(graph["nodes"], group["bounding"]) for group in groups]
    width = sum(map(_group_width, rows)) + GROUP_GAP * (len(rows) - 1)
    top = _place_notes(graph["nodes"], width) + GROUP_GAP
    bottom = top + HEAD + max(_height(column) for columns in rows for column in columns)
    left = 0.0
    for group, columns in zip(groups, rows, strict=True):
        _place_columns(columns, left + PADDING, top + HEAD, bottom)
        group["bounding"] = [left, top, _group_width(columns), bottom + PADDING - top]
        left += _group_width(columns) + GROUP_GAP
    graph["extra"]["ds"] = _view(width, bottom + PADDING)
    return graph


def _columns(nodes: list[Node], bounding: list[float]) -> list[list[Node]]:
    """The nodes that stand in a group, column by column."""
    x, y, width, height = bounding
    inner = [
        node
        for node in nodes
        if x <= node["pos"][0] < x + width and y <= node["pos"][1] < y + height
    ]
    inner.sort(key=lambda node: (node["pos"][0], node["pos"][1]))
    return [list(column) for _, column in groupby(inner, key=lambda node: node["pos"][0])]


def _height(column: list[Node]) -> int:
    """From its first node's place to its last node's end."""
    return sum(HEIGHTS[node["type"]] for node in column) + GAP * (len(column) - 1)


def _width(column: list[Node]) -> float:
    return max(int(WIDTHS.get(node["type"]) or node["size"][0]) for node in column)


def _group_width(columns: list[list[Node]]) -> float:
    return sum(map(_width, columns)) + COLUMN_GAP * (len(columns) - 1) + 2 * PADDING


def _place_columns(columns: list[list[Node]], x: float, y: float, bottom: float) -> None:
    for column in columns:
        width = _width(column)
        _place_column(column, x, y, width, bottom)
        x += width + COLUMN_GAP


def _place_column(column: list[Node], x: float, y: float, width: float, bottom: float) -> None:
    for node in column:
        height = HEIGHTS[node["type"]]
        if node is column[-1] and node["type"] in STRETCHED:
            height = bottom - y
        node["pos"], node["size"] = [x, y], [width, height]
        y += height + GAP


def _place_notes(nodes: list[Node], width: float) -> float:
    """Place the note above everything, over the whole width; where it ends."""
    end = float(NOTE_TOP)
    for note in (node for node in nodes if node["type"] == "MarkdownNote"):
        note["pos"], note["size"] = [0, end], [width, _note_height(note, width)]
        end += note["size"][1]
    return end


def _note_height(note: Node, width: float) -> int:
    """Of headings, one a line, as large as the larger of both renderers draws them."""
    headings = str(note["widgets_values"][0]).splitlines()
    rows = sum(math.ceil(len(text) * NOTE_LETTER / (width - NOTE_MARGIN)) for text in headings)
    return NOTE_MARGIN + rows * NOTE_LINE + len(headings) * NOTE_SPACE


def _view(width: float, height: float) -> dict[str, Any]:
    """Scale and offset that show all of it, or as much as can be read."""
    scale = round(max(READABLE, min(VIEW[0] / width, VIEW[1] / height, 1)), 2)
    return {"scale": scale, "offset": [round(bar / scale) for bar in BARS]}
