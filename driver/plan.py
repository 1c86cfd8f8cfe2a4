"""From a recipe to its jobs, one after the other: a million of them need no memory."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from copy import copy
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import InputError
from ..core.prompts import PromptSet
from ..core.webui_prompt import PLAIN, Language
from .defaults import find_table, image_counts, prompt_set
from .inputs import FileInput
from .job import Job, Value, make_job
from .ledger_reader import LedgerReader
from .picture_files import check_pictures, list_pictures, pair_by_name
from .prompt_table import ClassPromptSets, TablePrompts
from .recipe import Recipe
from .subjects import Subjects
from .sweeps import combinations, count_combinations
from .targets.registry import setting_keys

if TYPE_CHECKING:  # types alone
    from .binding import Binding
    from .bound import Bound
    from .workflow.graph import Graph

PLANNED_BY = {
    "classes",
    "prompts",
    "images_per_class",
    "seed",
    "bind",
    "sweep",
    "batch_size",
    "pairs",
}


class Plan:
    """The jobs of a settled recipe bound to its workflow, to what kinds of servers take in place
    of it, or to both.

    Sweeps are the outer loop, then the images, then the classes: a run that is stopped half way
    has about as many images of each class. Raises InputError for prompts that do not parse and for
    picture folders without pictures.
    """

    def __init__(
        self,
        recipe: Recipe,
        bound: "Bound",
        subjects: Subjects | None = None,
        language: Language = PLAIN,
        workflow: "Graph | None" = None,
    ) -> None:
        self.recipe, self.bound, self.subjects = recipe, bound, subjects or {}
        self.workflow = workflow
        """The recipe's workflow as it was read, in API format."""
        self._digests = {name: subject.digest for name, subject in self.subjects.items()}
        self._prompts = prompt_set(recipe, language)
        self.extra: Mapping[tuple[str, str], int] = {}
        """Images beyond that: (class name, JSON of the sweep's values) -> how many."""
        self._sources = {
            address: value
            for address, value in {**recipe.bind, **bound.files}.items()
            if isinstance(value, FileInput)
        }
        self._files = {
            address: _files(value, self._prompts.class_names)
            for address, value in self._sources.items()
        }
        check_pictures(self._paths)
        self._pair_folders([address for address, value in self._sources.items() if value.folder])
        self.images = self._plan_images()

    @property
    def graphs(self) -> "Binding":
        """The bound workflow. Only recipes for servers that need none have none."""
        assert self.bound.graphs is not None
        return self.bound.graphs

    def __iter__(self) -> Iterator[Job]:
        groups: dict[tuple[Value, ...], str] = {}
        for sweep in self._sweeps():
            for index in range(0, self._most_images(sweep), self.bound.batch_size):
                for label, class_name in enumerate(self._prompts.class_names):
                    if index >= self._count_images(class_name, sweep):
                        continue
                    job = self._job(class_name, label, index, sweep)
                    models = self.bound.models(job)
                    if models not in groups:
                        groups[models] = self.bound.group(job)
                    job_id = self.bound.id(job, self._digests.get(class_name, ""))
                    yield job._replace(id=job_id, group=groups[models])

    def __len__(self) -> int:
        """How many jobs, equal ones counted each time."""
        if self.extra:
            return sum(1 for _ in self)
        jobs = sum(-(-count // self.bound.batch_size) for count in self.images.values())
        return jobs * count_combinations(self.recipe.sweep, self.recipe.coupled)

    def with_extra(self, extra: Mapping[tuple[str, str], int]) -> "Plan":
        """This plan with more images of some classes, as `extra` has them. Raises InputError where
        a table or a folder of photos says which images there are."""
        if extra and not isinstance(self._prompts, PromptSet | ClassPromptSets):
            raise InputError(
                "Rejected images of a table of prompts are not replaced by themselves: give their "
                "rows other seeds, and run it again."
            )
        plan = copy(self)
        plan.extra = dict(extra)
        return plan

    def _count_images(self, class_name: str, sweep: dict[str, Value]) -> int:
        """How many images of a class, with those in place of rejected ones."""
        return self.images[class_name] + self.extra.get((class_name, json.dumps(sweep)), 0)

    def _plan_images(self) -> dict[str, int]:
        """Class name -> images for each combination of the sweep. Raises InputError for none."""
        batch = self.bound.batch_size
        if table := find_table(self.recipe):
            table.check_batches(batch)
        counts = image_counts(self.recipe)
        for address in (a for a, value in self._sources.items() if value.each):
            counts = {name: len(paths) * batch for name, paths in self._files[address].items()}
        if not any(counts.values()):
            raise InputError("Every class has its images already, with those of 'top_up'.")
        return counts

    def _most_images(self, sweep: dict[str, Value]) -> int:
        return max(self._count_images(name, sweep) for name in self._prompts.class_names)

    def samples(self) -> Iterator[Job]:
        """A first job with each value of the sweep and of each class, for checking before anything
        is queued."""
        first = next(iter(self))
        yield first
        for address, values in self.recipe.sweep.items():
            for value in values:
                yield first._replace(sweep={**first.sweep, address: value})
        for label, class_name in enumerate(self._prompts.class_names):
            if class_name != first.class_name:
                yield self._job(class_name, label, 0, first.sweep)

    def has_picture(self, path: str) -> bool:
        """Whether the recipe binds this file."""
        return path in self._paths

    @cached_property
    def _paths(self) -> frozenset[str]:
        folders = (paths for of in self._files.values() for paths in of.values())
        return frozenset(path for paths in folders for path in paths)

    def sources(self) -> list[str]:
        """The files and folders that jobs are made from."""
        bound = [str(value.file or value.folder) for value in self._sources.values()]
        subjects = [str(subject.path) for subject in self.subjects.values()]
        pairs = [str(self.recipe.pairs.folder)] if self.recipe.pairs else []
        return list(dict.fromkeys([*bound, *pairs, *subjects]))

    def fingerprint(self) -> str:
        """A hash that is equal for equal plans."""
        table = find_table(self.recipe)
        facts = {
            "recipe": self.recipe.model_dump(mode="json", include={*PLANNED_BY, *setting_keys()}),
            "files": {address: _stamps(files) for address, files in self._files.items()},
            "subjects": {n: (s.name, s.digest, s.subject.token) for n, s in self.subjects.items()},
            **self.bound.facts(),
            **({"coupled": self.recipe.coupled} if self.recipe.coupled else {}),
            **({"images": self.images} if self.recipe.top_up else {}),
            **({"table": _stamps({"": [str(table.path)]})} if table else {}),
            **({"extra": sorted((*key, n) for key, n in self.extra.items())} if self.extra else {}),
            **({"images_per_job": many} if (many := self.recipe.images_per_job) else {}),
            **({"save": nodes} if (nodes := self.bound.saved_as) else {}),
        }
        return sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def _sweeps(self) -> Iterator[dict[str, Value]]:
        return combinations(self.recipe.sweep, self.recipe.coupled)

    def _job(self, class_name: str, label: int, index: int, sweep: dict[str, Value]) -> Job:
        seed, batch, scenes = self.recipe.seed or 0, self.bound.batch_size, self.bound.scenes
        nodes = self.bound.saved_as
        pairs = scenes.names(class_name, index // batch, seed) if scenes else []
        shown = scenes.list_shown(pairs) if scenes else ()
        branches = max(1, len(nodes))
        step = max(1, batch // branches)
        resolved = self._prompts.at(class_name, index // branches, seed, shown, step)
        subject = self.subjects.get(class_name)
        images = self._count_images(class_name, sweep)
        job = make_job(resolved, label, index, batch, images, subject)
        pictures = self._pictures(class_name, index)
        job = job._replace(pictures=pictures, sweep=sweep, pairs=pairs, nodes=nodes)
        if isinstance(self._prompts, TablePrompts):
            return job._replace(fields=self._prompts.fields(class_name, index))
        return job

    def _pair_folders(self, addresses: list[str]) -> None:
        """Pictures of several folders are taken together by their names."""
        for name in self._prompts.class_names:
            paired = pair_by_name({address: self._files[address][name] for address in addresses})
            for address, paths in paired.items():
                self._files[address][name] = paths

    def _pictures(self, class_name: str, index: int) -> dict[str, str]:
        number = index // self.bound.batch_size
        return {
            address: files[class_name][number % len(files[class_name])]
            for address, files in self._files.items()
        }


def _files(source: FileInput, class_names: tuple[str, ...]) -> dict[str, list[str]]:
    """The pictures that each class takes in turn."""
    if source.file:
        if not source.file.is_file():
            raise InputError(f"There is no picture at {source.file}.")
        return {name: [str(source.file)] for name in class_names}
    folder = source.folder or Path()
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.")
    return {name: list_pictures(folder, name) for name in class_names}


def _stamps(files: Mapping[str, list[str]]) -> dict[str, list[Any]]:
    """What shows that a picture was changed, without reading it."""
    return {
        name: [(path, Path(path).stat().st_size, Path(path).stat().st_mtime_ns) for path in paths]
        for name, paths in files.items()
    }


def with_replacements(plan: Plan, ledger: LedgerReader) -> Plan:
    """`plan` with one more image for each of its rejected images that is to be replaced, of the
    same class and values of the sweep. A replacement that is rejected is replaced, too.

    Of several save nodes each brings as many images more as the node with the most to replace.
    """
    nodes = max(1, len(plan.bound.saved_as))
    rejected = {key for key, image in ledger.rejections().items() if image.replace}
    while rejected:
        of_nodes = Counter(
            (job.class_name, json.dumps(job.sweep), number % nodes)
            for job in plan
            for number in range(job.keep)
            if (job.id, number) in rejected
        )
        extra: dict[tuple[str, str], int] = {}
        for (class_name, sweep, _), count in of_nodes.items():
            extra[class_name, sweep] = max(count * nodes, extra.get((class_name, sweep), 0))
        if extra == plan.extra:
            break
        plan = plan.with_extra(extra)
    return plan
