"""WebUIs at work: requests for their API, from a recipe's key `webui` and its workflow."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import Any

from ...address import ServerAddress
from ...binding import Binding
from ...pairs.labelled_photos import Scenes
from ...recipe import Recipe
from ...subjects import Subjects
from ..target import Check, Local, Target, ask_briefly, check_models
from .bind_requests import bind_requests
from .requests import Requests
from .webui_client import WebUI
from .webui_server import WebUIServer, reach


class WebUITarget:
    """A `target.Target`."""

    def compile(
        self,
        recipe: Recipe,
        graphs: Binding | None,
        subjects: Subjects,
        scenes: Scenes | None,
        where: str,
    ) -> Requests:
        return bind_requests(recipe, graphs, subjects, scenes, where)

    def open(
        self, stack: ExitStack, address: ServerAddress, recipe: Recipe, local: Local
    ) -> WebUIServer:
        return reach(address, recipe)

    def keep(
        self, recipe: Recipe, files: Mapping[str, Path], local: Local
    ) -> AbstractContextManager[Any]:
        return nullcontext()

    def diagnose(self, address: ServerAddress) -> Iterator[Check]:
        with ask_briefly(address) as http:
            titles = [str(each.get("title")) for each in WebUI(http).list_items("sd-models") or []]
        yield Check("server", True, "the WebUI answers")
        yield check_models(titles)


TARGET: Target = WebUITarget()
