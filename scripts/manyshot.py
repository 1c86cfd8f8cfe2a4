"""manyshot as an extension of AUTOMATIC1111's WebUI and of Forge: this file only binds.

The repository's folder becomes the package `manyshot` by its path, whatever it is called; nothing
has to be installed, and no other extension's `core`, `driver` or `trainer` is mistaken for ours.
"""

import importlib
import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = "manyshot"


def bind() -> None:
    """Make `manyshot` this folder; what an earlier load left is dropped ("Reload UI")."""
    for name in [n for n in sys.modules if n == NAME or n.startswith(f"{NAME}.")]:
        del sys.modules[name]
    spec = importlib.util.spec_from_file_location(
        NAME, ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = module
    spec.loader.exec_module(module)


bind()
ManyshotScript = importlib.import_module(f"{NAME}.webui.script").ManyshotScript
InterruptMark = importlib.import_module(f"{NAME}.webui.script").InterruptMark
importlib.import_module("modules.script_callbacks").on_app_started(
    importlib.import_module(f"{NAME}.webui.routes").add_routes
)
