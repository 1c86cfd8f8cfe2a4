"""Draws a job, as a WebUI does: its settings first, then batch after batch, step after step."""

from . import control
from .diary import Drawn
from .job import NETWORK, Answered, Job, fingerprint, problem
from .life import Life
from .pictures import picture
from .result import Result, Sheet, network_facts, request_facts, result_of, text_of
from .settings import check_models, overridden


def draw(life: Life, job: Job) -> Result:
    """The images of `job`; it has its turn. Raises Answered for an error, Gone when the server
    dies meanwhile."""
    with overridden(life, job):
        check_models(life, job)
        sheet = Sheet(job.seeds(), facts=request_facts(life, job))
        _run_control(life, job, sheet)
        for batch in _batches(life, job):
            _draw_batch(life, job, sheet, batch)
        return result_of(life, job, sheet)


def _batches(life: Life, job: Job):
    """The numbers of the batches that are drawn: an interrupt ends them."""
    state, count = life.state, job.want["n_iter"]
    state.job_count = count * (2 if job.hires else 1)
    for batch in range(count):
        state.next_batch()
        if state.interrupted:
            return
        if count > 1:
            state.job = f"Batch {batch + 1} out of {count}"
        yield batch
        state.job_no += 1


def _run_control(life: Life, job: Job, sheet: Sheet) -> None:
    """The ControlNet extension. What goes wrong in it goes wrong without a word, but for a unit
    with a wrong value; the maps of a job before that ended in an error are shown again then."""
    scripts = {name.lower(): value for name, value in (job.want["alwayson_scripts"] or {}).items()}
    args, installed = scripts.get("controlnet", {}).get("args", []), life.shelf.installed
    try:
        units = control.enabled_units(args, installed, life.version)
    except control.WrongUnit as error:
        if life.version.swallows_units:
            return
        text = f"1 validation error for ControlNetUnit\n{error}"
        raise Answered(500, problem(text, "ValidationError")) from None
    sheet.facts |= control.unit_facts(units)
    try:
        if not job.fault("control fails"):
            life.maps = control.maps(units, installed, job.map_sizes())
            sheet.controls = control.digest(units)
    except control.WrongUnit:
        return


def _draw_batch(life: Life, job: Job, sheet: Sheet, batch: int) -> None:
    size = job.want["batch_size"]
    sheet.facts |= network_facts(life, job)
    whole = _sample(life, job, batch)
    for seed in sheet.seeds[batch * size : (batch + 1) * size]:
        text = text_of(life, job, sheet, seed)
        _note(life, job, seed, whole)
        sheet.images.append((_image(life, job, sheet, seed), text))
        sheet.texts.append(text)


def _sample(life: Life, job: Job, batch: int) -> bool:
    """Go through the steps of a batch; whether none was left out."""
    state, state.steps = life.state, job.steps
    for step in range(job.steps):
        state.step = step
        _strike(life, job, batch * job.want["batch_size"])
        life.wait_step(job.fault("slow"))
        if state.interrupted or state.skipped:
            return False
    state.step = job.steps
    return True


def _strike(life: Life, job: Job, done: int) -> None:
    """The fault whose time has come, `done` images having been drawn."""
    fault = job.fault("hang", "deaf", "memory", "raise", "die", "interrupted", "skipped")
    if fault is None or done < fault.amount:
        return
    del job.faults[fault.what]
    match fault.what:
        case "hang":
            life.state.wait(None)
        case "deaf":
            life.released.wait()
        case "memory":
            text = "CUDA out of memory. Tried to allocate 20.00 GiB (GPU 0; 8.00 GiB total)"
            raise Answered(500, problem(text, "OutOfMemoryError"))
        case "raise":
            text = "mat1 and mat2 shapes cannot be multiplied (77x768 and 1024x320)"
            raise Answered(500, problem(text, "RuntimeError"))
        case "die":
            life.die()
        case "interrupted":
            life.interrupt()
        case "skipped":
            life.state.skip()
    life.check()


def _note(life: Life, job: Job, seed: int, whole: bool) -> None:
    assert life.shelf.loaded is not None
    words, size = (job.want["prompt"], job.want["negative_prompt"]), job.size()
    drawn = Drawn(job.task, *words, seed, size, life.shelf.loaded.name, not whole)
    life.diary.drawn.append(drawn)


def _image(life: Life, job: Job, sheet: Sheet, seed: int):
    """Pixels that follow from the request and from how far it came."""
    loaded = life.shelf.loaded
    assert loaded is not None
    prompt = NETWORK.sub("", job.want["prompt"])
    more = {**sheet.facts, "prompt": prompt, "vae": life.shelf.vae, "steps done": life.state.step}
    more["controls"] = sheet.controls
    return picture(fingerprint(job, seed, loaded.sha256, more), job.size())
