"""What a kind of server does: it compiles jobs, reaches servers, and checks them."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ...core.errors import InputError, ServerError
from ..http import Http

if TYPE_CHECKING:  # types alone
    from ..address import ServerAddress
    from ..binding import Binding
    from ..bound import Program
    from ..pairs.labelled_photos import Scenes
    from ..plan import Plan
    from ..recipe import Recipe
    from ..subjects import Subjects
    from ..workflow.catalogue import Catalogue
    from .backend import Backend
    from .base import Kind

CONNECT_SECONDS, REPLY_SECONDS = 2.0, 10.0


@dataclass(frozen=True)
class Check:
    """One thing that `manyshot doctor` looked at.

    `fix`: how to get what is missing. `needed`: whether the way from photos to an answer, with the
    embedded server and the small model, needs it.
    """

    name: str
    ok: bool
    text: str
    fix: str = ""
    needed: bool = True


@dataclass(frozen=True)
class Installation:
    """The user's own server program: its folder, and the interpreter that runs it."""

    folder: Path
    python: Path = Path(sys.executable)


def find_installation(folder: Path | None, python: Path | None) -> Installation | None:
    """What the options --comfyui and --python name. Raises InputError for an interpreter alone."""
    if folder is not None:
        return Installation(folder, python or Path(sys.executable))
    if python is not None:
        raise InputError("--python names the interpreter of --comfyui. Add --comfyui FOLDER.")
    return None


@dataclass(frozen=True)
class Local:
    """This machine, for servers that run on it.

    `program`: the user's own installation, if not manyshot's. `running`: kind -> what `Target.keep`
    keeps for it. `progress` is called with a sentence for each step.
    """

    program: Installation | None = None
    progress: Callable[[str], None] = lambda text: None
    running: Mapping[str, Any] = field(default_factory=dict)


class Server(Protocol):
    """A server of the run. `problem` says why it was not reached at the start; `catalogue` has its
    nodes, where its kind has such."""

    @property
    def name(self) -> str: ...
    @property
    def reached(self) -> bool: ...
    @property
    def problem(self) -> str | None: ...
    @property
    def catalogue(self) -> "Catalogue | None": ...

    def check(self, plan: "Plan") -> None:
        """Raises InputError when it cannot do a job of the plan."""
        ...

    def facts(self, plan: "Plan") -> dict[str, Any]:
        """What manyshot.json says about it."""
        ...

    def backend(self, plan: "Plan") -> "Backend[Any]": ...
    def close(self) -> None: ...


class Target(Protocol):
    """A kind of server at work."""

    def compile(
        self,
        recipe: "Recipe",
        graphs: "Binding | None",
        subjects: "Subjects",
        scenes: "Scenes | None",
        where: str,
    ) -> "Program | None":
        """The jobs of a settled recipe that has servers or settings of this kind.

        `graphs`: its bound workflow `where`; a kind that draws graphs as they are returns None.
        `scenes`: its labelled photos.

        Raises InputError for what such servers cannot do or nothing says, naming key or node.
        """
        ...

    def open(
        self, stack: ExitStack, address: "ServerAddress", recipe: "Recipe", local: Local
    ) -> Server:
        """The server at `address`, whether it answers or not; what is started for it ends with
        `stack`."""
        ...

    def keep(
        self, recipe: "Recipe", files: Mapping[str, Path], local: Local
    ) -> AbstractContextManager[Any]:
        """What this machine runs for the recipe's servers of this kind, for several runs that need
        the model `files` (name below a models folder -> file); None for nothing."""
        ...

    def diagnose(self, address: "ServerAddress") -> Iterator[Check]:
        """What `manyshot doctor` looks at. Raises ManyshotError when the server does not answer."""
        ...


def load_target(kind: "Kind") -> Target:
    """What a kind does; its modules are imported when it is first used."""
    return import_module(kind.module).TARGET


@contextmanager
def ask_briefly(address: "ServerAddress") -> Iterator[Http]:
    """A connection for a few questions, with little patience."""
    http = Http(address, CONNECT_SECONDS, REPLY_SECONDS)
    try:
        yield http
    finally:
        http.close()


def check_models(names: list[str]) -> Check:
    """Whether a server has checkpoints."""
    if not names:
        fix = "Put a checkpoint into its folder of models, and refresh it."
        return Check("models", False, "no checkpoint", fix)
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return Check("models", True, f"checkpoints: {', '.join(names[:3])}{more}")


@contextmanager
def open_servers(recipe: "Recipe", local: Local) -> Iterator[list[Server]]:
    """The recipe's servers, in its order; what is started for them lives as long as the block.

    Raises ServerError when none of them answers.
    """
    with ExitStack() as stack:
        servers = [
            load_target(address.kind).open(stack, address, recipe, local)
            for address in recipe.servers
        ]
        names = [server.name for server in servers]
        if len(set(names)) < len(names):
            raise InputError(f"A server is named twice: {', '.join(names)}.")
        if not any(server.reached for server in servers):
            raise ServerError(" ".join(server.problem or "" for server in servers))
        yield servers
        for server in servers:
            server.close()


def first_catalogue(servers: Sequence[Server]) -> "Catalogue | None":
    """What the first server with nodes that answered has; None without one."""
    return next((server.catalogue for server in servers if server.catalogue), None)
