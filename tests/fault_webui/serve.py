"""POST requests: for images, which wait for their turn, and for the rest, which does not."""

import contextlib
import json
from typing import Any

from .draw import Result, draw
from .faults import Fault
from .fields import WrongFields, known_fields, read_fields
from .job import Answered, Job, accept, open_init_images, problem
from .life import Life
from .pictures import encoded
from .spoil import SPOIL, spoiled

IMAGES = {"/sdapi/v1/txt2img": False, "/sdapi/v1/img2img": True}
REFRESH = ("checkpoints", "loras", "vae")


def post(life: Life, path: str, body: Any, faults: tuple[Fault, ...]) -> Any:
    """The JSON that a request is answered with. Raises Answered where the status is not 200, Gone
    when the server dies meanwhile."""
    if path in IMAGES:
        return _images(life, IMAGES[path], body, faults)
    refresh = [f"/sdapi/v1/refresh-{name}" for name in REFRESH]
    if life.version.refresh_embeddings:
        refresh.append("/sdapi/v1/refresh-embeddings")
    match path:
        case "/sdapi/v1/interrupt":
            life.interrupt()
            return {}
        case "/sdapi/v1/skip":
            return life.state.skip()
        case "/sdapi/v1/options":
            return _set_options(life, body)
        case "/internal/progress" if life.internal:
            return life.state.task_progress(body.get("id_task"))
        case _ if path in refresh:
            with life.lock:
                return None
    raise Answered(404, {"detail": "Not Found"})


def _images(life: Life, from_image: bool, body: Any, faults: tuple[Fault, ...]) -> dict[str, Any]:
    try:
        want = read_fields(body, known_fields(life.version, from_image))
    except WrongFields as error:
        raise Answered(422, {"detail": error.detail}) from None
    job = accept(want, from_image, life.shelf.installed, life.version)
    job.faults = {fault.what: fault for fault in faults}
    life.state.pending[job.task] = len(life.state.pending)
    with _open(life), life.lock:
        result = _turn(life, job)
    kind = life.shelf.options["samples_format"]
    images = [encoded(image, text, kind) for image, text in result.images]
    hidden = {"init_images": None, "mask": None}
    told = {**want, **hidden} if from_image and not want["include_init_images"] else want
    reply = {
        "images": images if want["send_images"] else [],
        "parameters": told,
        "info": json.dumps(result.info),
    }
    return spoiled(reply, tuple(fault for fault in faults if fault.what in SPOIL))


def _turn(life: Life, job: Job) -> Result:
    """The job has the lock."""
    open_init_images(job)
    state = life.state
    try:
        state.begin("scripts_img2img" if job.from_image else "scripts_txt2img", job.task)
        life.diary.begun.append(job.task)
        result = draw(life, job)
        state.finish(job.task)
        return result
    finally:
        life.end_job()


@contextlib.contextmanager
def _open(life: Life):
    life.diary.came()
    try:
        yield
    finally:
        life.diary.went()


def _set_options(life: Life, body: Any) -> None:
    shelf, name = life.shelf, body.get("sd_model_checkpoint")
    if name is not None and shelf.find(name) is None:
        raise Answered(500, problem(f"model {name!r} not found", "RuntimeError"))
    unknown = next((key for key in body if key not in shelf.options), None)
    if unknown is not None:
        raise Answered(500, problem(f"'{unknown}'", "KeyError"))
    with life.lock:
        shelf.options.update(body)
        one = shelf.find(shelf.options["sd_model_checkpoint"])
        if one is not None and shelf.load(one):
            life.diary.loads.append(one.name)
        shelf.set_vae()
