"""The stub at work: a program of prompts and seeds, and a server that needs no socket."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import Any

from manyshot.core.errors import InputError
from manyshot.driver.address import ServerAddress
from manyshot.driver.binding import Binding
from manyshot.driver.health import Health
from manyshot.driver.inputs import FileInput
from manyshot.driver.job import Delivery, EffectiveInputs, Job, plan_inputs
from manyshot.driver.pairs.labelled_photos import Scenes
from manyshot.driver.plan import Plan
from manyshot.driver.recipe import Recipe
from manyshot.driver.subjects import Subjects
from manyshot.driver.targets.target import Check, Local, Target
from manyshot.driver.workflow.catalogue import Catalogue
from PIL import Image

from . import KIND

FORBIDDEN = "unpaintable"


@dataclass(frozen=True)
class StubProgram:
    """A `bound.Program`: the workflow's own ids, prompts and seeds as they are."""

    graphs: Binding
    scenes: Scenes | None
    decides_ids: bool = False
    effective_fields: frozenset[str] = frozenset(EffectiveInputs._fields)
    files: Mapping[str, FileInput] = field(default_factory=dict)

    @property
    def batch_size(self) -> int:
        return self.graphs.batch_size

    def id(self, job: Job, subject_digest: str = "") -> str:
        return self.graphs.id(job, subject_digest)

    def models(self, job: Job) -> tuple[Any, ...]:
        return ()

    def group(self, job: Job) -> str:
        return KIND.name

    def trace_inputs(self, job: Job) -> EffectiveInputs:
        return plan_inputs(job)

    def facts(self) -> dict[str, Any]:
        return {}

    def with_scenes(self, scenes: Scenes) -> "StubProgram":
        return replace(self, scenes=scenes)

    def paint(self, job: Job) -> bytes:
        """A PNG file."""
        file = BytesIO()
        Image.new("RGB", (8, 8), (job.seed % 256, job.label * 50, 90)).save(file, "PNG")
        return file.getvalue()


@dataclass(frozen=True)
class StubServer:
    """A `target.Server`."""

    name: str
    reached: bool = True
    problem: str | None = None
    catalogue: Catalogue | None = None

    def check(self, plan: Plan) -> None:
        if any(FORBIDDEN in job.prompt for job in plan.samples()):
            raise InputError(f"The stub {self.name} cannot paint {FORBIDDEN!r}.")

    def facts(self, plan: Plan) -> dict[str, Any]:
        return {"name": self.name, "paints": True}

    def backend(self, plan: Plan) -> "StubBackend":
        program = plan.bound.programs[KIND.name]
        assert isinstance(program, StubProgram)
        return StubBackend(self.name, program)

    def close(self) -> None: ...


class StubBackend:
    """A `backend.Backend`."""

    in_flight = 2

    def __init__(self, name: str, program: StubProgram) -> None:
        self.name, self._program, self.health = name, program, Health(lambda: None)

    def start(self) -> None:
        self.health.start()

    def draw(self, job: Job, rendered: object) -> Job:
        return job

    def collect(self, submitted: Job) -> Delivery:
        return Delivery((self._program.paint(submitted),) * submitted.images)

    def relieve(self) -> None: ...
    def stop(self) -> None: ...
    def close(self) -> None: ...


class StubTarget:
    """A `target.Target`."""

    def compile(
        self,
        recipe: Recipe,
        graphs: Binding | None,
        subjects: Subjects,
        scenes: Scenes | None,
        where: str,
    ) -> StubProgram | None:
        return StubProgram(graphs, scenes) if graphs else None

    def open(
        self, stack: ExitStack, address: ServerAddress, recipe: Recipe, local: Local
    ) -> StubServer:
        return StubServer(address.base_url)

    def keep(
        self, recipe: Recipe, files: Mapping[str, Path], local: Local
    ) -> AbstractContextManager[Any]:
        return nullcontext()

    def diagnose(self, address: ServerAddress) -> Iterator[Check]:
        yield Check("server", True, "the stub paints")


TARGET: Target = StubTarget()
