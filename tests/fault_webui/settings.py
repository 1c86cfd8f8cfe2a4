"""The settings of one request: set before it is drawn, put back afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager

from .job import LATENT_MODES, UPSCALERS, Answered, Job, problem
from .life import Life


@contextmanager
def overridden(life: Life, job: Job) -> Iterator[None]:
    """Within the block the request's settings hold. Those that the server's own file of settings
    lacks stay for ever. Raises Answered for one that it does not know."""
    shelf, options = life.shelf, life.shelf.options
    kept = [name for name in job.settings if name not in shelf.installed.unsaved]
    before = {name: options[name] for name in kept if name in options}
    try:
        _apply(life, job)
        yield
    finally:
        if job.want["override_settings_restore_afterwards"]:
            options.update(before)
            shelf.set_vae()


def check_models(life: Life, job: Job) -> None:
    """Those that are asked for by fields, which must be there. Raises Answered."""
    names = ["refiner_checkpoint", *(["hr_checkpoint_name"] if job.hires else [])]
    for wanted in (job.want[name] for name in names):
        if wanted and wanted != "None" and life.shelf.closest(wanted) is None:
            text = f"Could not find checkpoint with name {wanted}"
            raise Answered(500, problem(text, "Exception"))
    upscaler = job.want["hr_upscaler"] if job.hires else None
    if upscaler and upscaler not in (*LATENT_MODES, *UPSCALERS):
        raise Answered(500, problem(f"could not find upscaler named {upscaler}", "Exception"))
    if job.hires and job.want["denoising_strength"] is None:
        text = "'>' not supported between instances of 'NoneType' and 'int'"
        raise Answered(500, problem(text, "TypeError"))


def _apply(life: Life, job: Job) -> None:
    """An unknown checkpoint is dropped without a word."""
    shelf, wanted = life.shelf, dict(job.settings)
    hidden = shelf.installed.unsaved
    if shelf.find(wanted.get("sd_model_checkpoint")) is None:
        wanted.pop("sd_model_checkpoint", None)
        _load(life, job)
    for name, value in wanted.items():
        if name not in shelf.options or (life.version.strict_settings and name in hidden):
            raise Answered(500, problem(f"'{name}'", "KeyError"))
        shelf.options[name] = value
        if name == "sd_model_checkpoint":
            _load(life, job)
        if name == "sd_vae":
            shelf.set_vae()


def _load(life: Life, job: Job) -> None:
    """Load the checkpoint of the options; the first one where that is unknown."""
    shelf = life.shelf
    one = shelf.find(shelf.options["sd_model_checkpoint"]) or shelf.installed.checkpoints[0]
    if shelf.loaded == one:
        return
    if job.fault("model fails"):
        text = "Error while deserializing header: MetadataIncompleteBuffer"
        raise Answered(500, problem(text, "SafetensorError"))
    life.state.wait(life.load_seconds)
    life.check()
    shelf.load(one)
    shelf.set_vae()
    life.diary.loads.append(one.name)
