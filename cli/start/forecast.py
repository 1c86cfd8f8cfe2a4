"""What `start` is going to take, and what its answer will not be able to say."""

from collections.abc import Iterator
from dataclasses import dataclass

from ...core.counted import pluralize
from ...trainer.measure.gain import unseen_share
from .options import Method, Way
from .setup import Setup

# Seconds on two cores of a CPU with manyshot-tiny, as `manyshot demo` took them.
STEP_SECONDS = {Method.LORA: 0.15, Method.TEXTUAL_INVERSION: 0.12, Method.DREAMBOOTH: 0.21}
DRAW_SECONDS = 12.0  # to open the base and encode the photos of a draw
PICTURE_SECONDS = 0.7
SERVER_SECONDS = 30.0
PHOTO_SECONDS = 0.04  # features and the search for copies
TRAINING_SECONDS = 1.0
FILE_MB = {Method.LORA: 6.0, Method.TEXTUAL_INVERSION: 0.1, Method.DREAMBOOTH: 90.0}
PICTURE_MB = 0.04
RESULTS_MB = 5.0


@dataclass(frozen=True)
class Forecast:
    """A step: its name, what it does, minutes and megabytes; None where that cannot be known."""

    step: str
    what: str
    minutes: float | None
    megabytes: float | None


def forecast(setup: Setup) -> list[Forecast]:
    """The steps in their order."""
    steps = [_training(setup)] if setup.way is Way.SUBJECTS else []
    return [*steps, _drawing(setup), _measuring(setup)]


def _training(setup: Setup) -> Forecast:
    method = setup.method
    files = len(setup.photos.classes) if method is Method.TEXTUAL_INVERSION else 1
    times = setup.draws * files
    steps = int(setup.size.training[method.value]["steps"])
    what = f"{pluralize(len(setup.photos.classes), 'class', 'classes')} by {method.value}"
    if setup.options.base is not None:
        what += f" on {setup.options.base.name}, {pluralize(times, 'time')}; a GPU is needed"
        return Forecast("subjects", what, None, None)
    seconds = setup.draws * (DRAW_SECONDS + files * steps * STEP_SECONDS[method])
    what += f", {steps} steps, {pluralize(times, 'time')}"
    return Forecast("subjects", what, seconds / 60, times * FILE_MB[method])


def _drawing(setup: Setup) -> Forecast:
    where = ", ".join(setup.options.servers) or "the embedded ComfyUI"
    what = f"{pluralize(setup.drawn, 'image')} by {where}"
    if not setup.tiny or setup.options.servers:
        return Forecast("pictures", what, None, None)
    seconds = SERVER_SECONDS + setup.drawn * PICTURE_SECONDS
    return Forecast("pictures", what, seconds / 60, setup.drawn * PICTURE_MB)


def _measuring(setup: Setup) -> Forecast:
    arms = 3 if setup.photos.least >= 2 * setup.shots else 2
    trainings = setup.draws * setup.size.seeds * (arms + 1)
    photos = sum(setup.photos.counts.values()) + setup.photos.tested + setup.drawn
    what = f"{pluralize(setup.draws, 'draw')} of {pluralize(setup.shots, 'photo')} per class"
    seconds = photos * PHOTO_SECONDS + trainings * TRAINING_SECONDS
    return Forecast(
        "measure", f"{what}, {pluralize(trainings, 'training')}", seconds / 60, RESULTS_MB
    )


def limits(setup: Setup) -> Iterator[str]:
    """What the answer will not tell, in sentences."""
    tested = setup.photos.tested
    if setup.photos.split:
        held_out = pluralize(tested, "photo of this folder is", "photos of this folder are")
        yield (
            f"{held_out} held out for testing and never trained on. Pass test photos with "
            "--test to train on all."
        )
    yield (
        f"On {pluralize(tested, 'test photo')} a gain of less than about "
        f"{100 * unseen_share(tested):.0f} points cannot be told from zero."
    )
    if setup.draws == 1:
        yield (
            "There is only one set of photos to train on, so the answer holds for these "
            "photos and says nothing about others. More photos per class would allow "
            "several draws."
        )
    if setup.tiny and setup.way is Way.SUBJECTS:
        yield (
            "So far, images by manyshot-tiny of classes that it does not know have not "
            "helped measurably (docs/results.md). Expect 'cannot tell', and repeat with "
            "another model."
        )
