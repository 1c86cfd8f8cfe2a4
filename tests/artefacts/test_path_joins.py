# ruff: noqa: E501 - joins are quoted whole
"""Names out of files, ledgers and replies become paths in core/paths.py alone.

Caught is a join to what is called a name, file, path or place (`folder / name`, `root / row.file`,
`folder / row["file_name"]`, `.joinpath(...)`, `os.path.join(...)`) anywhere else. A join under
another name is not caught. Those of ALLOWED take names that are no stranger's, or were checked.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("cli", "comfy_nodes", "core", "driver", "library", "scripts", "tools/tiny_model",
         "trainer", "webui")  # fmt: skip
HOME = "core/paths.py"
SUSPECT = re.compile(r"(^|_)(names?|files?|filename|paths?|places?|stem)$")


def test_names_become_paths_in_one_place() -> None:
    found = {
        f"{path.relative_to(ROOT).as_posix()}: {join}"
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        if path != ROOT / HOME
        for join in joins(path.read_text(encoding="utf-8"))
    }
    new, gone = sorted(found - ALLOWED.keys()), sorted(ALLOWED.keys() - found)
    assert new == [], "join by core.paths.inside or below, or say here why it is safe"
    assert gone == [], "take it out of ALLOWED"


@pytest.mark.parametrize(
    "code",
    ["folder / name", "a / row.file_name", 'a / row["file"]', "a / names[0]", "a.joinpath(x)",
     "os.path.join(a, b)", 'a / "images" / name', "a / str(name)", 'a / f"{name}.png"',
     "Path(folder, name)"],
)  # fmt: skip
def test_joins_are_caught(code: str) -> None:
    assert list(joins(code)) != []


@pytest.mark.parametrize("code", ["a / 2", 'a / "images"', "a / NAME", "a / total", "Path(name)"])
def test_other_code_is_not(code: str) -> None:
    assert list(joins(code)) == []


def joins(code: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            if is_suspect(node.right):
                yield ast.unparse(node)
        elif isinstance(node, ast.Call):
            paths = called(node.func) in ("Path", "PurePosixPath")
            joined = called(node.func) in ("joinpath", "path.join")
            if joined or (paths and any(map(is_suspect, node.args[1:]))):
                yield ast.unparse(node)


def called(function: ast.expr) -> str:
    """A function's name; of os.path's with "path." before it."""
    text = ast.unparse(function)
    return "path.join" if text.endswith("path.join") else text.rpartition(".")[2]


def is_suspect(part: ast.expr) -> bool:
    match part:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return SUSPECT.search(name) is not None and not name.isupper()
        case ast.Subscript(value=value, slice=ast.Constant(value=str(key))):
            return SUSPECT.search(key) is not None or is_suspect(value)
        case ast.Subscript(value=value):
            return is_suspect(value)
        case ast.JoinedStr(values=values):
            return any(isinstance(v, ast.FormattedValue) and is_suspect(v.value) for v in values)
        case ast.Call(args=args):
            return any(map(is_suspect, args))
    return False


OURS = "the name is a constant of ours"
MADE = "the name is made of an id, a token or a number of ours"
LISTED = "the name is that of a file that was found, or of a path that the user gave"
CHECKED = "the name went through core/paths.py before"
ALLOWED = {
    "tools/tiny_model/evaluation/stage.py: self.folder / name": OURS,
    "tools/tiny_model/evaluation/stage.py: weights / name": OURS,
    "tools/tiny_model/evaluation/work.py: self.stage.folder / 'inputs' / name": OURS,
    "tools/tiny_model/evaluation/work.py: self.stage.folder / 'pictures' / f'{PICTURES}{name}'": OURS,
    "cli/start/command.py: Path('start') / folder.resolve().name": LISTED,
    "cli/start/command.py: output / name": OURS,
    "cli/start/preflight.py: checkpoints / options.base.name": LISTED,
    "cli/subject_evaluation.py: folder / names[sheet.class_name]": MADE,
    "comfy_nodes/input_files.py: root.joinpath(*relative_name(name.rstrip('/'), what).parts)": CHECKED,
    "comfy_nodes/subject_training.py: path.parent / 'samples' / f'{path.stem}-{step:06d}.png'": CHECKED,
    "comfy_nodes/subject_training.py: _models_folder(settings.method) / name": CHECKED,
    "comfy_nodes/subject_training.py: work / 'samples' / name": CHECKED,
    "comfy_nodes/subject_training.py: work / name": CHECKED,
    "core/files.py: place / path.name": MADE,
    "core/class_folders.py: folder / name": OURS,
    "core/recognise.py: path / name": OURS,
    "core/sole_use.py: folder / name": OURS,
    "driver/audit.py: folder / file.name": "rows of a ledger are checked when it is opened",
    "driver/each_draw.py: recipe.output / folder.name": LISTED,
    "driver/embedded/shared.py: inside(running.folder / 'models', kind) / "
    "safe_name(file_name, 'file name')": CHECKED,
    "driver/embedded/base_directory.py: base.folder / name": OURS,
    "driver/embedded/locks.py: usable_folder(path.parent) / path.name": OURS,
    "driver/embedded/embedded_server.py: folder / name": OURS,
    "driver/export/coco_export.py: images / sample.image_file": CHECKED,
    "driver/export/image_folder.py: images / sample.image_file": CHECKED,
    "driver/export/kohya.py: images / sample.image_file": CHECKED,
    "driver/export/voc.py: folder / IMAGES / sample.image_file": CHECKED,
    "driver/export/yolo.py: folder / 'images' / sample.split / sample.image_file": CHECKED,
    "driver/preview.py: recipe.output / name": MADE,
    "driver/restore.py: folder / name": LISTED,
    "driver/take_over.py: folder / name": "rows of a ledger are checked when it is opened",
    "driver/upkeep.py: folder / name": OURS,
    "driver/writer.py: self._folders[folder] / file": CHECKED,
    "tools/tiny_model/photo_data.py: folder / f'{entry.name}.jpg'": CHECKED,
    "tools/tiny_model/photo_data.py: folder / f'{entry.name}.png'": CHECKED,
    "tools/tiny_model/figures/card.py: docs / figures.name": OURS,
    "tools/tiny_model/figures/card.py: docs / 'pictures' / picture.name": OURS,
    "tools/tiny_model/export_checkpoint.py: run / name": OURS,
    "trainer/stable_diffusion/export_webui.py: folder / CHECKPOINTS / f'{checkpoint.stem}-clip'": LISTED,
    "trainer/stable_diffusion/export_webui.py: folder / CHECKPOINTS / checkpoint.name": LISTED,
    "trainer/stable_diffusion/export_webui.py: folder / CHECKPOINTS / f'{checkpoint.stem}.yaml'": LISTED,
    "tools/tiny_model/import_run.py: run / names[0]": OURS,
    "tools/tiny_model/import_run.py: run / names[1]": OURS,
    "tools/tiny_model/import_run.py: run / names[2]": OURS,
    "tools/tiny_model/import_run.py: run / name": OURS,
    "trainer/stable_diffusion/architecture.py: folder / name": OURS,
    "trainer/curation/curate.py: curation.output / page.relative_to(place)": MADE,
    "trainer/measure/earlier_runs.py: folder / BESIDE.replace('*', hash_file(path)[:8])": MADE,
    "trainer/measure/photos.py: folder / place": MADE,
    "trainer/measure/segmentation/pair_data.py: folder.parent.parent / MASKS / folder.name": LISTED,
    "trainer/measure/segmentation/pair_data.py: trimaps / f'{example.name}.png'": CHECKED,
    "trainer/measure/sources.py: root / FOLDER / 'images' / f'{entry.name}.jpg'": CHECKED,
    "trainer/measure/sources.py: folder / name": "from the package elpv-dataset",
    "trainer/measure/summary.py: (1 - LEVEL) / len(places)": "a division",
    "trainer/subjects/train_recipe.py: recipe.output / f'{name}.safetensors'": CHECKED,
    "trainer/subjects/single_file.py: folder / name": OURS,
    "trainer/subjects/single_file.py: place / WHOLE.get(name, 'config.json')": OURS,
    "trainer/subjects/train_subject.py: path.parent / 'looks' / f'{path.stem}-{step:06d}.safetensors'": CHECKED,
    "trainer/subjects/train_subject.py: path.parent / 'samples' / f'{path.stem}-{step:06d}.png'": CHECKED,
    "trainer/subjects/resolve_subjects.py: folder / f'{photo.stem}.png'": LISTED,
    "trainer/subjects/resolve_subjects.py: classes.masks / name": LISTED,
    "trainer/training_log.py: folder / name": "the name is that of a trained file, checked before",
}
