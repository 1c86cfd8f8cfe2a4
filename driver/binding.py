"""A workflow and a recipe together: which slot takes what of a job."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..core.nearest import did_you_mean
from .job import Job
from .pairs.draw import Made
from .pairs.scenes import PICTURES, TEXTS, Scenes
from .pairs.taken import scenes_for
from .recipe import FileInput, Recipe
from .settle import classes_of, images_per_class
from .subjects import Subjects, check_taken
from .workflow import own_nodes, save_nodes
from .workflow.binding import bind, resolve
from .workflow.catalogue import Catalogue
from .workflow.graph import Graph, Slot, is_link, upstream
from .workflow.groups import prefix_template
from .workflow.template import Template

UPLOADS = "manyshot"  # the server's input subfolder for uploaded pictures
JOB_FIELDS: dict[str, Callable[[Job], Any]] = {
    "prompt": lambda job: job.prompt,
    "negative": lambda job: job.negative,
    "class_name": lambda job: job.class_name,
    "seed": lambda job: job.seed,
    "index": lambda job: job.first_index,
    "subject": lambda job: job.subject or "",
    "token": lambda job: job.token or "",
    "job_id": lambda job: job.id,
}
DIFFERENT = {"prompt", "seed", "index"}  # at least one of these must tell images apart


@dataclass(frozen=True)
class Binding:
    """A workflow bound to a recipe: values in, graph or id out.

    `fields`, `sweeps` and `pictures` say what each slot takes: a job field, the sweep's value or
    the uploaded picture of an address. `prefix` is the slot of the saved files' name, if any.
    `scenes` are the recipe's labelled photos, if any: some fields are of them.
    """

    ids: Template
    graphs: Template
    groups: Template | None
    save_node: str
    batch_size: int
    fields: Mapping[Slot, str]
    sweeps: Mapping[Slot, str]
    pictures: Mapping[Slot, str]
    prefix: Slot | None
    scenes: Scenes | None = None

    def id(self, job: Job, subject_digest: str = "") -> str:
        """32 hex digits that follow from everything that decides the pixels.

        Of a subject's file that is its content, whatever it is called.
        """
        if not subject_digest:
            return self.ids.digest(self._values(job))[:32]
        found = self.ids.digest(self._values(job._replace(subject=None)))
        return sha256(f"{found} {subject_digest}".encode()).hexdigest()[:32]

    def models(self, job: Job) -> tuple[Any, ...]:
        """The values of `job` that decide its group; () when all jobs are of one."""
        if not self.groups or not self.groups.slots:
            return ()
        values = self._values(job)
        return tuple(values[slot] for slot in self.groups.slots)

    def group(self, job: Job) -> str:
        """A key shared by jobs that need the same models; "" when nothing is known."""
        return self.groups.digest(self._values(job))[:16] if self.groups else ""

    def made(self, job: Job) -> Made | None:
        """The pictures that are drawn for `job`. Raises InputError for an unreadable photo."""
        return self.scenes.made(job) if self.scenes else None

    def graph(self, job: Job, name: str, made: Made | None = None) -> Graph:
        """The graph to queue for `job`; `name` is unique to this try and names its files."""
        values = self._values(job)
        for slot in self.drawn:
            picture = made.name(self.fields[slot]) if made else "none.png"
            values[slot] = f"{UPLOADS}/{picture}"
        if self.prefix:
            # Folders of their own: SaveImage lists the folder each time it saves.
            values[self.prefix] = f"manyshot/{name[:3]}/{name}"
        return self.graphs.graph(values)

    def uploads(self, job: Job, made: Made | None = None) -> dict[str, Path | bytes]:
        """The pictures that the server must have before `job`: name there -> file or content."""
        drawn = {made.name(field): data for field, data in made.files.items()} if made else {}
        return {upload_name(path): Path(path) for path in job.pictures.values()} | drawn

    @property
    def drawn(self) -> list[Slot]:
        """The slots that take a picture drawn for each job."""
        return [slot for slot, name in self.fields.items() if name in PICTURES]

    def _values(self, job: Job) -> dict[Slot, Any]:
        values: dict[Slot, Any] = {
            slot: self._value(name, job) for slot, name in self.fields.items()
        }
        for slot, address in self.sweeps.items():
            values[slot] = job.sweep[address]
        for slot, address in self.pictures.items():
            values[slot] = f"{UPLOADS}/{upload_name(job.pictures[address])}"
        if self.prefix:
            values[self.prefix] = ""
        return values

    def _value(self, name: str, job: Job) -> Any:
        """A job field; of a picture that is drawn only later, what it follows from."""
        if name in JOB_FIELDS:
            return JOB_FIELDS[name](job)
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
    save_node = save_nodes.delivering_node(folded.graph, catalogue, recipe.save, where)
    needed = upstream(folded.graph, [save_node])
    plain = {node_id: node for node_id, node in folded.graph.items() if node_id in needed}
    fields = {slot: name for slot, name in folded.fields.items() if slot.node_id in plain}
    bound, sweeps, pictures, literals = _addresses(recipe, plain, catalogue)
    fields |= bound
    batch = _batch_slot(recipe, plain, where)
    if batch and recipe.batch_size:
        literals[batch] = recipe.batch_size
    plain = bind(plain, literals)
    check_taken(subjects or {}, set(fields.values()), where)
    scenes = scenes_for(scenes, plain, fields, frozenset((*fields, *sweeps)), where)
    _check_told_apart(recipe, set(fields.values()), where)
    slots = [*fields, *sweeps, *pictures]
    delivery = save_nodes.deliver(plain, save_node, recipe.transport, catalogue)
    own = [slot for slot in slots if slot.node_id in delivery.graph]
    run_slots = [*own, delivery.prefix] if delivery.prefix else own
    ids = Template(plain, slots, save_nodes.not_in_id(plain))
    return Binding(
        ids=ids,
        graphs=Template(delivery.graph, run_slots),
        groups=prefix_template(Template(plain, slots), catalogue) if catalogue else None,
        save_node=save_node,
        batch_size=plain[batch.node_id]["inputs"][batch.input] if batch else 1,
        fields=fields,
        sweeps=sweeps,
        pictures=pictures,
        prefix=delivery.prefix,
        scenes=scenes,
    )


@lru_cache(maxsize=200_000)
def upload_name(path: str) -> str:
    """The name of an uploaded picture: a hash of its content, so that equal ones go once."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"The picture {path} cannot be read: {error.strerror}.") from None
    return sha256(data).hexdigest()[:32] + Path(path).suffix.lower()


