"""Loads the extension's real entry file as the WebUI does, beside another extension."""

import importlib
import importlib.util
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FAKE = Path(__file__).parents[1] / "fake_webui"
CLASSES = "cat\ndog: a small dog"
OURS = (
    "manyshot",
    "modules",
    "gradio",
    "fastapi",
    "driver",
    "trainer",
    "core",
    "networks",
    "lib_controlnet",
)


def names(folder: Path, kind: str = "images") -> set[str]:
    """The files of a dataset folder, by their paths in it."""
    return {str(path.relative_to(folder)) for path in (folder / kind).rglob("*.png")}


def records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metadata.jsonl").read_text().splitlines()]


def _is_ours(name: str) -> bool:
    return name.split(".")[0] in OURS


@contextmanager
def fake_webui() -> Iterator["Host"]:
    """`modules.*` and gradio are the fake ones inside of the block; all is as before behind it."""
    before = {name: module for name, module in sys.modules.items() if _is_ours(name)}
    path = list(sys.path)
    for name in before:
        del sys.modules[name]
    sys.path[:0] = [str(FAKE / "other_extension"), str(FAKE)]
    try:
        yield Host()
    finally:
        sys.path[:] = path
        for name in [name for name in sys.modules if _is_ours(name)]:
            del sys.modules[name]
        sys.modules.update(before)


class Host:
    """The WebUI's own side: the script loaded, its page made, a processing handed to it."""

    def __init__(self) -> None:
        from modules import processing, script_callbacks, shared  # pyright: ignore

        import driver  # pyright: ignore  # the other extension's, loaded before us
        import trainer  # pyright: ignore

        self.others = driver, trainer
        self.processing, self.callbacks, self.shared = processing, script_callbacks, shared
        self.always: list[Any] = []
        self.load()

    def load(self) -> None:
        """As modules/scripts.py and script_loading.py load a script, also on "Reload UI"."""
        self.callbacks.app_started.clear()
        path = ROOT / "scripts" / "manyshot.py"
        before = list(sys.path)
        sys.path.insert(0, str(ROOT))
        try:
            spec = importlib.util.spec_from_file_location(path.name, path)
            assert spec
            assert spec.loader
            self.module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(self.module)
        finally:
            sys.path[:] = before
        classes = [one for one in vars(self.module).values() if isinstance(one, type)]
        base = sys.modules["modules.scripts"].Script
        found = [one() for one in classes if issubclass(one, base)]
        (self.script,) = [one for one in found if one.show(False) is True]
        (self.mark,) = [one for one in found if one.show(False) is not True]
        self.controls = self.script.ui(False)

    def part(self, name: str) -> Any:
        """A module of the package that the entry file bound."""
        return importlib.import_module(f"manyshot.{name}")

    def page(self, **changes: Any) -> Any:
        """A processing as the page txt2img makes it."""
        fields = {"prompt": "a photo of a {class_name}", "width": 16, "height": 16, "steps": 4}
        p = self.processing.StableDiffusionProcessing(**{**fields, **changes})
        p.scripts = SimpleNamespace(alwayson_scripts=self.always)
        p.script_args = [0, None]
        return p

    def run(self, p: Any = None, **settings: Any) -> Any:
        """The script on a page, its `script_args` by their names."""
        defaults = [control.value for control in self.controls]
        names = self.part("webui.script_settings").NAMES
        args = {**dict(zip(names, defaults, strict=True)), **settings}
        return self.script.run(p or self.page(), *args.values())
