"""What jobs are made with: a workflow's graphs, kinds of servers' programs, or both."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce
from hashlib import sha256
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol, Self

from .inputs import FileInput
from .job import EffectiveInputs, Job, intersect
from .workflow.graph import canonical

if TYPE_CHECKING:  # types alone
    from .binding import Binding
    from .pairs.labelled_photos import Scenes
    from .pairs.photo_facts import Progress
    from .pairs.render import RenderedInputs


class Program(Protocol):
    """The jobs of a recipe as one kind of server takes them.

    `decides_ids`: whether the recipe itself says something of this kind; what follows from its
    workflow alone changes no id. `files`: address -> the pictures that stand under the kind's key.
    """

    @property
    def batch_size(self) -> int: ...
    @property
    def decides_ids(self) -> bool: ...
    @property
    def effective_fields(self) -> frozenset[str]: ...
    @property
    def scenes(self) -> "Scenes | None": ...
    @property
    def files(self) -> Mapping[str, FileInput]: ...

    def id(self, job: Job, subject_digest: str = "") -> str: ...
    def models(self, job: Job) -> tuple[Any, ...]: ...
    def group(self, job: Job) -> str: ...
    def trace_inputs(self, job: Job) -> EffectiveInputs: ...

    def facts(self) -> dict[str, Any]:
        """What decides the jobs beside the recipe's own keys."""
        ...

    def with_scenes(self, scenes: "Scenes") -> Self:
        """The same of other labelled photos."""
        ...


@dataclass(frozen=True)
class Bound:
    """At least one graph or program; `programs` by the names of their kinds. With `graphs`,
    whatever a program reads from the workflow follows from it, so that a server of another kind
    changes no job's id; what the recipe says of that kind itself does."""

    graphs: "Binding | None"
    programs: Mapping[str, Program]

    @property
    def batch_size(self) -> int:
        """Images a job."""
        return self._first.batch_size

    @property
    def saved_as(self) -> list[str]:
        """What the recipe calls the save nodes that bring a job's images, where it lists some."""
        return list(self.graphs.saved_as) if self.graphs else []

    @property
    def effective_fields(self) -> frozenset[str]:
        """Which of prompt, negative and seed the images are drawn with."""
        fields = frozenset(EffectiveInputs._fields)
        for binding in self._all:
            fields &= binding.effective_fields
        return fields

    def trace_inputs(self, job: Job) -> EffectiveInputs:
        """The words and the seed that the images of `job` are drawn with, on whatever server."""
        return reduce(intersect, (binding.trace_inputs(job) for binding in self._all))

    @property
    def scenes(self) -> "Scenes | None":
        """The labelled photos that jobs are made from, if any."""
        return self._first.scenes

    def read_photos(self, progress: "Progress") -> "Bound":
        """With all labelled photos read; what graphs and programs take of them is of one reading,
        and each was compiled with what those before it take."""
        last = self._all[-1]
        if last.scenes is None:
            return self
        scenes = last.scenes.read_all(progress)
        graphs = self.graphs and replace(self.graphs, scenes=scenes)
        return Bound(
            graphs, {name: each.with_scenes(scenes) for name, each in self.programs.items()}
        )

    @property
    def files(self) -> Mapping[str, FileInput]:
        """Address -> the pictures that programs take there."""
        files = (program.files.items() for program in self.programs.values())
        return dict(chain.from_iterable(files))

    def id(self, job: Job, subject_digest: str = "") -> str:
        """32 hex digits that follow from everything that decides the pixels."""
        ids = [binding.id(job, subject_digest) for binding in self._deciding]
        return ids[0] if len(ids) == 1 else sha256(" ".join(ids).encode()).hexdigest()[:32]

    def models(self, job: Job) -> tuple[Any, ...]:
        """The values of `job` that decide its group; () when all jobs are of one."""
        return self._grouping.models(job)

    def group(self, job: Job) -> str:
        """A key shared by jobs that need the same models; "" when nothing is known."""
        return self._grouping.group(job)

    def render_inputs(self, job: Job) -> "RenderedInputs | None":
        """The pictures that are drawn for `job`. Raises InputError for an unreadable photo."""
        return self.scenes.render_inputs(job) if self.scenes else None

    def facts(self) -> dict[str, Any]:
        """What decides the jobs beside the recipe's own keys; plain values, for a hash."""
        graphs = self.graphs
        return {
            "graph": graphs and canonical(graphs.ids.base),
            "grouped": graphs is not None and graphs.groups is not None,
            "pairs": self.scenes and self.scenes.summary,
            **{name: each.facts() for name, each in self.programs.items() if each.decides_ids},
        }

    @property
    def _all(self) -> "list[Binding | Program]":
        return [*([self.graphs] if self.graphs else []), *self.programs.values()]

    @property
    def _first(self) -> "Binding | Program":
        return self._all[0]

    @property
    def _deciding(self) -> "list[Binding | Program]":
        deciding = [program for program in self.programs.values() if program.decides_ids]
        return [*([self.graphs] if self.graphs else []), *deciding]

    @property
    def _grouping(self) -> "Binding | Program":
        """A workflow says nothing of groups while no server told what its nodes are."""
        has_groups = self.graphs is not None and self.graphs.groups is not None
        return self._first if has_groups else next(iter(self.programs.values()), self._first)
