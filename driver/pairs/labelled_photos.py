"""Which labelled photo each job is made from, and all that its pictures follow from."""

import json
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b, sha256
from typing import Any

from ...core.counted import did_you_mean
from ...core.data.reader import read_folder
from ...core.data.record import LabelledImage
from ...core.errors import InputError
from ...core.masks.colours import control_colours, open_colour
from ...core.masks.compose import join_names, recode
from ...core.masks.control import unknown_colours
from ...core.masks.geometry import Size
from ...core.masks.label_mask import Colour, LabelMask
from ..job import MASKS, Job
from .pair_settings import Pairs
from .photo_facts import PairFacts, Progress, all_facts
from .render import RenderedInputs, build_scene, draw_pictures

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scenes:
    """The labelled photos of a recipe: `of_class` has each class's in the order of their names.

    `picture_fields`: those of PICTURES that the workflow takes; `size`: height and width of what is
    made, None for the photo's own; `facts` by the photos' names, once they were read.
    """

    settings: Pairs
    of_class: Mapping[str, tuple[LabelledImage, ...]]
    picture_fields: frozenset[str] = frozenset()
    size: Size | None = None
    facts: Mapping[str, PairFacts] = field(default_factory=dict)
    moved: bool = False
    """Whether the workflow varies the masks itself: then only it knows those of its images."""
    declared: frozenset[str] = frozenset()
    """Classes that masks of the folder may have, whichever photos are taken."""
    controlnets: frozenset[str] = frozenset()
    """The ControlNets of the workflow, by the names of their files."""

    def names(self, class_name: str, number: int, seed: int) -> list[str]:
        """The photos of a class's job `number`, the one that it shows first.

        They take turns; what is laid over it is drawn by the recipe's `seed` from the photos of
        all classes.
        """
        photos = self.of_class[class_name]
        chosen = [photos[number % len(photos)].name]
        everyone = self._everyone
        while len(chosen) < min(self.settings.compose, len(everyone)):
            start = _draw(f"{seed}\0{number}\0{len(chosen)}\0{class_name}", len(everyone))
            chosen.append(next(n for n in (*everyone[start:], *everyone) if n not in chosen))
        return chosen

    def list_shown(self, names: Sequence[str]) -> tuple[str, ...]:
        """The classes that the masks of these photos show, each once."""
        return tuple(dict.fromkeys(shown for name in names for shown in self.facts[name].shown))

    def key(self, job: Job, picture: str) -> str:
        """What stands for a picture of a job in its id: a hash of all that decides it."""
        digests = [self.facts[name].digest for name in job.pairs]
        by_seed = [job.seed] if self.settings.vary or self.settings.compose > 1 else []
        text = json.dumps([self._prefix, picture, digests, by_seed])
        return sha256(text.encode()).hexdigest()

    def text(self, job: Job, name: str) -> str:
        """A field of TEXTS."""
        if name == "file_name":
            return job.pairs[0]
        classes = join_names(self.facts[pair].classes for pair in job.pairs)
        return "\n".join(" ".join(name.split()) for name in classes)

    def render_inputs(self, job: Job) -> RenderedInputs:
        """The pictures of a job. Raises InputError for a photo that cannot be read any more."""
        pairs = [self._by_name[name] for name in job.pairs]
        scene = build_scene(pairs, self.settings, job.seed, self.size, self.masked)
        colours = self._colours if "control" in self.picture_fields else {}
        labelled = self.masked and not self.moved
        pictures = draw_pictures(
            scene, self.picture_fields, colours, open_colour(self.settings.colours), labelled
        )
        return (
            pictures
            if pictures.mask is None
            else replace(pictures, mask=self._by_one_table(pictures.mask))
        )

    def _by_one_table(self, mask: LabelMask) -> LabelMask:
        """The mask by the classes of all photos: a value is one class in the whole dataset."""
        table = join_names(facts.classes for facts in self.facts.values())
        return recode(mask, table) if set(mask.classes) <= set(table) else mask

    def sources(self, job: Job) -> list[str]:
        """The photos of a job as paths."""
        return [str(self._by_name[name].image) for name in job.pairs]

    def among(self, classes: Collection[str]) -> "Scenes":
        """Those of some classes. Raises InputError for a class that has no photo."""
        for name in classes:
            if name not in self.of_class:
                near = did_you_mean(name, self.of_class)
                raise InputError(f"{self.settings.folder} has no photo of {name!r}.{near}")
        return replace(self, of_class={name: self.of_class[name] for name in classes})

    def read_all(self, progress: Progress) -> "Scenes":
        """The same with their facts, all photos read.

        Raises InputError for whatever is wrong with one of them, and for classes that the palette
        or its table lack.
        """
        photos = [pair for pairs in self.of_class.values() for pair in pairs]
        facts = all_facts(photos, self.masked, progress, self.settings.skip_empty)
        usable = {
            name: tuple(pair for pair in pairs if pair.name in facts)
            for name, pairs in self.of_class.items()
        }
        for name in (name for name, pairs in usable.items() if not pairs):
            raise InputError(f"All masks of {name!r} in {self.settings.folder} are empty.")
        checked = replace(self, of_class=usable, facts=facts)
        if "control" in self.picture_fields:
            checked._warn_about(checked._colours)
        return checked

    def _warn_about(self, colours: Mapping[str, Colour]) -> None:
        """Say which classes have colours that a ControlNet has not learned."""
        for name in sorted(self.controlnets):
            sentence = unknown_colours(name, colours)
            if sentence:
                log.warning("%s ('pairs.colours' and 'pairs.table' say the colours)", sentence)

    @cached_property
    def masked(self) -> bool:
        """Whether masks are read: where a picture needs them, or all photos have one."""
        pairs = (pair for pairs in self.of_class.values() for pair in pairs)
        return not self.picture_fields.isdisjoint(MASKS) or all(
            pair.mask is not None for pair in pairs
        )

    @cached_property
    def summary(self) -> dict[str, Any]:
        """What manyshot.json keeps: how many photos of which classes, and a hash of them all."""
        digests = sorted((name, facts.digest) for name, facts in self.facts.items())
        return {
            "count": len(self.facts),
            "classes": list(join_names(facts.classes for facts in self.facts.values())),
            "sha256": sha256(json.dumps(digests).encode()).hexdigest(),
            "size": None if self.size is None else [self.size[1], self.size[0]],
            "taken": sorted(self.picture_fields),
        }

    @cached_property
    def _prefix(self) -> str:
        """A hash of what decides the pictures beside the photos and the seed."""
        settings = self.settings.model_dump(mode="json", include={"vary", "border", "compose"})
        colours = self._colours if "control" in self.picture_fields else {}
        facts = [settings, self.size, self.settings.colours if colours else None, colours]
        return sha256(json.dumps(facts).encode()).hexdigest()

    @cached_property
    def _colours(self) -> Mapping[str, Colour]:
        classes = join_names(facts.classes for facts in self.facts.values())
        table = self.settings.table
        for name in table:
            if name not in (names := {*classes, *self.declared}):
                near = did_you_mean(name, names)
                raise InputError(f"'pairs.table': no class of the masks is {name!r}.{near}")
        used = {name: other for name, other in table.items() if name in classes}
        try:
            return control_colours(classes, self.settings.colours, used)
        except InputError as error:
            raise InputError(f"The colours of 'pairs': {error} 'pairs.table' says it.") from None

    @cached_property
    def _by_name(self) -> Mapping[str, LabelledImage]:
        return {pair.name: pair for pairs in self.of_class.values() for pair in pairs}

    @cached_property
    def _everyone(self) -> Sequence[str]:
        return sorted(self._by_name)


def find_scenes(settings: Pairs) -> Scenes:
    """The labelled photos that the recipe's `pairs` names. Raises InputError as `read_folder`."""
    files = read_folder(settings.folder, settings.layout, settings.palette)
    of_class: dict[str, list[LabelledImage]] = {}
    for pair in sorted(files, key=lambda pair: (pair.class_name, pair.name)):
        of_class.setdefault(pair.class_name, []).append(pair)
    declared = frozenset(name for pair in files for name in _list_declared(pair))
    return Scenes(settings, {n: tuple(pairs) for n, pairs in of_class.items()}, declared=declared)


def _list_declared(pair: LabelledImage) -> Iterator[str]:
    yield from pair.coco_classes
    yield from pair.code.classes if pair.code else ()
    yield from [pair.species] if pair.species else ()


def _draw(key: str, count: int) -> int:
    """A number from 0 to `count` - 1, fixed for all time."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest()) % count
