"""Makes canvas.png: the saved workflow class_prompts in ComfyUI's front end, after it has run.

    manyshot server start
    python docs/pictures/canvas.py http://127.0.0.1:8188

It needs Chromium and playwright, and a server with the node pack and manyshot-tiny.
"""

import json
import shutil
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
WORKFLOW = HERE.parents[1] / "workflows" / "class_prompts.json"
MAX_BYTES = 400_000
PLAIN = {  # settings that keep the picture free of dialogs and tools
    "Comfy.TutorialCompleted": True,
    "Comfy.Minimap.Visible": False,
    "Comfy.Graph.CanvasInfo": False,
    "Comfy.Graph.CanvasMenu": False,
}
READY = "window.app?.vueAppReady && window.app.extensionManager.workflow.activeWorkflow"
SAVED = "window.app.graph.nodes.some(n => n.type === 'ManyshotSaveLabelled' && n.imgs?.length > 1)"
FOCUS = "() => { window.app.extensionManager.focusMode = true }"
FRAME = """() => {
    const view = window.app.canvas.ds
    view.scale = 0.94
    view.offset[0] = 76
    view.offset[1] = 46
    window.app.canvas.setDirty(true, true)
}"""


def main(url: str) -> None:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = chromium.new_page(viewport={"width": 1600, "height": 900})
        for name, value in PLAIN.items():
            page.request.post(f"{url}/settings/{name}", data=json.dumps(value))
        page.goto(url)
        page.wait_for_function(READY)
        picture = run_and_show(page)
        chromium.close()
    # 64 shades a channel look the same and pack far better.
    plain = Image.open(BytesIO(picture)).convert("RGB").point(lambda shade: shade & 0xFC)
    plain.save(HERE / "canvas.png", optimize=True)
    size = (HERE / "canvas.png").stat().st_size
    assert size < MAX_BYTES, f"canvas.png has {size} bytes"


def run_and_show(page: Page) -> bytes:
    """Open the workflow, queue it, wait for its images, and take the picture."""
    workflow = json.loads(WORKFLOW.read_text(encoding="utf-8"))
    page.evaluate("async workflow => { await window.app.loadGraphData(workflow) }", workflow)
    page.evaluate("() => window.app.queuePrompt(0, 1)")
    page.wait_for_function(SAVED, timeout=600_000)
    page.evaluate(FOCUS)
    page.wait_for_timeout(1000)  # the canvas takes its new size; nothing tells when
    page.evaluate(FRAME)
    page.wait_for_timeout(1000)
    return page.screenshot()


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"))
