"""Compares our conversion of canvas files with the front end's own, on a server that you name.

    python tools/compare_canvas.py http://127.0.0.1:8188 FOLDER [--answers FILE]

Every workflow in UI format below FOLDER is opened in the server's own front end (headless
Chromium), exported there and converted here. A line names each file that differs and its first
difference, or what the check before a run has against the export; the last line counts. `--answers`
keeps what the front end said, so that the next run needs no browser.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from manyshot.core.errors import InputError
from manyshot.driver.workflow.canvas import is_ui
from manyshot.driver.workflow.catalogue import Catalogue
from manyshot.driver.workflow.convert_ui import convert_ui
from manyshot.driver.workflow.dynamic_inputs import expand
from manyshot.driver.workflow.graph import id_order, is_link, parse_api
from manyshot.driver.workflow.preflight import check

READY = "window.app?.vueAppReady && window.app.extensionManager.workflow.activeWorkflow"
EXPORT = """async graph => {
    await window.app.loadGraphData(graph)
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))
    return (await window.app.graphToPrompt()).output
}"""
VIEW = "IMAGECOMPARE"  # what a comparison shows on the canvas
MODELS = "the server has no '"  # a model file that this machine lacks says nothing about the graph


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("server", help="the server's address, such as http://127.0.0.1:8188")
    parser.add_argument("folder", type=Path, help="where the canvas files are")
    parser.add_argument("--answers", type=Path, help="keeps the front end's answers")
    options = parser.parse_args()
    with urlopen(f"{options.server}/object_info") as reply:
        catalogue = Catalogue.from_json(json.load(reply))
    canvases = read_canvases(options.folder, catalogue)
    answers = read_answers(options.answers) or ask_front_end(options.server, canvases)
    if options.answers:
        options.answers.write_text(json.dumps(answers), encoding="utf-8")
    return report(canvases, answers, catalogue)


def read_canvases(folder: Path, catalogue: Catalogue) -> dict[str, Any]:
    """The canvas files below a folder all of whose node classes the server has."""
    read = {
        str(path.relative_to(folder)): json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.rglob("*.json"))
    }
    return {name: ui for name, ui in read.items() if is_ui(ui) and _has_all(ui, catalogue)}


def read_answers(path: Path | None) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path and path.exists() else {}


def ask_front_end(server: str, canvases: dict[str, Any]) -> dict[str, Any]:
    """The front end's own API export of each canvas file; None where it raised an error."""
    from playwright.sync_api import Error, sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    answers: dict[str, Any] = {}
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1600, "height": 900})
        page.goto(server)
        page.wait_for_function(READY, timeout=600_000)
        for name, ui in canvases.items():
            try:
                answers[name] = page.evaluate(EXPORT, ui)
            except Error as error:
                print(f"{name}: the front end failed: {str(error).splitlines()[0]}")
                answers[name] = None
        browser.close()
    return answers


def report(canvases: dict[str, Any], answers: dict[str, Any], catalogue: Catalogue) -> int:
    """Prints what differs; 0 when nothing does."""
    equal, passed, count = 0, 0, 0
    for name, expected in answers.items():
        if expected is None or name not in canvases:
            continue
        count += 1
        try:
            converted = convert_ui(canvases[name], catalogue, name)
            text = next(differences(rename_alike(converted, expected), expected, catalogue), None)
        except InputError as error:
            text = f"refused: {error}"
        equal += text is None
        if text:
            print(f"{name}: {text}")
        problems = check(parse_api(expected, name), catalogue, name) if expected else []
        faults = [problem.sentence() for problem in problems if MODELS not in problem.text]
        passed += not faults
        if faults:
            print(f"preflight: {faults[0]}")
    print(f"{count} canvas files: {equal} equal in effect, {passed} exports pass preflight")
    return 0 if equal == passed == count else 1


def rename_alike(converted: Any, expected: Any) -> Any:
    """`converted` with the ids of `expected`: front ends since 2026 number nodes of subgraphs anew
    where an id occurs twice in the file."""
    ours = sorted(
        converted.keys() - expected.keys(), key=lambda i: (converted[i]["class_type"], id_order(i))
    )
    theirs = sorted(
        expected.keys() - converted.keys(), key=lambda i: (expected[i]["class_type"], id_order(i))
    )
    ids = dict(zip(ours, theirs, strict=False))
    return {
        ids.get(node_id, node_id): node
        | {
            "inputs": {
                name: [ids.get(value[0], value[0]), value[1]] if is_link(value) else value
                for name, value in node["inputs"].items()
            }
        }
        for node_id, node in converted.items()
    }


def differences(converted: Any, expected: Any, catalogue: Catalogue) -> Iterator[str]:
    """The nodes and inputs in which two API graphs differ.

    Titles do not count, nor what the server passes over: players and previews of the canvas.
    """
    for node_id in sorted(converted.keys() ^ expected.keys()):
        yield f"only {'the front end has' if node_id in expected else 'we have'} node {node_id}"
    for node_id in sorted(converted.keys() & expected.keys()):
        ours, theirs = converted[node_id]["inputs"], expected[node_id]["inputs"]
        spec = expand(catalogue.nodes[expected[node_id]["class_type"]], theirs)
        for name, declared in spec.inputs.items():
            values = ours.get(name, "unset"), theirs.get(name, "unset")
            if values[0] != values[1] and declared.type != VIEW:
                shown = " for ".join(repr(value)[:60] for value in values)
                yield f"node {node_id} ({spec.class_type}), input {name}: {shown}"


def _has_all(ui: dict[str, Any], catalogue: Catalogue) -> bool:
    subgraphs = (ui.get("definitions") or {}).get("subgraphs") or []
    types = {node.get("type") for canvas in (ui, *subgraphs) for node in canvas["nodes"]}
    canvas_only = {"Reroute", "PrimitiveNode", "Note", "MarkdownNote"}
    return types <= catalogue.nodes.keys() | {item["id"] for item in subgraphs} | canvas_only


if __name__ == "__main__":
    sys.exit(main())
