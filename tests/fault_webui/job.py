"""One request for images: what is settled before it waits, and what it is drawn from."""

import random
import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from PIL import Image

from .faults import Fault
from .installed import Installed
from .pictures import decoded
from .samplers import UnknownSampler, settled
from .versions import Version

NETWORK = re.compile(r"<(lora|lyco):([^:>]+)([^>]*)>")
UPSCALERS = ("None", "Lanczos", "Nearest", "R-ESRGAN 4x+")
LATENT_MODES = (
    "Latent",
    "Latent (antialiased)",
    "Latent (bicubic)",
    "Latent (bicubic antialiased)",
    "Latent (nearest)",
    "Latent (nearest-exact)",
)


class Answered(Exception):
    """A request that ends with this status and body."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status)
        self.status, self.body = status, body


@dataclass
class Job:
    """What one request wants, once it may wait for its turn."""

    want: dict[str, Any]
    from_image: bool
    task: str
    sampler: str
    scheduler: str | None
    faults: dict[str, Fault] = field(default_factory=dict)
    init_images: list[Image.Image] = field(default_factory=list)

    @property
    def hires(self) -> bool:
        return not self.from_image and self.want["enable_hr"]

    @property
    def count(self) -> int:
        return self.want["batch_size"] * self.want["n_iter"]

    @property
    def steps(self) -> int:
        again = self.want["hr_second_pass_steps"] or self.want["steps"] if self.hires else 0
        return self.want["steps"] + again

    @property
    def settings(self) -> dict[str, Any]:
        return self.want["override_settings"] or {}

    def fault(self, *what: str) -> Fault | None:
        return next((self.faults[name] for name in what if name in self.faults), None)

    def size(self) -> tuple[int, int]:
        """Of the images that come: the size asked for, cut down to what latents can hold."""
        if self.init_images and self.want["mask"] and self.want["inpaint_full_res"]:
            return self.init_images[0].size
        width, height = (
            self._hires_size() if self.hires else (self.want["width"], self.want["height"])
        )
        return width // 8 * 8, height // 8 * 8

    def map_sizes(self) -> list[tuple[int, int]]:
        """Of the maps that a ControlNet unit shows: one for each pass, the last pass first."""
        first = self.want["width"] // 8 * 8, self.want["height"] // 8 * 8
        return [self.size(), first] if self.hires else [first]

    def seeds(self) -> list[int]:
        first = self.want["seed"] if self.want["seed"] != -1 else random.randrange(2**32 - 2)
        varied = self.want["subseed_strength"] == 0
        return [first + (number if varied else 0) for number in range(self.count)]

    def _hires_size(self) -> tuple[int, int]:
        want = self.want
        x, y, width, height = (
            want["hr_resize_x"],
            want["hr_resize_y"],
            want["width"],
            want["height"],
        )
        if x or y:
            return x or y * width // height, y or x * height // width
        return int(width * want["hr_scale"]), int(height * want["hr_scale"])


def accept(want: dict[str, Any], from_image: bool, installed: Installed, version: Version) -> Job:
    """What is wrong with a request before it waits for its turn, else the job. Raises Answered."""
    if from_image and want["init_images"] is None:
        raise Answered(404, problem("Init image not found"))
    if want["script_name"]:
        _known_script(want["script_name"], installed.scripts)
    for name in want["alwayson_scripts"] or {}:
        _known_script(name, (*installed.always_on, *installed.scripts))
        if name.lower() in installed.scripts:
            text = "Cannot have a selectable script in the always on scripts params"
            raise Answered(422, problem(text))
    if want["steps"] < 1:
        raise Answered(500, problem("integer division or modulo by zero", "ZeroDivisionError"))
    if min(want["batch_size"], want["n_iter"]) < 1:
        raise Answered(500, problem("list index out of range", "IndexError"))
    if min(want["width"], want["height"]) < 8:
        text = "Calculated padded input size per channel: (10 x 2). Kernel size: (3 x 3)"
        raise Answered(500, problem(text, "RuntimeError"))
    asked = want["sampler_name"] or want["sampler_index"]
    try:
        sampler, scheduler = settled(asked, want.get("scheduler"), version)
    except UnknownSampler:
        raise Answered(404, problem("Sampler not found")) from None
    kind = "img2img" if from_image else "txt2img"
    task = want.get("force_task_id") or f"task({kind}-{random.randrange(10**7):07})"
    return Job(want, from_image, task, sampler, scheduler)


def open_init_images(job: Job) -> None:
    """Decode the images of img2img. Raises Answered."""
    try:
        job.init_images = [decoded(text) for text in job.want.get("init_images") or []]
        if job.from_image and job.want["mask"]:
            decoded(job.want["mask"])
    except (ValueError, OSError):
        raise Answered(500, problem("Invalid encoded image")) from None
    if job.from_image and not job.init_images:
        text = "Expected 3D (unbatched) or 4D (batched) input to conv2d, but got input of size: [0]"
        raise Answered(500, problem(text, "RuntimeError"))


def fingerprint(job: Job, seed: int, model: str, more: dict[str, Any]) -> str:
    """Everything that decides the pixels of one image. Missing networks decide nothing."""
    names = ["negative_prompt", "steps", "cfg_scale", "width", "height", "denoising_strength"]
    if job.hires:
        names += ["hr_scale", "hr_upscaler", "hr_resize_x", "hr_resize_y", "hr_prompt"]
    inputs = [sha256(image.tobytes()).hexdigest() for image in job.init_images]
    asked = [f"{name}={job.want[name]!r}" for name in names]
    drawn = [f"{name}={value!r}" for name, value in sorted(more.items())]
    return "\n".join([*asked, *drawn, *inputs, f"{seed} {model} {job.sampler} {job.scheduler}"])


def problem(text: str, kind: str = "HTTPException") -> dict[str, Any]:
    """The body of the WebUI's own errors. Those it means carry `detail`, others `errors`."""
    meant = kind == "HTTPException"
    return {
        "error": kind,
        "detail": text if meant else "",
        "body": "",
        "errors": "" if meant else text,
    }


def _known_script(name: str, known: tuple[str, ...]) -> None:
    if name.lower() not in known:
        raise Answered(422, problem(f"Script '{name}' not found"))
