"""A job as every plan makes it, of a recipe as of the WebUI's extension."""

from ..core.counted import pluralize
from ..core.errors import InputError
from ..core.prompts import ResolvedPrompt
from .job import Job
from .subjects import ClassSubject


def make_job(
    resolved: ResolvedPrompt,
    label: int,
    index: int,
    batch: int,
    images: int,
    subject: ClassSubject | None,
) -> Job:
    """The job of a class's images `index` and on: `batch` of them, as far as `images` are wanted.

    It has no id yet, for that follows from what else its plan knows.
    """
    return Job(
        id="",
        class_name=resolved.class_name,
        label=label,
        first_index=index,
        prompt=resolved.prompt,
        negative=resolved.negative,
        seed=resolved.seed,
        images=batch,
        keep=min(batch, images - index),
        subject=subject and subject.name,
        token=subject and subject.subject.token,
    )


def check_distinct(equal: int, planned: int) -> None:
    """Raises InputError when jobs are equal: each can be drawn only once."""
    if equal:
        raise InputError(
            f"{equal:,} of the {pluralize(planned, 'job')} "
            f"{'equals' if equal == 1 else 'equal'} another one, so their images would be "
            "the same. Nothing bound distinguishes them: bind the seed, as in "
            "'KSampler.seed': $seed, or ask for fewer images."
        )
