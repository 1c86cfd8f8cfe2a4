"""Every command that resumes, begun with something and run again with something else: it refuses
with a sentence, begins anew, or goes on where the change decides nothing of the result.

Trainings of subjects are in test_subjects_resume.py, those of the base in test_base_import.py and
test_base_training.py, measurements in test_measure_recipe.py, curations in test_curation.py.
"""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from manyshot.core.records import read_records
from manyshot.driver.ledger import FILE_NAME

from ..support.fault_commands import EXPORTS, RUN, Command, everything
from ..support.nth_fault import Ended, invoke

Change = Callable[[Path], None]


def edited(**changes: Any) -> Change:
    """The recipe with other values."""

    def edit(folder: Path) -> None:
        path = folder / "recipe.yaml"
        path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **changes}))

    return edit


def begun(command: Command, folder: Path) -> Path:
    """A folder in which the command has been run."""
    inputs, work = folder / "work-inputs", folder / "work"
    inputs.mkdir()
    command.prepare(inputs)
    shutil.copytree(inputs, work, dirs_exist_ok=True)
    assert run(command, work).code == 0
    return work


def run(command: Command, folder: Path) -> Ended:
    with command.stubs():
        return invoke(command.arguments(folder))


REFUSED = "holds 4 images that an earlier recipe planned"
RUNS: list[tuple[str, Change, int, int, str]] = [
    ("words", edited(prompts={"templates": ["a drawing of a {class_name}"]}), 2, 4, REFUSED),
    ("a seed that nothing takes", edited(seed=7), 0, 4, "0 images in"),
    ("classes", edited(classes=["left", "up"]), 2, 4, "holds 2 images that an earlier recipe"),
    ("fewer images", edited(images_per_class=1), 2, 4, "holds 2 images that an earlier recipe"),
    ("more images", edited(images_per_class=3), 0, 6, "2 images in"),
    ("retries", edited(retries={"connection": 9}), 0, 4, "0 images in"),
    ("timeouts", edited(timeouts={"stall": 9}), 0, 4, "0 images in"),
    ("server", edited(servers=["http://127.0.0.1:2"]), 0, 4, "0 images in"),
    ("nothing", edited(), 0, 4, "0 images in"),
]


@pytest.mark.parametrize(("changed", "change", "code", "count", "said"), RUNS)
def test_a_run(
    changed: str, change: Change, code: int, count: int, said: str, tmp_path: Path
) -> None:
    folder = begun(RUN, tmp_path)
    before = everything(folder / "out") if code else {}
    change(folder)
    ended = run(RUN, folder)
    assert (ended.code, ended.tracebacks) == (code, []), ended.text
    assert said in ended.text
    assert len(list(read_records(folder / "out"))) == count
    assert not code or everything(folder / "out") == before, "a refused run changes nothing"


def other_workflow(folder: Path) -> None:
    path = folder / "graph.json"
    path.write_text(path.read_text().replace('"width": 16', '"width": 24'))


def test_a_run_of_another_workflow_is_refused(tmp_path: Path) -> None:
    folder = begun(RUN, tmp_path)
    other_workflow(folder)
    assert REFUSED in run(RUN, folder).text


FORMATS = {command.name.removeprefix("export "): command for command in EXPORTS}


@pytest.mark.parametrize("to", ["coco", "imagefolder"])
def test_an_export_is_never_mixed_with_another(to: str, tmp_path: Path) -> None:
    folder = begun(FORMATS[to], tmp_path)
    before = everything(folder / "new")
    ended = run(FORMATS["yolo"], folder)
    assert ended.code == 2
    assert "already exists. Choose a new or empty folder as output." in ended.text
    assert everything(folder / "new") == before


@pytest.mark.parametrize("to", sorted(FORMATS))
def test_an_export_that_was_killed_begins_anew(to: str, tmp_path: Path) -> None:
    """What it left half written, of the same options or of others, has no part in the next."""
    folder = begun(FORMATS[to], tmp_path)
    before = everything(folder / "new")
    (folder / "new").rename(folder / ".new.part")
    (folder / ".new.part" / "other").mkdir()
    (folder / ".new.part" / "other" / "half.png").write_bytes(b"half")
    assert run(FORMATS[to], folder).code == 0
    assert everything(folder / "new") == before
    assert not (folder / ".new.part").exists()


def test_pictures_of_subjects_are_drawn_again_for_whatever_decides_them(tmp_path: Path) -> None:
    pytest.importorskip("peft")
    from manyshot.trainer.subjects.evaluation import subject_pictures as pictures
    from manyshot.trainer.subjects.evaluation.subject_pictures import Drawing, draw_pictures

    first = Drawing(count=2, batch=2, contexts=("snow",), context_count=2)
    others = [
        ("0" * 64, "dog", replace(first, **{name: value}))
        for name, value in {
            "seed": 1,
            "batch": 1,
            "guidance": 3.0,
            "templates": ("a drawing of a {}",),
            "contexts": ("sand",),
        }.items()
    ]
    calls: list[object] = []

    def drawn(adapted: object, prompts: Any, *_: object) -> np.ndarray:
        calls.append(prompts)
        return np.full((len(prompts), 4, 4, 3), len(calls), np.uint8)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures, "_draw_batches", drawn)
        base: Any = None
        for digest, word, drawing in [
            ("0" * 64, "dog", first), ("1" * 64, "dog", first), ("0" * 64, "cat", first), *others
        ]:  # fmt: skip
            before = len(calls)
            draw_pictures(base, digest, word, drawing, tmp_path)
            assert len(calls) > before, drawing
            before = len(calls)
            draw_pictures(base, digest, word, drawing, tmp_path)
            assert len(calls) == before, "what was drawn is not drawn again"


def test_an_evaluation_of_the_base_is_of_one_set_of_photos(tmp_path: Path) -> None:
    pytest.importorskip("diffusers")
    from manyshot.core.errors import InputError
    from tiny_model.figures.evaluation_figures import check_photos, write_part

    path = tmp_path / "evaluation.json"
    check_photos(path, "sha256:a")
    write_part(path, "model", {"files": {}})  # as earlier versions wrote it
    check_photos(path, "sha256:a")
    write_part(path, "model", {"files": {}, "photos": "sha256:a"})
    check_photos(path, "sha256:a")
    with pytest.raises(InputError, match="was started with different settings: different photos"):
        check_photos(path, "sha256:b")


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(b"no mask")])
def test_a_lost_ledger_does_not_lose_masks(harm: Callable[[Path], object], tmp_path: Path) -> None:
    """A job whose mask is damaged or gone is made again, not taken for one without masks."""
    folder = begun(RUN, tmp_path)
    before = everything(folder)
    (folder / "out" / FILE_NAME).unlink()
    harm(sorted((folder / "out" / "masks" / "left").glob("*.png"))[0])
    assert invoke(["repair", str(folder / "out")]).code == 0
    assert run(RUN, folder).code == 0
    assert everything(folder) == before
