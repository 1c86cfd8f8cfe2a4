"""What a job has drawn, and what is said about it: the infotexts and `info`."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from PIL import Image

from .infotext import infotext
from .job import NETWORK, Job
from .life import Life
from .pictures import grid
from .samplers import used_scheduler

COPIED = (
    "subseed_strength", "width", "height", "cfg_scale", "steps", "batch_size",
    "seed_resize_from_w", "seed_resize_from_h", "denoising_strength",
)  # fmt: skip
Picture = tuple[Image.Image, str | None]


@dataclass
class Sheet:
    """What one job has drawn so far."""

    seeds: list[int]
    images: list[Picture] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    """Of the infotext, added by extensions and networks."""
    controls: str = ""
    """What ControlNet did, where it did anything."""


@dataclass
class Result:
    """What a job gives: images with their texts, and `info` before it is written as JSON."""

    images: list[Picture]
    info: dict[str, Any]


def network_facts(life: Life, job: Job) -> dict[str, str]:
    """The hashes of the networks that were loaded: a missing one leaves no trace."""
    installed, prompt = life.shelf.installed, job.want["prompt"]
    lost = job.fault("lora fails") is not None or job.want["disable_extra_networks"]
    loras = [name for _, name, _ in NETWORK.findall(prompt) if name in installed.loras and not lost]
    words = set(prompt.replace(",", " ").replace("(", " ").replace(")", " ").split())
    learned = [name for name in installed.embeddings if name in words]
    facts = {"Lora hashes": loras, "TI hashes": learned}
    return {title: ", ".join(map(_hashed, names)) for title, names in facts.items() if names}


def request_facts(life: Life, job: Job) -> dict[str, Any]:
    """What the infotext says of the sampler, of img2img and of hires fix."""
    want = job.want
    facts: dict[str, Any] = {}
    if job.from_image or job.hires:
        facts["Denoising strength"] = want["denoising_strength"]
    if job.hires:
        facts |= {"Hires prompt": None, "Hires negative prompt": None, "Hires schedule type": None}
        x, y = want["hr_resize_x"], want["hr_resize_y"]
        facts |= {"Hires resize": f"{x}x{y}"} if x or y else {"Hires upscale": want["hr_scale"]}
        more = {"Hires steps": "hr_second_pass_steps", "Hires upscaler": "hr_upscaler"}
        facts |= {title: want[name] for title, name in more.items() if want[name]}
    if job.from_image and want["mask"]:
        facts |= {"Mask blur": want["mask_blur"] or want["mask_blur_x"]}
        if want["inpaint_full_res"]:
            padding = want["inpaint_full_res_padding"]
            facts |= {"Inpaint area": "Only masked", "Masked area padding": padding}
        filling = {0: "fill", 2: "latent noise", 3: "latent nothing"}
        facts |= {"Masked content": filling.get(want["inpainting_fill"])}
    used = used_scheduler(job.sampler, job.scheduler) if life.version.scheduler_field else None
    return facts | ({"Schedule type": used} if used else {})


def text_of(life: Life, job: Job, sheet: Sheet, seed: int) -> str:
    """The infotext of one image."""
    want, shelf, loaded = job.want, life.shelf, life.shelf.loaded
    assert loaded is not None
    skip = shelf.options["CLIP_stop_at_last_layers"]
    scheduled = life.version.scheduler_field
    facts = {
        "Steps": want["steps"],
        "Sampler": job.sampler,
        "Schedule type": job.scheduler if scheduled else None,
        "CFG scale": want["cfg_scale"],
        "Seed": seed,
        "Size": f"{want['width']}x{want['height']}",
        "Model hash": loaded.shorthash,
        "Model": loaded.name,
        "VAE": shelf.vae,
        "Variation seed": None if want["subseed_strength"] == 0 else want["subseed"],
        "Variation seed strength": want["subseed_strength"] or None,
        "Denoising strength": sheet.facts.get("Denoising strength"),
        "Clip skip": skip if skip > 1 else None,
        **sheet.facts,
        **_modules(life),
        "Version": life.version.tag,
    }
    return infotext(want["prompt"], want["negative_prompt"], facts)


def result_of(life: Life, job: Job, sheet: Sheet) -> Result:
    """The images, a grid before them where one is wanted and the maps of ControlNet after them."""
    texts = sheet.texts or [text_of(life, job, sheet, sheet.seeds[0])]
    images, first = list(sheet.images), 0
    if job.want["save_images"] and life.shelf.options["return_grid"] and len(images) > 1:
        texts, first = [texts[0], *texts], 1
        images.insert(0, (grid([image for image, _ in images]), texts[0]))
    images += [(image, None) for image in life.maps]
    life.maps = []
    return Result(images, _info(life, job, sheet, texts, first))


def _info(life: Life, job: Job, sheet: Sheet, texts: list[str], first: int) -> dict[str, Any]:
    want, shelf, loaded = job.want, life.shelf, life.shelf.loaded
    assert loaded is not None
    vae = None if life.version.sd_modules else shelf.vae
    prompts, negatives = [want["prompt"]] * job.count, [want["negative_prompt"]] * job.count
    subseed = want["subseed"] if want["subseed"] != -1 else sheet.seeds[0] ^ 0xFFFF
    return {
        "prompt": prompts[0],
        "all_prompts": prompts,
        "negative_prompt": negatives[0],
        "all_negative_prompts": negatives,
        "seed": sheet.seeds[0],
        "all_seeds": sheet.seeds,
        "subseed": subseed,
        "all_subseeds": [subseed + number for number in range(job.count)],
        **{name: want[name] for name in COPIED},
        "sampler_name": job.sampler,
        "restore_faces": bool(want["restore_faces"]),
        "face_restoration_model": None,
        "sd_model_name": loaded.name,
        "sd_model_hash": loaded.shorthash,
        "sd_vae_name": vae,
        "sd_vae_hash": None if vae is None else sha256(vae.encode()).hexdigest()[:10],
        "extra_generation_params": dict(sheet.facts),
        "index_of_first_image": first,
        "infotexts": texts,
        "styles": want["styles"] or [],
        "job_timestamp": life.state.timestamp,
        "clip_skip": shelf.options["CLIP_stop_at_last_layers"],
        "is_using_inpainting_conditioning": False,
        **({"version": life.version.tag} if life.version.info_version else {}),
    }


def _modules(life: Life) -> dict[str, str]:
    """What Forge has loaded beside the checkpoint; names that it does not know are left out."""
    paths = life.shelf.options.get("forge_additional_modules", [])
    names = [path.rpartition("/")[2] for path in paths]
    known = [name for name in names if name in life.shelf.installed.vaes]
    return {f"Module {n}": name.rsplit(".", 1)[0] for n, name in enumerate(known, 1)}


def _hashed(name: str) -> str:
    return f"{name}: {sha256(name.encode()).hexdigest()[:12]}"
