"""Every saved workflow in the real front end: no missing node, and the API twin to the letter."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

WORKFLOWS = Path(__file__).parents[1] / "workflows"
STEMS = sorted(path.stem for path in WORKFLOWS.glob("*.json"))

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


def load(page: Any, stem: str) -> None:
    workflow = json.loads((WORKFLOWS / f"{stem}.json").read_text(encoding="utf-8"))
    page.evaluate("async workflow => { await window.app.loadGraphData(workflow) }", workflow)


def test_there_are_workflows() -> None:
    assert STEMS
    assert sorted(path.stem for path in (WORKFLOWS / "api").glob("*.json")) == STEMS


@pytest.mark.parametrize("stem", STEMS)
def test_no_node_is_missing(page: Any, stem: str) -> None:
    load(page, stem)
    states = page.evaluate("window.app.graph.nodes.map(node => [node.type, !!node.has_errors])")
    saved = json.loads((WORKFLOWS / f"{stem}.json").read_text(encoding="utf-8"))["nodes"]
    assert sorted(states) == sorted([node["type"], False] for node in saved)


@pytest.mark.parametrize("stem", STEMS)
def test_the_front_end_makes_the_api_twin(page: Any, stem: str) -> None:
    load(page, stem)
    made = page.evaluate("async () => (await window.app.graphToPrompt()).output")
    twin = json.loads((WORKFLOWS / "api" / f"{stem}.json").read_text(encoding="utf-8"))
    assert made == twin


@pytest.mark.parametrize("stem", STEMS)
def test_the_template_browser_lists_it(page: Any, comfyui: Any, stem: str) -> None:
    listed = page.request.get(f"{comfyui.url}/workflow_templates").json()
    assert any(stem in stems for stems in listed.values())
