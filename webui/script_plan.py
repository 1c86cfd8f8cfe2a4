"""From settings to jobs, in the order and with the prompts and seeds of the driver."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..core.counted import did_you_mean
from ..core.errors import InputError
from ..core.files import hash_file
from ..core.lines import content_lines, read_classes, read_lists, without_comments
from ..core.prompts import PromptSet
from ..core.webui_prompt.from_comfy import escape
from ..core.wildcards import literal
from ..driver.job import Job, make_job
from ..driver.picture_files import list_pictures
from ..driver.subjects import ClassSubject, Subjects, pool_contexts, read_subjects
from .script_settings import Settings

MASK = "mask"  # the picture of a job


@dataclass(frozen=True)
class Plan:
    """All jobs of a dataset folder. `facts`: what decides the pixels beside the jobs' own words."""

    settings: Settings
    prompts: PromptSet
    facts: Mapping[str, Any]
    batch_size: int
    subjects: Subjects
    masks: Mapping[str, tuple[str, ...]]
    digests: Mapping[str, str]
    """sha256 of each mask file."""

    def __iter__(self) -> Iterator[Job]:
        """As the driver: a run that is stopped half way has about as many images of each class."""
        for index in range(0, self.settings.images_per_class, self.batch_size):
            for label, class_name in enumerate(self.prompts.class_names):
                job = self._job(class_name, label, index)
                yield job._replace(id=self._id(job))

    def __len__(self) -> int:
        return -(-self.settings.images_per_class // self.batch_size) * len(self.prompts.class_names)

    def fingerprint(self) -> str:
        """A hash that is equal for equal plans."""
        hasher = sha256()
        for job in self:
            hasher.update(job.to_json().encode())
        return hasher.hexdigest()

    def prompt_for(self, job: Job) -> str:
        """What the WebUI gets: the prompt, and the subject's LoRA behind it."""
        subject = self.subjects.get(job.class_name)
        if subject is None or subject.file.method != "lora":
            return job.prompt
        return f"{job.prompt} <lora:{subject.path.stem}:{self.settings.subject_weight:g}>"

    def _job(self, class_name: str, label: int, index: int) -> Job:
        resolved = self.prompts.at(class_name, index, self.settings.seed, step=self.batch_size)
        subject, images = self.subjects.get(class_name), self.settings.images_per_class
        job = make_job(resolved, label, index, self.batch_size, images, subject)
        return job._replace(pictures=self._pictures(class_name, index // self.batch_size))

    def _pictures(self, class_name: str, number: int) -> dict[str, str]:
        files = self.masks.get(class_name)
        return {MASK: files[number % len(files)]} if files else {}

    def _id(self, job: Job) -> str:
        """32 hex digits that follow from everything that decides the pixels."""
        subject, mask = self.subjects.get(job.class_name), job.pictures.get(MASK)
        decides = {
            "facts": self.facts,
            "prompt": self.prompt_for(job),
            "negative": job.negative,
            "seed": job.seed,
            "images": job.images,
            "subject": subject and subject.digest,
            "mask": mask and [self.digests[mask], *_control(self.settings)],
        }
        return sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:32]


def plan(settings: Settings, p: Any, facts: Mapping[str, Any]) -> Plan:
    """The plan of a dataset; `p`: the page's processing, for its prompts and its batch size.

    Raises InputError for whatever is wrong with classes, prompts, subjects or masks.
    """
    subjects = _subjects(settings.subjects)
    words = _words(settings, subjects)
    templates = content_lines(settings.templates) or content_lines(str(p.prompt))
    contexts = content_lines(settings.contexts)
    if subjects and not contexts and any("{context}" in text for text in templates):
        contexts = [literal(escape(text, "webui")) for text in pool_contexts(subjects)]
    prompts = PromptSet(
        words,
        templates,
        contexts,
        without_comments(settings.negative) or str(p.negative_prompt),
        read_lists(settings.lists),
        language="webui",
    )
    masks = _masks(settings, prompts.class_names)
    digests = {path: hash_file(Path(path)) for paths in masks.values() for path in paths}
    used = {name: subjects[name] for name in words if name in subjects}
    return Plan(settings, prompts, facts, int(p.batch_size), used, masks, digests)


def _subjects(path: str) -> Subjects:
    if not path:
        return {}
    subjects = read_subjects(Path(path).expanduser())
    first = next(iter(subjects.values()))
    if first.file.method == "dreambooth":
        raise InputError(
            f"{first.path} is a full checkpoint. Select it as the WebUI's checkpoint, use "
            f"its word ({first.subject.word}) as the words of the class, and leave "
            "'subjects' empty."
        )
    return subjects


def _words(settings: Settings, subjects: Subjects) -> dict[str, str]:
    """Class name -> the words that prompts have for it."""
    if not subjects:
        return read_classes(settings.classes)
    names = list(read_classes(settings.classes)) if settings.classes.strip() else list(subjects)
    for name in names:
        if name not in subjects:
            near = did_you_mean(name, subjects)
            raise InputError(f"There is no subject for the class {name!r}.{near}")
    return {name: literal(escape(_word(subjects[name]), "webui")) for name in names}


def _word(subject: ClassSubject) -> str:
    """How the WebUI calls a subject: an embedding by its bare name."""
    return subject.subject.word.replace("embedding:", "")


def _masks(settings: Settings, class_names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    if not settings.masks:
        return {}
    folder = Path(settings.masks).expanduser()
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.")
    return {name: tuple(list_pictures(folder, name)) for name in class_names}


def _control(settings: Settings) -> list[Any]:
    return [settings.control_model, settings.control_module, settings.control_weight]
