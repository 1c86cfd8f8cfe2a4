"""docs/library.ipynb runs as it stands, and its saved outputs say nothing of a machine."""

import re
from pathlib import Path

import pytest

pytest.importorskip("torchmetrics")

import nbformat
from manyshot.driver.embedded import EmbeddedServer
from nbclient import NotebookClient
from nbformat import NotebookNode

from ..support.patience import PATIENCE

NOTEBOOK = Path(__file__).parents[2] / "docs" / "library.ipynb"
OF_A_MACHINE = re.compile(r"/(home|root|tmp|work|Users|usr|opt)/|127\.0\.0\.1|Traceback")


def read() -> NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_it_was_saved_after_a_whole_run() -> None:
    cells = code_cells(read())
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    shown = [cell for cell in cells if cell.outputs]
    assert len(shown) >= len(cells) - 1  # the first one shows nothing


def test_its_outputs_are_of_no_machine_and_small() -> None:
    text = NOTEBOOK.read_text("utf-8")
    pictures = re.sub(r'"image/(png|jpeg)": "[^"]*"|base64,[A-Za-z0-9+/=]*', "", text)
    assert OF_A_MACHINE.findall(pictures) == []
    assert len(text) < 1_000_000


@pytest.mark.server
def test_it_runs(comfyui: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MANYSHOT_SERVER", comfyui.url)
    notebook = read()
    NotebookClient(notebook, timeout=PATIENCE, kernel_name="python3").execute()
    kinds = {output.output_type for cell in code_cells(notebook) for output in cell.outputs}
    assert kinds == {"execute_result", "stream"}
