"""The other people who use the same WebUI."""

from contextlib import suppress

from .draw import draw
from .faults import Fault
from .fields import known_fields, read_fields
from .job import accept
from .life import Life
from .state import Gone

STEPS = 10


def draw_for_another(life: Life, seconds: float, images: int, checkpoint: str) -> None:
    """Wait for the turn, then draw `images` in `seconds`, with `checkpoint` if it names one."""
    settings = {"sd_model_checkpoint": checkpoint} if checkpoint else {}
    body = {"prompt": "another's", "n_iter": images, "steps": STEPS, "width": 64, "height": 64}
    body |= {"override_settings": settings, "override_settings_restore_afterwards": False}
    want = read_fields(body, known_fields(life.version, from_image=False))
    job = accept(want, False, life.shelf.installed, life.version)
    job.task = f"other({len(life.diary.begun)})"
    job.faults = {"slow": Fault("slow", amount=seconds / images / STEPS)}
    with suppress(Gone), life.lock:
        life.state.begin("scripts_txt2img", job.task)
        life.diary.begun.append(job.task)
        draw(life, job)
        life.state.finish(job.task)
        life.end_job()
