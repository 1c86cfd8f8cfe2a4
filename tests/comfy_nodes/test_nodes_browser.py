"""Every template in the real front end: no missing node, none over another, and the API twin to the
letter."""

import json
import shutil
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from templates import read_template, templates, workflow_name

API = Path(__file__).parents[2] / "workflows" / "api"
TEMPLATES = templates()
RENDERERS = {"classic": False, "Nodes 2.0": True}  # the setting Comfy.VueNodes.Enabled
BOXES = """() => window.app.graph.nodes.map(node => {
    const element = document.querySelector(`[data-node-id="${node.id}"]`)
    const [x, y] = node.pos
    const [width, height] = element
        ? [element.offsetWidth, element.offsetHeight]
        : [node.size[0], node.size[1] + 30]
    return [node.title, x, y - 30, x + width, y - 30 + height]
})"""

READY = "window.app?.vueAppReady && window.app.extensionManager.workflow.activeWorkflow"

pytestmark = [pytest.mark.server, pytest.mark.browser]


@pytest.fixture(scope="module")
def page(comfyui: Any) -> Iterator[Any]:
    """The front end in headless Chromium, after it has opened its own first graph."""
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        pytest.skip("chromium is not installed")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1600, "height": 900})
        page.goto(comfyui.url)
        page.wait_for_function(READY, timeout=600_000)
        yield page
        browser.close()


def load(page: Any, path: Path) -> None:
    page.evaluate("async graph => { await window.app.loadGraphData(graph) }", read_template(path))


def each_template(test: Any) -> Any:
    return pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)(test)


@each_template
def test_no_node_is_missing(page: Any, path: Path) -> None:
    load(page, path)
    states = page.evaluate("window.app.graph.nodes.map(node => [node.type, !!node.has_errors])")
    saved = read_template(path)["nodes"]
    assert sorted(states) == sorted([node["type"], False] for node in saved)


@each_template
def test_the_front_end_makes_the_api_twin(page: Any, path: Path) -> None:
    load(page, path)
    made = page.evaluate("async () => (await window.app.graphToPrompt()).output")
    twin = json.loads((API / f"{workflow_name(read_template(path))}.json").read_text("utf-8"))
    assert made == twin


@pytest.fixture(scope="module", params=RENDERERS)
def renderer(request: Any, page: Any) -> Iterator[str]:
    """The page with one renderer after the other."""
    switch = "value => window.app.extensionManager.setting.set('Comfy.VueNodes.Enabled', value)"
    page.evaluate(switch, RENDERERS[request.param])
    yield request.param
    page.evaluate(switch, False)


@each_template
def test_no_node_covers_another(page: Any, renderer: str, path: Path) -> None:
    load(page, path)
    if RENDERERS[renderer]:
        count = len(read_template(path)["nodes"])
        drawn = "count => document.querySelectorAll('[data-node-id]').length >= count"
        page.wait_for_function(drawn, arg=count, timeout=60_000)
    for one, other in combinations(page.evaluate(BOXES), 2):
        apart = one[3] <= other[1] or other[3] <= one[1] or one[4] <= other[2] or other[4] <= one[2]
        assert apart, (one, other)


def test_the_template_browser_lists_them_in_order(page: Any, comfyui: Any) -> None:
    listed = page.request.get(f"{comfyui.url}/workflow_templates").json()
    assert [path.stem for path in TEMPLATES] in listed.values()


def test_the_template_browser_shows_titles_and_thumbnails(page: Any) -> None:
    browser = page.locator('[aria-labelledby="global-workflow-template-selector"]')
    if not browser.count():  # the front end opens it by itself when it is new
        page.evaluate("() => window.app.extensionManager.command.execute('Comfy.BrowseTemplates')")
    browser.get_by_text("manyshot", exact=True).first.dispatch_event("click")
    for path in TEMPLATES:  # the next cards are loaded when the last ones come into view
        browser.get_by_text(path.stem, exact=True).first.scroll_into_view_if_needed()
    loaded = "[...document.images].filter(image => image.naturalWidth === 512).length"
    page.wait_for_function(f"() => {loaded} >= 6", timeout=60_000)  # those in view
    page.keyboard.press("Escape")
