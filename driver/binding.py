"""A workflow and a recipe together: which slot takes what of a job."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..core.webui_prompt.from_comfy import escape
from .addresses import (
    batch_slot,
    check_distinguishable,
    collect_fields,
    images_a_job,
    resolve_addresses,
)
from .field_text import fill, read_names
from .inputs import PerClass, choose
from .job import JOB_FIELDS, PICTURES, TEXTS, EffectiveInputs, Job, join_distinct
from .pairs.labelled_photos import Scenes
from .pairs.photo_slots import scenes_for
from .pairs.render import RenderedInputs
from .picture_files import UPLOADS, upload_name
from .recipe import Recipe
from .subjects import Subjects, check_subject_slots
from .workflow import own_nodes, save_nodes
from .workflow.catalogue import Catalogue
from .workflow.graph import Graph, Slot, language_at, upstream
from .workflow.model_groups import prefix_template
from .workflow.node_addresses import bind
from .workflow.template import Template

NAMES = ("class_name", "file_name", "mask_classes")  # data, and no prompt of anybody's
WORDS = ("prompt", "negative")


@dataclass(frozen=True)
class Binding:
    """A workflow bound to a recipe: values in, graph or id out.

    `fields`, `texts`, `sweeps` and `pictures` say what each slot takes: a job field, or of an
    address the text with fields in it (`words` has these), the sweep's value or the uploaded
    picture; `literals` are of `bind`, for all jobs. `prefixes` are the slots of the saved files'
    names, if any.
    `save_nodes` deliver the images of a job in turn; `saved_as` is what a list under 'save' calls
    them. `batch_size`: images a job, of all of them.
    `scenes` are the recipe's labelled photos, if any: some fields are of them.
    """

    ids: Template
    graphs: Template
    groups: Template | None
    save_nodes: tuple[str, ...]
    batch_size: int
    fields: Mapping[Slot, str]
    sweeps: Mapping[Slot, str]
    pictures: Mapping[Slot, str]
    prefixes: tuple[Slot, ...]
    scenes: Scenes | None = None
    facts: frozenset[Slot] = frozenset()
    """Slots that change no pixel: what Save Labelled records."""
    effective_fields: frozenset[str] = frozenset()
    """The job fields that change pixels."""
    texts: Mapping[Slot, str] = field(default_factory=dict)
    words: Mapping[str, Any] = field(default_factory=dict)
    literals: Mapping[Slot, Any] = field(default_factory=dict)
    saved_as: tuple[str, ...] = ()

    def pixels(self, job: Job) -> str:
        """A hash of all that decides the pixels and nothing else; ids hold Save Labelled's facts,
        too."""
        return self._pixels.digest(self._values(job))

    @cached_property
    def _pixels(self) -> Template:
        no_pixels = self.facts | save_nodes.not_in_id(self.ids.base)
        return Template(self.ids.base, self.ids.slots, no_pixels)

    def id(self, job: Job, subject_digest: str = "") -> str:
        """32 hex digits that follow from everything that decides the pixels.

        Of a subject's file that is its content, whatever it is called. Of one save node the graph
        says all; of several their order decides, too.
        """
        named = job._replace(subject=None) if subject_digest else job
        digest = self.ids.digest(self._values(named))
        more = [subject_digest] if subject_digest else []
        more += ["save", *self.save_nodes] if len(self.save_nodes) > 1 else []
        return (sha256(" ".join([digest, *more]).encode()).hexdigest() if more else digest)[:32]

    def models(self, job: Job) -> tuple[Any, ...]:
        """The values of `job` that decide its group; () when all jobs are of one."""
        if not self.groups or not self.groups.slots:
            return ()
        values = self._values(job)
        return tuple(values[slot] for slot in self.groups.slots)

    def group(self, job: Job) -> str:
        """A key shared by jobs that need the same models; "" when nothing is known."""
        return self.groups.digest(self._values(job))[:16] if self.groups else ""

    def render_inputs(self, job: Job) -> RenderedInputs | None:
        """The pictures that are drawn for `job`. Raises InputError for an unreadable photo."""
        return self.scenes.render_inputs(job) if self.scenes else None

    def graph(self, job: Job, name: str, rendered: RenderedInputs | None = None) -> Graph:
        """The graph to queue for `job`; `name` is unique to this try and names its files."""
        values = self._values(job)
        for slot in self.rendered_slots:
            picture = rendered.name(self.fields[slot]) if rendered else "none.png"
            values[slot] = f"{UPLOADS}/{picture}"
        for place, prefix in enumerate(self.prefixes):
            # Folders of their own: SaveImage lists the folder each time it saves.
            values[prefix] = f"manyshot/{name[:3]}/{name}" + (f"-{place}" if place else "")
        return self.graphs.graph(values)

    def uploads(self, job: Job, rendered: RenderedInputs | None = None) -> dict[str, Path | bytes]:
        """The pictures that the server must have before `job`: name there -> file or content."""
        rendered_files = (
            {rendered.name(field): data for field, data in rendered.files.items()}
            if rendered
            else {}
        )
        return {upload_name(path): Path(path) for path in job.pictures.values()} | rendered_files

    def names_at(self, slot: Slot) -> tuple[str, ...]:
        """The job fields that a slot takes, those in a sweep's texts not counted."""
        if slot in self.fields:
            return (self.fields[slot],)
        words = self.words.get(self.texts.get(slot, ""), "")
        every = words.root.values() if isinstance(words, PerClass) else [words]
        return tuple(dict.fromkeys(name for text in every for name in read_names(text)))

    @property
    def rendered_slots(self) -> list[Slot]:
        """The slots that take a picture drawn for each job."""
        return [slot for slot, name in self.fields.items() if name in PICTURES]

    def trace_inputs(self, job: Job) -> EffectiveInputs:
        """The words and the seed of `job` as nodes get them; where nodes that encode prompts get
        some, as these do."""
        seed = job.seed if "seed" in self.effective_fields else None
        return EffectiveInputs(self._words(job, "prompt"), self._words(job, "negative"), seed)

    def _words(self, job: Job, name: str) -> str | None:
        """The texts that are drawn and take the prompt or the negative; one of both is the
        first that it names."""
        texts = {
            slot: str(fill(text, partial(self._read_field, slot, job=job)))
            for slot, text in self._templates(job).items()
            if slot not in self.facts and _first_words(text) == name
        }
        encoded = [slot for slot in texts if language_at(self.ids.base[slot.node_id])]
        return join_distinct(texts[slot] for slot in encoded or texts)

    def _templates(self, job: Job) -> dict[Slot, Any]:
        """What each slot takes of `job`, its fields not filled in yet; without pictures."""
        fields = {slot: f"${name}" for slot, name in self.fields.items()}
        texts = {
            slot: choose(self.words[address], job.class_name)
            for slot, address in self.texts.items()
        }
        swept = {slot: job.sweep[address] for slot, address in self.sweeps.items()}
        return {**fields, **texts, **swept}

    def _values(self, job: Job) -> dict[Slot, Any]:
        values = {
            slot: fill(text, partial(self._read_field, slot, job=job))
            for slot, text in self._templates(job).items()
        }
        for slot, address in self.pictures.items():
            values[slot] = f"{UPLOADS}/{upload_name(job.pictures[address])}"
        return values | dict.fromkeys(self.prefixes, "")

    def _read_field(self, slot: Slot, name: str, job: Job) -> Any:
        """A job field; a name is escaped where it becomes a part of a prompt."""
        value = self._value(name, job)
        language = language_at(self.graphs.base[slot.node_id]) if name in NAMES else None
        return escape(value, language) if language else value

    def _value(self, name: str, job: Job) -> Any:
        """A job field; of a picture that is drawn only later, what it follows from."""
        if name in JOB_FIELDS:
            return JOB_FIELDS[name](job)
        if name in job.fields:
            return job.fields[name]
        assert self.scenes is not None
        return self.scenes.text(job, name) if name in TEXTS else self.scenes.key(job, name)


