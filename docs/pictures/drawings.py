"""Draws data_flow.svg and architecture.svg: python docs/pictures/drawings.py"""

from pathlib import Path
from xml.sax.saxutils import escape

HERE = Path(__file__).parent
STYLE = (
    "text{font:14px system-ui,sans-serif;fill:#1c2024}.b{fill:#f4f6f8;stroke:#5b6570}"
    ".s{font-size:12px;fill:#5b6570}.h{font-weight:600}.l{stroke:#0067a5;stroke-width:2;fill:none;"
    "marker-end:url(#a)}.bg{fill:#ffffff}"
)
Box = tuple[int, int, int, int, str, list[str]]  # left, top, width, height, title, lines
Arrow = tuple[int, int, int, int]

FLOW: list[Box] = [
    (10, 60, 150, 80, "your photos", ["5 per class, perhaps", "with masks"]),
    (210, 10, 170, 80, "subjects", ["a word per class:", "LoRA, embedding, ..."]),
    (210, 110, 170, 80, "masks", ["moved and scaled,", "as control images"]),
    (430, 60, 170, 80, "images", ["your workflow, on any", "ComfyUI or WebUI"]),
    (650, 60, 150, 80, "dataset folder", ["images, masks,", "labels, records"]),
    (850, 60, 150, 80, "measurement", ["with and without, on", "photos held back"]),
    (850, 170, 150, 50, "answer", ["yes, no, cannot tell"]),
    (650, 170, 150, 50, "export", ["COCO, YOLO, ..."]),
]
FLOW_ARROWS: list[Arrow] = [
    (160, 85, 204, 55), (160, 115, 204, 145), (380, 50, 424, 85), (380, 150, 424, 115),
    (600, 100, 644, 100), (800, 100, 844, 100), (925, 140, 925, 164), (725, 140, 725, 164),
]  # fmt: skip

HOUSE: list[Box] = [
    (10, 10, 190, 56, "comfy_nodes/", ["nodes on the canvas"]),
    (210, 10, 190, 56, "webui/, scripts/", ["extension of A1111, Forge"]),
    (410, 10, 190, 56, "cli/", ["commands"]),
    (610, 10, 190, 56, "library/", ["import manyshot"]),
    (240, 120, 270, 80, "driver/", ["recipe, plan, jobs, servers,", "dataset folder, export"]),
    (540, 120, 260, 80, "trainer/", ["subjects, curation,", "measurement, report"]),
    (10, 250, 200, 80, "servers", ["ComfyUI or WebUI,", "reached over HTTP"]),
    (240, 250, 560, 80, "core/", ["prompts, masks, images, records, paths, errors",
                                  "no torch; imports nothing else of manyshot"]),
]  # fmt: skip
HOUSE_ARROWS: list[Arrow] = [
    (310, 66, 330, 114), (480, 66, 420, 114), (540, 66, 600, 114), (660, 66, 490, 114),
    (710, 66, 700, 114), (375, 200, 375, 244), (670, 200, 670, 244), (260, 200, 180, 244),
    (120, 66, 236, 290),
]  # fmt: skip


def draw(boxes: list[Box], arrows: list[Arrow], width: int, height: int, title: str) -> str:
    """The drawing as SVG text. Sizes and places are in pixels."""
    marker = (
        '<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
        'orient="auto"><path d="M0,0 L8,4 L0,8z" fill="#0067a5"/></marker></defs>'
    )
    lines = [f'<path class="l" d="M{a},{b} L{c},{d}"/>' for a, b, c, d in arrows]
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    background = f'<rect class="bg" width="{width}" height="{height}"/>'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
            f"<title>{escape(title)}</title><style>{STYLE}</style>{marker}{background}",
            *lines,
            *map(_box, boxes),
            "</svg>\n",
        ]
    )


def _box(box: Box) -> str:
    left, top, width, height, name, lines = box
    texts = [
        f'<text class="s" x="{left + 12}" y="{top + 42 + 18 * place}">{escape(line)}</text>'
        for place, line in enumerate(lines)
    ]
    return (
        f'<rect class="b" x="{left}" y="{top}" width="{width}" height="{height}" rx="6"/>'
        f'<text class="h" x="{left + 12}" y="{top + 22}">{escape(name)}</text>{"".join(texts)}'
    )


def main() -> None:
    """Write both drawings beside this file."""
    flow = draw(FLOW, FLOW_ARROWS, 1010, 230, "From your photos to an answer")
    house = draw(HOUSE, HOUSE_ARROWS, 810, 340, "The packages of manyshot and who imports whom")
    (HERE / "data_flow.svg").write_text(flow, encoding="utf-8")
    (HERE / "architecture.svg").write_text(house, encoding="utf-8")


if __name__ == "__main__":
    main()
