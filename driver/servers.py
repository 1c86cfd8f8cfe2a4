"""The servers of a run, of whatever kinds."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from ..core.errors import InputError, ServerError
from .recipe import Recipe
from .targets.target import Local, Server, load_target
from .workflow.catalogue import Catalogue


@contextmanager
def open_servers(recipe: Recipe, local: Local) -> Iterator[list[Server]]:
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


def first_catalogue(servers: Sequence[Server]) -> Catalogue | None:
    """What the first server with nodes that answered has; None without one."""
    return next((server.catalogue for server in servers if server.catalogue), None)