def bind_recipe(
    recipe: Recipe,
    folded: own_nodes.Folded,
    catalogue: Catalogue | None,
    where: str,
    subjects: Subjects | None = None,
    scenes: Scenes | None = None,
) -> Binding:
    """A workflow bound as a settled recipe says; without a catalogue jobs have no groups.

    Raises InputError naming `where` (the workflow), the address and what is wrong.
    """
    saving = save_nodes.delivering_nodes(folded.graph, catalogue, recipe.save, where)
    needed = upstream(folded.graph, saving)
    plain = {node_id: node for node_id, node in folded.graph.items() if node_id in needed}
    fields = {slot: name for slot, name in folded.fields.items() if slot.node_id in plain}
    bound = resolve_addresses(recipe, plain, catalogue)
    fields |= bound.fields
    used = collect_fields(recipe, fields, bound)
    batch = batch_slot(recipe, plain, where)
    size = {batch: recipe.batch_size} if batch and recipe.batch_size else {}
    plain = bind(plain, {**bound.literals, **size})
    check_subject_slots(subjects or {}, used, where)
    bound_slots = frozenset((*fields, *bound.texts, *bound.sweeps))
    scenes = scenes_for(scenes, plain, used, bound_slots, where)
    facts = save_nodes.fact_slots(plain)
    of_pixels = {slot: name for slot, name in fields.items() if slot not in facts}
    effective_fields = collect_fields(recipe, of_pixels, bound)
    check_distinguishable(recipe, effective_fields, where)
    slots = [*fields, *bound.texts, *bound.sweeps, *bound.pictures]
    delivery = save_nodes.deliver(plain, saving, recipe.transport, catalogue)
    slots_in_graph = [slot for slot in slots if slot.node_id in delivery.graph]
    ids = Template(plain, slots, save_nodes.not_in_id(plain))
    saved = plain[batch.node_id]["inputs"][batch.input] if batch else 1
    return Binding(
        ids=ids,
        graphs=Template(delivery.graph, [*slots_in_graph, *delivery.prefixes]),
        groups=prefix_template(Template(plain, slots), catalogue) if catalogue else None,
        save_nodes=saving,
        batch_size=images_a_job(recipe, saved, len(saving)),
        fields=fields,
        sweeps=bound.sweeps,
        pictures=bound.pictures,
        prefixes=delivery.prefixes,
        scenes=scenes,
        facts=facts,
        effective_fields=frozenset(effective_fields),
        texts=bound.texts,
        literals=bound.literals,
        words={address: recipe.bind[address] for address in bound.texts.values()},
        saved_as=tuple(recipe.save) if isinstance(recipe.save, list) else (),
    )


def _first_words(template: Any) -> str | None:
    """Whether a bound value takes the prompt or the negative."""
    return next((name for name in read_names(template) if name in WORDS), None)
