"""ComfyUI at work: the embedded server started, others reached."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...address import EMBEDDED, ServerAddress
from ...binding import Binding
from ...embedded import EmbeddedServer, ServerSettings
from ...embedded.cache_folders import models_folder
from ...embedded.shared import share_background
from ...pairs.labelled_photos import Scenes
from ...recipe import Recipe
from ...subjects import Subjects, server_files
from ..target import Check, Local, Target
from . import KIND
from .comfy_server import ComfyServer, reach
from .diagnose import check_embedded, check_remote


class ComfyUITarget:
    """A `target.Target`."""

    def compile(
        self,
        recipe: Recipe,
        graphs: Binding | None,
        subjects: Subjects,
        scenes: Scenes | None,
        where: str,
    ) -> None:
        """It draws the graphs themselves."""

    def open(
        self, stack: ExitStack, address: ServerAddress, recipe: Recipe, local: Local
    ) -> ComfyServer:
        if address.url == EMBEDDED:
            return _start_embedded(stack, address, recipe, local)
        return reach(address.base_url, address, recipe)

    def keep(
        self, recipe: Recipe, files: Mapping[str, Path], local: Local
    ) -> AbstractContextManager[Any]:
        """The embedded server, unless `manyshot server start` left a fitting one running."""
        if all(address.url != EMBEDDED for address in recipe.servers):
            return nullcontext()
        if local.program is None and share_background(files, local.progress):
            return nullcontext()
        return EmbeddedServer(_settings(files, local), local.progress)

    def diagnose(self, address: ServerAddress) -> Iterator[Check]:
        return check_embedded() if address.url == EMBEDDED else check_remote(address)


def _start_embedded(
    stack: ExitStack, address: ServerAddress, recipe: Recipe, local: Local
) -> ComfyServer:
    """The embedded server, which runs already or lives as long as `stack`; or the one in the
    background."""
    files, running = server_files(recipe), local.running.get(KIND.name)
    if running is None and local.program is None:
        background = share_background(files, local.progress)
        if background:
            reached = reach(EMBEDDED, address.model_copy(update={"url": background.url}), recipe)
            return replace(reached, models=(background.folder / "models", models_folder()))
    server: EmbeddedServer = running or stack.enter_context(
        EmbeddedServer(_settings(files, local), local.progress)
    )
    reached = reach(EMBEDDED, address.model_copy(update={"url": server.url}), recipe)
    return replace(reached, revive=server.restart, models=server.model_folders)


def _settings(files: Mapping[str, Path], local: Local) -> ServerSettings:
    settings = ServerSettings(extra_models=dict(files))
    if local.program is None:
        return settings
    return replace(settings, comfyui=local.program.folder, python=local.program.python)


TARGET: Target = ComfyUITarget()
