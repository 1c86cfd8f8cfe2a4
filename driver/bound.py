"""What jobs are made with: a workflow's graphs, the requests of a WebUI, or both for one list."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from hashlib import sha256
from typing import Any

from .binding import Binding
from .inputs import FileInput
from .job import EffectiveInputs, Job, intersect
from .pairs.labelled_photos import Scenes
from .pairs.render import RenderedInputs
from .targets.webui.requests import Requests
from .workflow.graph import canonical


@dataclass(frozen=True)
class Bound:
    """At least one of both. With `graphs`, whatever `requests` reads from the workflow follows
    from it, so that a WebUI among the servers changes no job's id; what the recipe says of WebUIs
    itself does."""

    graphs: Binding | None
    requests: Requests | None

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
        for binding in filter(None, (self.graphs, self.requests)):
            fields &= binding.effective_fields
        return fields

    def trace_inputs(self, job: Job) -> EffectiveInputs:
        """The words and the seed that the images of `job` are drawn with, on whatever server."""
        bindings = filter(None, (self.graphs, self.requests))
        return reduce(intersect, (binding.trace_inputs(job) for binding in bindings))

    @property
    def scenes(self) -> Scenes | None:
        """The labelled photos that jobs are made from, if any."""
        return self._first.scenes

    @property
    def files(self) -> Mapping[str, FileInput]:
        """Address -> the pictures that a WebUI takes there."""
        return self.requests.files if self.requests else {}

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

    def render_inputs(self, job: Job) -> RenderedInputs | None:
        """The pictures that are drawn for `job`. Raises InputError for an unreadable photo."""
        return self.scenes.render_inputs(job) if self.scenes else None

    def facts(self) -> dict[str, Any]:
        """What decides the jobs beside the recipe's own keys; plain values, for a hash."""
        graphs, requests = self.graphs, self.requests
        facts: dict[str, Any] = {
            "graph": graphs and canonical(graphs.ids.base),
            "grouped": graphs is not None and graphs.groups is not None,
            "pairs": self.scenes and self.scenes.summary,
        }
        has_webui_key = requests and requests.has_settings
        return {**facts, "webui": requests.facts()} if requests and has_webui_key else facts

    @property
    def _first(self) -> "Binding | Requests":
        first = self.graphs or self.requests
        assert first is not None
        return first

    @property
    def _deciding(self) -> list["Binding | Requests"]:
        graphs = [self.graphs] if self.graphs else []
        return (
            [*graphs, self.requests] if self.requests and self.requests.has_settings else [*graphs]
        )

    @property
    def _grouping(self) -> "Binding | Requests":
        """A workflow says nothing of groups while no ComfyUI server told what its nodes are."""
        has_groups = self.graphs is not None and self.graphs.groups is not None
        return self.requests if self.requests and not has_groups else self._first
