"""Makes the pictures of saved workflows in ComfyUI's front end, after they have run.

    manyshot server start
    python docs/pictures/canvas.py http://127.0.0.1:8188 class_prompts
    python docs/pictures/canvas.py http://127.0.0.1:8188 mask_segmentation
    python docs/pictures/canvas.py http://127.0.0.1:8188 train_subject
    python docs/pictures/canvas.py http://127.0.0.1:8188 train_subject a.jpg b.jpg c.jpg

It needs Chromium and playwright, and a server with the node pack and manyshot-tiny.
"""

import json
import shutil
import sys
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
sys.path.append(str(HERE.parents[1] / "tools"))
from templates import read_template, template_of  # noqa: E402 - no part of the package

MAX_BYTES = 400_000
Frame = tuple[float, float, float]
PLAIN = {  # settings that keep the picture free of dialogs and tools
    "Comfy.TutorialCompleted": True,
    "Comfy.Minimap.Visible": False,
    "Comfy.Graph.CanvasInfo": False,
    "Comfy.Graph.CanvasMenu": False,
}
READY = "window.app?.vueAppReady && window.app.extensionManager.workflow.activeWorkflow"
SAVED = "window.app.graph.nodes.some(n => n.type === 'ManyshotSaveLabelled' && n.imgs?.length > 1)"
FOCUS = "() => { window.app.extensionManager.focusMode = true }"
FRAME = """([scale, x, y]) => {
    const view = window.app.canvas.ds
    view.scale = scale
    view.offset[0] = x
    view.offset[1] = y
    window.app.canvas.setDirty(true, true)
}"""


PICTURES = {  # workflow -> name of its picture, and that one's width in pixels
    "class_prompts": ("canvas", 1600),
    "mask_segmentation": ("masks", 1600),
    "train_subject": ("subject", 1840),
}
EDGE = 20  # pixels around the graph


def main(url: str, stem: str, photos: Sequence[Path]) -> None:
    name, width = PICTURES[stem]
    workflow = read_template(template_of(stem))
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        height, frame = whole_view(workflow, width)
        page = chromium.new_page(viewport={"width": width, "height": height})
        for setting, value in PLAIN.items():
            page.request.post(f"{url}/settings/{setting}", data=json.dumps(value))
        give_photos(page, url, workflow, photos)
        page.goto(url)
        page.wait_for_function(READY)
        picture = run_and_show(page, workflow, frame)
        chromium.close()
    # 64 shades a channel look the same and pack far better.
    plain = Image.open(BytesIO(picture)).convert("RGB").point(lambda shade: shade & 0xFC)
    plain.save(HERE / f"{name}.png", optimize=True)
    size = (HERE / f"{name}.png").stat().st_size
    assert size < MAX_BYTES, f"{name}.png has {size} bytes"


def whole_view(workflow: dict[str, Any], width: int) -> tuple[int, Frame]:
    """The picture's height, and the scale and offsets that show the whole graph in its width."""
    boxes = [group["bounding"] for group in workflow["groups"]]
    right = max(x + wide for x, _, wide, _ in boxes)
    bottom = max(y + high for _, y, _, high in boxes)
    scale = (width - 2 * EDGE) / right
    offset = EDGE / scale
    return round(bottom * scale + 2 * EDGE), (scale, offset, offset)


def give_photos(page: Page, url: str, workflow: dict[str, Any], photos: Sequence[Path]) -> None:
    """Upload photos, and choose them in the nodes that load one."""
    loaders = [node for node in workflow["nodes"] if node["type"] == "LoadImage"]
    for node, photo in zip(loaders, photos, strict=bool(photos)):
        kind = "image/png" if photo.suffix == ".png" else "image/jpeg"
        file: Any = {"name": photo.name, "mimeType": kind, "buffer": photo.read_bytes()}
        page.request.post(f"{url}/upload/image", multipart={"image": file})
        node["widgets_values"][0] = photo.name


def run_and_show(page: Page, workflow: dict[str, Any], frame: Frame) -> bytes:
    """Open the workflow, queue it, wait for its images, and take the picture."""
    page.evaluate("async workflow => { await window.app.loadGraphData(workflow) }", workflow)
    page.evaluate("() => window.app.queuePrompt(0, 1)")
    page.wait_for_function(SAVED, timeout=1_800_000)
    page.evaluate(FOCUS)
    page.wait_for_timeout(1000)  # the canvas takes its new size; nothing tells when
    page.evaluate(FRAME, frame)
    page.wait_for_timeout(1000)
    return page.screenshot()


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"), sys.argv[2], [Path(name) for name in sys.argv[3:]])
