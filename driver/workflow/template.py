"""One graph bound many times: ids and graphs of a million jobs at microseconds each."""

from collections.abc import Collection, Mapping
from hashlib import sha256
from typing import Any

from .graph import Graph, Slot, encode, pieces
from .node_addresses import bind


class Template:
    """A graph whose canonical JSON is written once, but for the values of `slots`.

    `digest(values)` equals `sha256(canonical(bind(graph, values), exclude))`; a slot that is also
    excluded takes a value and leaves no trace in the digest. `values` holds every slot.
    """

    def __init__(
        self, graph: Graph, slots: Collection[Slot], exclude: Collection[Slot] = ()
    ) -> None:
        self.base = graph
        self.slots = tuple(dict.fromkeys(slots))
        head, self._rest = _segments(graph, frozenset(self.slots), frozenset(exclude))
        self._head = sha256(head.encode("ascii"))

    def digest(self, values: Mapping[Slot, Any]) -> str:
        """Hex sha256 of the bound graph's canonical JSON. KeyError for a slot without a value."""
        state = self._head.copy()
        state.update("".join([encode(values[s]) + text for s, text in self._rest]).encode("ascii"))
        return state.hexdigest()

    def graph(self, values: Mapping[Slot, Any]) -> Graph:
        """The bound graph; nodes without slots are shared with the template's own."""
        return bind(self.base, {slot: values[slot] for slot in self.slots})


def _segments(
    graph: Graph, slots: frozenset[Slot], exclude: frozenset[Slot]
) -> tuple[str, list[tuple[Slot, str]]]:
    """The text before the first slot, and each slot with the text that follows it."""
    texts: list[list[str]] = [[]]
    order: list[Slot] = []
    for piece in pieces(graph, slots, exclude):
        if isinstance(piece, Slot):
            order.append(piece)
            texts.append([])
        else:
            texts[-1].append(piece)
    head, *rest = ["".join(text) for text in texts]
    return head, list(zip(order, rest, strict=True))