def _addresses(
    recipe: Recipe, graph: Graph, catalogue: Catalogue | None
) -> tuple[dict[Slot, str], dict[Slot, str], dict[Slot, str], dict[Slot, Any]]:
    """The recipe's `bind` and `sweep` as slots: job fields, sweeps, pictures, literals."""
    fields: dict[Slot, str] = {}
    pictures: dict[Slot, str] = {}
    literals: dict[Slot, Any] = {}
    for address, value in recipe.bind.items():
        slot = resolve(graph, address, catalogue)
        if isinstance(value, FileInput):
            pictures[slot] = address
        elif isinstance(value, str) and value.startswith("$") and not value.startswith("$$"):
            fields[slot] = _field(address, value)
        else:
            literals[slot] = value.removeprefix("$") if isinstance(value, str) else value
    sweeps = {resolve(graph, address, catalogue): address for address in recipe.sweep}
    twice = sweeps.keys() & (fields.keys() | pictures.keys() | literals.keys())
    if twice:
        raise InputError(
            f"{sweeps[twice.pop()]!r} stands under 'bind' and under 'sweep'; keep one."
        )
    return fields, sweeps, pictures, literals


def _field(address: str, value: str) -> str:
    name = value.removeprefix("$")
    known = [*JOB_FIELDS, *PICTURES, *TEXTS]
    if name not in known:
        raise InputError(
            f"bind {address!r}: there is no job field {value!r}.{did_you_mean(name, known)} "
            f"(Write '$${name}' for that text itself.)"
        )
    return name


def _batch_slot(recipe: Recipe, graph: Graph, where: str) -> Slot | None:
    """The one literal `batch_size` of the workflow, if it has exactly one."""
    found = [
        Slot(node_id, "batch_size")
        for node_id, node in graph.items()
        if "batch_size" in node["inputs"] and not is_link(node["inputs"]["batch_size"])
    ]
    if recipe.batch_size and len(found) != 1:
        raise InputError(
            f"{where} has {len(found)} nodes with a batch_size, so the recipe's 'batch_size' does "
            "not say which to set. Take it out of the recipe and set it under 'bind'."
        )
    return found[0] if len(found) == 1 else None


def _check_told_apart(recipe: Recipe, used: set[str], where: str) -> None:
    """Refuse a recipe whose classes, or whose images of a class, would all be the same."""
    if any(isinstance(value, FileInput) and value.folder for value in recipe.bind.values()):
        return
    if not used.isdisjoint(PICTURES):
        return
    if not used & {"prompt", "class_name", "subject", "token"} and len(classes_of(recipe)) > 1:
        raise InputError(
            f"Nothing in {where} takes the prompt, so all classes would look the same. "
            "Bind it: 'Node title.text': $prompt."
        )
    if not used & DIFFERENT and images_per_class(recipe) > 1:
        raise InputError(
            f"Nothing in {where} takes the seed, so all images of a class would be the same. "
            "Bind it: 'KSampler.seed': $seed."
        )
