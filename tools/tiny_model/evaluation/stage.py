"""Where the command `evaluate` draws: one server for all parts, a dataset folder for each."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from manyshot.core.errors import InputError, ManyshotError

from .recipes import Recipe

if TYPE_CHECKING:
    from manyshot.cli.console import PlainConsole
    from manyshot.driver.embedded import EmbeddedServer

TINY = "manyshot-tiny"
PATIENCE = 900.0  # seconds for the server to start beside a training


@dataclass(frozen=True)
class Stage:
    """A running server, and the folder that all its images go to.

    `files`: name below models/ -> the weights in use.
    """

    server: "EmbeddedServer"
    folder: Path
    files: dict[str, Path]
    console: "PlainConsole"

    @property
    def figures(self) -> Path:
        """The file that all figures go to."""
        return self.folder / "evaluation.json"

    def draw(self, name: str, recipe: Recipe) -> Path:
        """The dataset folder `name`, drawn as the recipe says, or gone on with.

        Raises ManyshotError when some of it could not be drawn.
        """
        from manyshot.driver.recipe import parse_recipe
        from manyshot.driver.run import run
        from manyshot.driver.screen import ConsoleScreen
        from manyshot.driver.take_over import Wishes

        output = self.folder / name
        values = {**recipe, "output": str(output), "servers": [self.server.url]}
        self.console.print(f"Drawing {name}", style="bold", highlight=False)
        screen, wishes = ConsoleScreen(self.console), Wishes(prune=True)
        summary = run(parse_recipe(values, name), screen, wishes=wishes)
        if summary.interrupted:
            raise KeyboardInterrupt
        if summary.exit_code:
            reasons = [reason for _, reason, _ in summary.failures]
            raise ManyshotError(f"{name} was not drawn: {summary.stopped or '; '.join(reasons)}")
        return output


@contextmanager
def open_stage(
    run: Path, files: dict[str, Path], size: str, console: "PlainConsole"
) -> Iterator[Stage]:
    """The embedded server with these weights, until the block ends.

    Images go to `run`/evaluation/<hash of the base's file>-<size>, so that those of other weights
    are never taken for these.
    """
    from manyshot.driver.embedded import EmbeddedServer, ServerSettings

    base = files[f"checkpoints/{TINY}.safetensors"]
    folder = run / "evaluation" / f"{file_hash(base)}-{size}"

    def say(text: str) -> None:
        console.print(text, style="dim", highlight=False, markup=False)

    settings = ServerSettings(extra_models=files, start_timeout=PATIENCE)
    with EmbeddedServer(settings, say) as server:
        yield Stage(server, folder, files, console)


def weight_files(weights: Path) -> dict[str, Path]:
    """Name below models/ -> that file below `weights`. Raises InputError without a base model."""
    base = f"checkpoints/{TINY}.safetensors"
    if not (weights / base).is_file():
        raise InputError(
            f"There is no {weights / base}: `python tools/tiny_model export` writes it."
        )
    names = [control_name(kind) for kind in ("segmentation", "canny")]
    return {name: weights / name for name in (base, *names) if (weights / name).is_file()}


def control_name(kind: str) -> str:
    """The name below models/ of a ControlNet."""
    return f"controlnet/{TINY}-{kind}.safetensors"


def file_hash(path: Path) -> str:
    """The first 12 hexadecimal digits of a file's sha256."""
    return sha256(path.read_bytes()).hexdigest()[:12]


def facts(stage: Stage) -> dict[str, Any]:
    """Which weights on which server: what all figures are of."""
    return {
        "files": {path.name: file_hash(path) for path in stage.files.values()},
        "comfyui": stage.server.facts.version,
        "device": stage.server.facts.device,
    }
