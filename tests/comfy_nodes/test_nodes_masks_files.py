"""Folders and files that Load Labelled and Load Mask refuse, with one sentence."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from manyshot.core.masks.label_mask import LabelMask
from manyshot.core.masks.labelled_png import encode_png
from PIL import Image

from ..support.mask_graphs import (
    done,
    load_mask,
    loader,
    refusal,
    shown,
)
from ..support.server_client import Client

pytestmark = pytest.mark.server
SEEN = shown(("text", "load", 4))


def save(path: Path, pixels: Any, kind: type = np.uint8) -> None:
    Image.fromarray(np.array(pixels, kind)).save(path)


@pytest.mark.parametrize(
    ("folder", "sentence"),
    [
        ("../x", "The folder '..' cannot be used"),
        ("/etc", "The folder '' cannot be used"),
        ("", "The folder '' cannot be used"),
        ("a/\x00", "cannot be used as a file name"),
        ("absent", "ComfyUI's input folder has no folder 'absent'."),
        ("{pairs}s", "has no folder '{pairs}s'. Did you mean '{pairs}'?"),
        ("{pairs}/images/kat", "Did you mean '{pairs}/images/cat'?"),
        ("{pairs}/masks/cat/a.png", "is not a label file"),
    ],
)
def test_folders_that_are_none(client: Client, pairs: Path, folder: str, sentence: str) -> None:
    graph = {"load": loader(pairs, count=1), **SEEN}
    graph["load"]["inputs"]["folder"] = folder.format(pairs=pairs.name)
    assert sentence.format(pairs=pairs.name) in refusal(client, graph, "load")


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda folder: (folder / "masks/cat/b.png").unlink(), "cat/b.png has no mask"),
        (lambda folder: (folder / "palette.yaml").write_text("a: 1"), "palette.yaml: "),
        (lambda folder: (folder / "metadata.jsonl").write_text("{}"), "line 1, is not a record"),
        (lambda folder: save(folder / "masks/dog/c.png", np.zeros((24, 32))), "does not name its"),
    ],
)
def test_folders_with_a_gap_are_refused_before_the_run(
    client: Client, pairs: Path, spoil: Callable[[Path], object], sentence: str
) -> None:
    """Though the same folder was right before."""
    graph = {"load": loader(pairs, count=1), **SEEN}
    done(client, graph)
    spoil(pairs)
    assert sentence in refusal(client, graph, "load")


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda folder: save(folder / "images/cat/a.png", np.zeros((9, 8, 3))), "32x24 pixels and"),
        (
            lambda folder: (folder / "masks/cat/a.png").write_bytes(
                encode_png(LabelMask(np.zeros((24, 32), np.uint8), ("background",)))
            ),
            "a.png is empty",
        ),
        (lambda folder: (folder / "images/cat/a.png").write_text("text"), "a.png cannot be read"),
    ],
)
def test_photos_that_do_not_fit_end_the_run(
    client: Client, pairs: Path, spoil: Callable[[Path], object], sentence: str
) -> None:
    done(client, {"load": loader(pairs, count=1, first=1), **SEEN})
    spoil(pairs)
    run = client.run({"load": loader(pairs), **SEEN})
    assert run.error is not None
    assert sentence in run.error
    assert len(run.error.strip().splitlines()) == 1


TABLE = "background: 0, #000000\ncat: 1, 300, #ff6000"


@pytest.mark.parametrize(
    ("pixels", "kind", "changes", "sentence"),
    [
        ([[[255, 97, 0]]], np.uint8, {"table": TABLE}, "#ff6100.*The nearest is #ff6000 cat"),
        ([[[255, 97, 0]]], np.uint8, {}, "is in colour .#ff6100.*Say in the table"),
        ([[0, 7]], np.uint16, {"table": TABLE}, "has 7 in row 0, column 1"),
        ([[0, 0]], np.uint8, {"table": TABLE}, "is empty"),
        ([[0, 1]], np.uint8, {"table": "cat 1"}, "not of the form"),
        ([[0, 7]], np.uint8, {"form": "trimap"}, "has 7 in row 0"),
        ([[0, 1]], np.uint8, {"form": "alpha"}, "no alpha channel"),
        ([[0, 1]], np.uint8, {"form": "coco"}, "annotations .* cannot be read"),
    ],
)
def test_masks_that_are_refused_before_the_run(
    client: Client, pairs: Path, pixels: Any, kind: type, changes: dict[str, str], sentence: str
) -> None:
    save(pairs / "mask.png", pixels, kind)
    graph = {"load": load_mask(pairs, "mask.png", **changes), **shown(("mask", "load", 0))}
    assert re.search(sentence, refusal(client, graph, "load"))


@pytest.mark.parametrize("name", ["../../x.png", "absent.png", "masks"])
def test_files_that_are_none(client: Client, pairs: Path, name: str) -> None:
    graph = {"load": load_mask(pairs, name), **shown(("mask", "load", 0))}
    assert refusal(client, graph, "load")
