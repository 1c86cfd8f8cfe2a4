"""A processing that draws a colour for each (prompt, seed), and `faults`: what goes wrong when."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from PIL import Image

from . import scripts, sd_models, shared

calls: list[Any] = []
faults: dict[int, Any] = {}  # number of the call, from 1 -> function of (p, Processed)


@dataclass(repr=False)
class StableDiffusionProcessing:
    sd_model: object = None
    outpath_samples: str | None = None
    prompt: str = ""
    negative_prompt: str = ""
    styles: list | None = None
    seed: int = -1
    subseed: int = -1
    subseed_strength: float = 0
    sampler_name: str | None = None
    batch_size: int = 1
    n_iter: int = 1
    steps: int = 50
    cfg_scale: float = 7.0
    width: int = 512
    height: int = 512
    do_not_save_samples: bool = False
    do_not_save_grid: bool = False
    extra_generation_params: dict | None = None
    override_settings: dict | None = None
    override_settings_restore_afterwards: bool = True
    scripts: Any = field(default=None, init=False)
    script_args: Any = field(default=None, init=False)
    comments: dict = field(default_factory=dict)
    is_api: bool = field(default=False, init=False)

    def __post_init__(self):
        self.comments, self.styles = {}, self.styles or []
        self.extra_generation_params = self.extra_generation_params or {}
        self.override_settings = self.override_settings or {}
        self.sd_model_name = None

    def comment(self, text):
        self.comments[text] = 1


@dataclass(repr=False)
class StableDiffusionProcessingTxt2Img(StableDiffusionProcessing):
    denoising_strength: float | None = None
    enable_hr: bool = False
    hr_scheduler: str | None = None


@dataclass(repr=False)
class StableDiffusionProcessingImg2Img(StableDiffusionProcessing):
    init_images: list | None = None
    denoising_strength: float = 0.75
    mask: Any = None
    image_mask: Any = field(default=None, init=False)

    def __post_init__(self):
        super().__post_init__()
        self.image_mask, self.mask = self.mask, None


class Processed:
    def __init__(
        self, p, images_list, seed=-1, info="", index_of_first_image=0, infotexts=None, comments=""
    ):
        self.images, self.seed, self.info = images_list, seed, info
        self.comments = "".join(f"{comment}\n" for comment in p.comments)
        self.sd_model_name = p.sd_model_name
        self.extra_generation_params = p.extra_generation_params
        self.index_of_first_image = index_of_first_image
        self.infotexts = infotexts or [info]


def program_version():
    return "v1.8.0"


def process_images(p):
    calls.append(p)
    asked = p.override_settings.get("sd_model_checkpoint", shared.opts.sd_model_checkpoint)
    info = sd_models.checkpoint_aliases.get(asked, sd_models.tiny)
    p.sd_model_name = info.name_for_extra
    scripts.process(p)
    width, height = p.width - p.width % 8, p.height - p.height % 8
    images = [_image(p.prompt, p.seed + n, (width, height)) for n in range(p.batch_size)]
    texts = [infotext(p, p.seed + n) for n in range(p.batch_size)]
    for image, text in zip(images, texts, strict=True):
        image.info["parameters"] = text
    first = 0
    if shared.opts.return_grid and not p.do_not_save_grid and len(images) > 1:
        images.insert(0, Image.new("RGB", (width * 2, height)))
        texts.insert(0, texts[0])
        first = 1
    shared.state.nextjob()
    processed = Processed(p, images, p.seed, texts[0], first, texts)
    fault = faults.pop(len(calls), None)
    if fault:
        fault(p, processed)
    return processed


def infotext(p, seed):
    """The last line as the WebUI writes it; texts with , : or a line break are JSON."""
    from json import dumps

    params = {"Steps": p.steps, "Sampler": p.sampler_name, "CFG scale": p.cfg_scale, "Seed": seed}
    params.update(p.extra_generation_params)
    quoted = {
        key: dumps(v, ensure_ascii=False) if any(c in str(v) for c in ",\n:") else v
        for key, v in params.items()
    }
    words = ", ".join(f"{key}: {value}" for key, value in quoted.items())
    return f"{p.prompt}\nNegative prompt: {p.negative_prompt}\n{words}"


def _image(prompt, seed, size):
    colour = tuple(sha256(f"{prompt} {seed}".encode()).digest()[:3])
    return Image.new("RGB", size, colour)
