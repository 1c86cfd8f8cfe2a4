"""What `start` is going to do, decided by the photos, the model and what the user asked for."""

from dataclasses import dataclass
from pathlib import Path

from ...core.counted import pluralize
from ...core.errors import InputError
from .models import draws_with_tiny, known_words, workflow_way
from .options import Method, Options, Way
from .photos import Photos
from .sizes import FULL, QUICK, Size

LEAST_OF_SUBJECTS = 2  # photos: one to learn from, and one to be held out


@dataclass(frozen=True)
class Setup:
    """All that the recipes follow from. `why`: why images are made in this `way`, as a sentence.

    `tiny`: manyshot-tiny draws. `words`: of the classes that it knows, what prompts call them.
    `images`: of each class, and of each draw where draws have images of their own.
    """

    options: Options
    photos: Photos
    size: Size
    way: Way
    why: str
    tiny: bool
    words: dict[str, str]
    shots: int
    draws: int
    images: int

    @property
    def output(self) -> Path:
        """The folder of everything."""
        return self.options.output

    @property
    def method(self) -> Method:
        """How subjects are trained."""
        return self.options.method or Method.LORA

    @property
    def each_draw(self) -> bool:
        """Whether every draw has images of its own."""
        return self.way is Way.SUBJECTS

    @property
    def drawn(self) -> int:
        """How many images are made in all."""
        return self.images * len(self.photos.classes) * (self.draws if self.each_draw else 1)


def decide(options: Options, photos: Photos) -> Setup:
    """The setup. Raises InputError for what cannot be done with these photos."""
    size = QUICK if options.quick else FULL
    tiny = options.base is None and (options.workflow is None or draws_with_tiny(options.workflow))
    words = known_words(photos.classes)
    way, why = _way(options, photos, tiny, words)
    shots = _shots(options, photos, size)
    if way is Way.SUBJECTS and shots < LEAST_OF_SUBJECTS:
        raise InputError(
            f"A subject needs at least {LEAST_OF_SUBJECTS} photos, and {_smallest(photos)}. "
            "Add photos, or leave the class out."
        )
    draws = _draws(options, photos, size, shots)
    return Setup(
        options,
        photos,
        size,
        way,
        why,
        tiny,
        words,
        shots,
        draws,
        _images(options, photos, size, way, shots, draws),
    )


def _way(options: Options, photos: Photos, tiny: bool, words: dict[str, str]) -> tuple[Way, str]:
    way, why = _chosen_way(options, photos, tiny, words)
    if way is Way.MASKS and photos.pairs is None:
        raise InputError(
            "Images from masks need masks: pass a folder with images/<class "
            "name>/<name>.jpg and masks/<class name>/<name>.png."
        )
    return way, why


def _chosen_way(
    options: Options, photos: Photos, tiny: bool, words: dict[str, str]
) -> tuple[Way, str]:
    named, every = len(words), len(photos.classes)
    if options.way is not None:
        return options.way, "That is what --way says."
    if options.method is not None:
        return Way.SUBJECTS, "That is what --method trains."
    if options.workflow is not None:
        return workflow_way(
            options.workflow
        ), f"That is what the workflow {options.workflow} takes."
    if photos.pairs is not None:
        return Way.MASKS, (
            "The photos have masks, so objects keep their own pixels and the background is "
            "redrawn. Use --way to choose another way."
        )
    if not tiny:
        return Way.SUBJECTS, "--base learns a word for each class from its photos."
    if named == every:
        return Way.NAMES, "manyshot-tiny knows all these classes by their names."
    some = f"{named} of these {every} classes" if named else "none of these classes"
    return Way.SUBJECTS, (
        f"manyshot-tiny knows {some}: it was trained on 37 breeds of cats and dogs and "
        "nothing else. So it learns a word for each class from the photos. Its images are "
        "soft and 128 pixels wide. For better ones, name a Stable Diffusion checkpoint with "
        "--base, and the ComfyUI that has it with --comfyui or --server."
    )


def _shots(options: Options, photos: Photos, size: Size) -> int:
    shots = options.shots or min(size.shots, photos.least)
    if shots > photos.least:
        raise InputError(
            f"--shots {shots} needs that many photos per class, and {_smallest(photos)}. Ask "
            "for fewer, or add photos."
        )
    return shots


def _smallest(photos: Photos) -> str:
    """How many photos the smallest class has to learn from, and why not more."""
    name = min(photos.counts, key=photos.counts.__getitem__)
    beside = " besides those held out for testing" if photos.split else ""
    return f"the class {name!r} has {photos.least:,}{beside}"


def _draws(options: Options, photos: Photos, size: Size, shots: int) -> int:
    """One where all draws would hold the same photos."""
    if max(photos.counts.values()) == shots:
        return 1
    return options.draws or size.draws


def _images(options: Options, photos: Photos, size: Size, way: Way, shots: int, draws: int) -> int:
    """Images of each class: from masks so many for each photo that any draw may hold."""
    if options.images is not None:
        return options.images
    most = max(min(count, shots * draws) for count in photos.counts.values())
    return size.images * (most if way is Way.MASKS else shots)


def subject_nouns(setup: Setup) -> str | dict[str, str]:
    """The noun of all classes, or each class's own name as its noun."""
    from .models import spoken

    noun = setup.options.noun
    return noun if noun else {name: spoken(name) for name in setup.photos.classes}


def describe_photos(setup: Setup) -> str:
    """How many photos there are, in a sentence."""
    photos = setup.photos
    fewest, most = photos.least, max(photos.counts.values())
    each = f"{fewest:,}" if fewest == most else f"{fewest:,} to {most:,}"
    origin = "held out of the same folder" if photos.split else "given"
    return (
        f"{pluralize(len(photos.classes), 'class', 'classes')} with {each} photos each to "
        f"train on, and {pluralize(photos.tested, 'test photo')}, {origin}."
    )
